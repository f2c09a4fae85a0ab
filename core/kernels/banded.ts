/** Symmetric positive definite banded systems: twins in core/assembly/banded.ts and gpu/kernels/banded.cu. */
import type { Argument, Kernel } from "./kernel.ts";

const dims = { B: "systems", N: "unknowns", H: "half-bandwidth" };

const factor: Omit<Argument, "role" | "name"> = {
  dtype: "f64",
  shape: ["B", "N", "H+1"],
  unit: "1",
  doc: "lower bands row by row: element k of row i is column i−H+k, the diagonal last, 0 outside",
};

export const bandedCholesky: Kernel = {
  name: "banded_cholesky",
  family: "banded",
  doc:
    "Cholesky factors of B symmetric positive definite banded matrices; NaN in the whole band of a matrix " +
    "whose pivots are not all positive and finite.",
  source: "K = L Lᵀ, l_ij = (k_ij − Σ_m l_im l_jm) / l_jj",
  dims,
  args: [
    { ...factor, name: "band", role: "in", doc: `matrices; ${factor.doc}` },
    { ...factor, name: "l", role: "out", doc: "factors, as bands too; may be the array of the matrices" },
  ],
  tolerance: {
    relative: 1e-10,
    absolute: 0,
    reason: "factors carry √cond ε of the leading blocks; cond 1e9 (bins without data) is allowed for",
  },
  nan: "propagates within its batch row",
  flops: (d) => d.B! * d.N! * (d.H! + 1) * (d.H! + 1),
};

export const bandedSolve: Kernel = {
  name: "banded_solve",
  family: "banded",
  doc: "Solutions of B banded systems from their Cholesky factors.",
  source: "L z = b, Lᵀ x = z",
  dims,
  args: [
    { ...factor, name: "l", role: "in", doc: `factors from banded_cholesky; ${factor.doc}` },
    { name: "b", role: "in", dtype: "f64", shape: ["B", "N"], unit: "1", doc: "right-hand sides" },
    { name: "x", role: "out", dtype: "f64", shape: ["B", "N"], unit: "1", doc: "solutions" },
  ],
  tolerance: {
    relative: 1e-10,
    absolute: 0,
    reason: "substitution carries up to √cond ε of L; cond 1e9 (bins without data) is allowed for",
  },
  nan: "propagates within its batch row",
  flops: (d) => 4 * d.B! * d.N! * (d.H! + 1),
};

export const BANDED: readonly Kernel[] = [bandedCholesky, bandedSolve];
