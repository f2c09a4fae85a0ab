/**
 * Covariances of single fibres as dense blocks, and their inverse square roots: twins in core/assembly/inverse_root.ts and
 * gpu/kernels/inverse_root.cu.
 */
import type { Argument, Kernel } from "./kernel.ts";

/** What `method` says of an inverse square root. */
export const ROOT_METHOD = {
  /** There is none: the matrix is not positive definite, or not finite. */
  NONE: 0,
  /** Iteration by products. */
  PRODUCTS: 1,
  /** Eigen-solver. */
  EIGEN: 2,
} as const;

const item: Argument = {
  name: "item",
  role: "in",
  dtype: "i32",
  shape: ["B"],
  unit: "1",
  doc: "which fibre of which system: system·F + fibre",
};

export const fibreCovariance: Kernel = {
  name: "fibre_covariance",
  family: "inverse_root",
  doc:
    "The block of C = K⁻¹ that belongs to one fibre, for B fibres of any systems; NaN where K has no factor.",
  source: "K = L Lᵀ, columns of C from L Lᵀ c = e; below the diagonal, the rest by symmetry",
  dims: {
    B: "fibres wanted",
    P: "systems",
    F: "fibres of each",
    L: "wavelength bins",
    H: "half-bandwidth of K",
  },
  args: [
    {
      name: "l",
      role: "in",
      dtype: "f64",
      shape: ["P", "F*L", "H+1"],
      unit: "1/electron",
      doc:
        "factors from banded_cholesky; unknowns by wavelength, then fibre; element k of row i is column i−H+k",
    },
    item,
    { name: "c", role: "out", dtype: "f64", shape: ["B", "L", "L"], unit: "electron²", doc: "covariances" },
    { name: "scratch", role: "work", dtype: "f64", shape: ["F*L*(H+9)"], unit: "", doc: "" },
  ],
  tolerance: {
    relative: 1e-8,
    absolute: 0,
    reason: "C carries cond(K) ε; cond 5e7 (bins without data) is allowed for",
  },
  nan: "propagates within its batch row",
  flops: (d) => 4 * d.B! * d.L! * (d.F! * (d.L! + 1) / 2) * (d.H! + 1),
};

export const inverseRoot: Kernel = {
  name: "inverse_root",
  family: "inverse_root",
  doc:
    "Principal inverse square roots C^(−1/2) of B symmetric positive definite matrices: by the coupled Newton–Schulz " +
    "iteration, products alone, where cond(C) is below 1e6; else, or where that does not converge, by a Jacobi " +
    "eigen-solver. NaN in the whole of a matrix that is not positive definite.",
  source:
    "Higham 2008, Functions of Matrices, eq. 6.35, steps scaled as Chen & Chow 2014 (Argonne preprint ANL/MCS-P5059); " +
    "Veselić & Hari 1989, Numer. Math. 56, 627; Bolton & Schlegel 2010, eq. 17–19",
  dims: { B: "matrices", N: "rows of each" },
  args: [
    {
      name: "c",
      role: "in",
      dtype: "f64",
      shape: ["B", "N", "N"],
      unit: "electron²",
      doc: "matrices; the lower triangles are read",
    },
    {
      name: "q",
      role: "out",
      dtype: "f64",
      shape: ["B", "N", "N"],
      unit: "1/electron",
      doc: "C^(−1/2); may be the array of c",
    },
    {
      name: "method",
      role: "out",
      dtype: "u8",
      shape: ["B"],
      unit: "1",
      doc: "0: there is none; 1: by products; 2: by the eigen-solver",
    },
    { name: "scratch", role: "work", dtype: "f64", shape: ["5*(N+3)*(N+3)+N"], unit: "", doc: "" },
  ],
  tolerance: {
    relative: 1e-8,
    absolute: 0,
    reason: "the root carries up to cond(C) ε; cond 5e7 (bins without data) is allowed for",
  },
  nan: "propagates within its batch row",
  // nine steps at cond 1000; of two products out of three half is computed
  flops: (d) => d.B! * d.N! ** 3 * (1 / 3 + 32),
};

export const decorrelateBlock: Kernel = {
  name: "decorrelate_block",
  family: "inverse_root",
  doc:
    "Flux with uncorrelated errors, its inverse variance and the stored columns of the resolution, of the bins kept, " +
    "from whole roots.",
  source:
    "Bolton & Schlegel 2010, eq. 11–13, 16: s_i = Σ_j Q_ij, R_ij = Q_ij / s_i, ivar_i = s_i², flux = R x",
  dims: {
    B: "fibres wanted",
    P: "systems",
    F: "fibres of each",
    L: "wavelength bins",
    M: "bins kept",
    FIRST: "first of them",
    ND: "diagonals of R on either side",
  },
  args: [
    {
      name: "q",
      role: "in",
      dtype: "f64",
      shape: ["B", "L", "L"],
      unit: "1/electron",
      doc: "from inverse_root",
    },
    {
      name: "x",
      role: "in",
      dtype: "f64",
      shape: ["P", "L", "F"],
      unit: "electron",
      doc: "deconvolved flux, by wavelength, then fibre",
    },
    item,
    { name: "flux", role: "out", dtype: "f64", shape: ["B", "M"], unit: "electron", doc: "R x" },
    {
      name: "ivar",
      role: "out",
      dtype: "f64",
      shape: ["B", "M"],
      unit: "1/electron²",
      doc: "inverse variances",
    },
    {
      name: "resolution",
      role: "out",
      dtype: "f64",
      shape: ["B", "2*ND+1", "M"],
      unit: "1",
      doc: "R[j−ND+k][j] at [k][j]: columns, as SciPy's dia_matrix keeps them; 0 past the ends",
    },
    { name: "rowsum", role: "work", dtype: "f64", shape: ["L"], unit: "1/electron", doc: "Σ_j Q_ij" },
  ],
  tolerance: {
    relative: 1e-11,
    absolute: 0,
    reason: "s_i is a sum of either sign: where it is 1e-2 of its terms two digits are lost",
  },
  nan: "propagates within its batch row",
  flops: (d) => 3 * d.B! * d.L! * d.L! + d.B! * d.M! * (2 * d.ND! + 4),
};

export const INVERSE_ROOT: readonly Kernel[] = [fibreCovariance, inverseRoot, decorrelateBlock];
