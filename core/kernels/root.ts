/** Inverse square roots of covariances, and what follows from them: twins in core/assembly/root.ts and gpu/kernels/root.cu. */
import type { Argument, Kernel } from "./kernel.ts";

const fibres = { B: "bundles", F: "fibres of each", L: "wavelength bins", H: "half-bandwidth of S, bins" };

const bandOfS: Argument = {
  name: "s",
  role: "in",
  dtype: "f64",
  shape: ["B", "F", "L", "H+1"],
  unit: "1/electron²",
  doc: "S = C⁻¹ of every fibre, from fibre_schur: element k of row i is column i−H+k",
};

/** Operations a bin of factorisation and inverse within the band. */
const inversion = (H: number) => 3 * H * H + 8 * H;

export const bandExtent: Kernel = {
  name: "band_extent",
  family: "root",
  doc:
    "Between which bounds the eigenvalues of banded matrices lie: the largest row sum of |S|, and 1 over that of |S⁻¹| " +
    "within the band. NaN below for a matrix that is not positive definite.",
  source: "ρ(A) ≤ ‖A‖∞, for S and S⁻¹; Takahashi's recursion",
  dims: fibres,
  args: [
    bandOfS,
    { name: "low", role: "out", dtype: "f64", shape: ["B", "F"], unit: "1/electron²", doc: "lower bound" },
    { name: "high", role: "out", dtype: "f64", shape: ["B", "F"], unit: "1/electron²", doc: "upper bound" },
    {
      name: "scratch",
      role: "work",
      dtype: "f64",
      shape: ["2*L*(H+5)+2*(2*H+2)*(2*H+1)+2*(H+1)+L"],
      unit: "",
      doc: "",
    },
  ],
  tolerance: {
    relative: 1e-6,
    absolute: 0,
    reason:
      "the inverse carries cond(S) ε; cond 1e9 (bins without data) is allowed for, and bounds need no digits",
  },
  nan: "propagates within its batch row",
  flops: (d) => d.B! * d.F! * d.L! * (inversion(d.H!) + 6 * d.H!),
};

export const bandRoot: Kernel = {
  name: "band_root",
  family: "root",
  doc:
    "Q = C^(−1/2) = S^(1/2) of every fibre, its band and its products with 1 and with x, by a sum over poles.",
  source:
    "Hale, Higham & Trefethen 2008, SIAM J. Numer. Anal. 46, 2505, method 3: √S ≈ Σ_p g_p S (S + σ_p)⁻¹; " +
    "Bolton & Schlegel 2010, eq. 17–19",
  dims: { ...fibres, P: "most poles of a fibre", ND: "diagonals of Q on either side, ND ≤ H" },
  args: [
    bandOfS,
    {
      name: "x",
      role: "in",
      dtype: "f64",
      shape: ["B", "L", "F"],
      unit: "electron",
      doc: "deconvolved flux, by wavelength, then fibre",
    },
    {
      name: "count",
      role: "in",
      dtype: "i32",
      shape: ["B", "F"],
      unit: "1",
      doc: "poles of each fibre, ≤ P",
    },
    {
      name: "shift",
      role: "in",
      dtype: "f64",
      shape: ["B", "F", "P"],
      unit: "1/electron²",
      doc: "σ_p > 0, from zolotarev",
    },
    { name: "weight", role: "in", dtype: "f64", shape: ["B", "F", "P"], unit: "1/electron", doc: "g_p" },
    {
      name: "q",
      role: "out",
      dtype: "f64",
      shape: ["B", "F", "L", "ND+1"],
      unit: "1/electron",
      doc: "lower band of Q: element k of row i is column i−ND+k",
    },
    { name: "rowsum", role: "out", dtype: "f64", shape: ["B", "F", "L"], unit: "1/electron", doc: "Q 1" },
    { name: "qx", role: "out", dtype: "f64", shape: ["B", "F", "L"], unit: "1", doc: "Q x" },
    {
      name: "scratch",
      role: "work",
      dtype: "f64",
      shape: ["2*L*(H+8)+2*(2*H+2)*(2*H+1)+2*(H+1)+1"],
      unit: "",
      doc: "",
    },
  ],
  tolerance: {
    relative: 1e-9,
    absolute: 0,
    reason:
      "each pole carries cond(S + σ) ε, the sum √cond(S) ε and x the digits it was solved to; cond 1e9 is allowed for",
  },
  nan: "propagates within its batch row",
  flops: (d) => d.B! * d.F! * d.L! * d.P! * (inversion(d.H!) + 8 * d.H! + 2 * d.ND!),
};

export const decorrelate: Kernel = {
  name: "decorrelate",
  family: "root",
  doc:
    "Flux with uncorrelated errors, its inverse variance and the stored columns of the resolution, of the bins kept.",
  source:
    "Bolton & Schlegel 2010, eq. 11–13, 16: s_i = Σ_j Q_ij, R_ij = Q_ij / s_i, ivar_i = s_i², flux = R x",
  dims: {
    B: "fibres",
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
      shape: ["B", "L", "ND+1"],
      unit: "1/electron",
      doc: "from band_root",
    },
    {
      name: "rowsum",
      role: "in",
      dtype: "f64",
      shape: ["B", "L"],
      unit: "1/electron",
      doc: "from band_root",
    },
    { name: "qx", role: "in", dtype: "f64", shape: ["B", "L"], unit: "1", doc: "from band_root" },
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
  ],
  tolerance: { relative: 1e-13, absolute: 0 },
  nan: "propagates within its batch row",
  flops: (d) => d.B! * d.M! * (2 * d.ND! + 4),
};

export const ROOT: readonly Kernel[] = [bandExtent, bandRoot, decorrelate];
