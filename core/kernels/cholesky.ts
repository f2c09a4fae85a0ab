/** Symmetric positive definite systems: twins in core/assembly/cholesky.ts and gpu/kernels/cholesky.cu. */
import type { Kernel } from "./kernel.ts";

export const choleskySolve: Kernel = {
  name: "cholesky_solve",
  family: "cholesky",
  doc:
    "Cholesky factors, solutions and log determinants of B symmetric positive definite systems N a = b; NaN " +
    "in all outputs of a system whose pivots are not all positive and finite.",
  source: "N = L Lᵀ, ln det N = 2 Σ ln l_ii, L y = b, Lᵀ a = y",
  dims: { B: "systems", K: "unknowns of each, up to about 32" },
  args: [
    {
      name: "n",
      role: "in",
      dtype: "f64",
      shape: ["B", "K", "K"],
      unit: "1",
      doc: "matrices; lower triangle read",
    },
    { name: "b", role: "in", dtype: "f64", shape: ["B", "K"], unit: "1", doc: "right-hand sides" },
    {
      name: "l",
      role: "out",
      dtype: "f64",
      shape: ["B", "K", "K"],
      unit: "1",
      doc: "factors, zero above the diagonal",
    },
    { name: "a", role: "out", dtype: "f64", shape: ["B", "K"], unit: "1", doc: "solutions" },
    { name: "logdet", role: "out", dtype: "f64", shape: ["B"], unit: "1", doc: "ln det N" },
  ],
  tolerance: {
    relative: 1e-10,
    absolute: 0,
    reason: "solutions carry cond(N) ε; N of the continuum basis has cond 2e4, 1e5 is allowed for",
  },
  nan: "propagates within its batch row",
  flops: (d) => d.B! * (d.K! * (d.K! + 1) * (2 * d.K! + 1) / 6 + 2 * d.K! * d.K! + 20 * d.K!),
};

export const CHOLESKY: readonly Kernel[] = [choleskySolve];
