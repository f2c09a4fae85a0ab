/** Regular-grid interpolation of templates: twins in core/assembly/interpolate.ts and gpu/kernels/interpolate.cu. */
import type { Kernel } from "./kernel.ts";

export const interpolate: Kernel = {
  name: "interpolate",
  family: "interpolate",
  doc:
    "Multilinear interpolation of ln flux in a grid cell, exponentiated, with derivatives in the cell fractions.",
  source: "m = exp Σ_c Π_d (t_d or 1−t_d) lnflux_c; corner c is upper on axis d where bit d of c is set",
  dims: { E: "points", T: "templates", N: "pixels", D: "axes", C: "corners, 2^D" },
  args: [
    { name: "templates", role: "in", dtype: "f32", shape: ["T", "N"], unit: "ln flux", doc: "library" },
    {
      name: "corners",
      role: "in",
      dtype: "i32",
      shape: ["E", "C"],
      unit: "1",
      doc: "template at every corner of the cell",
    },
    { name: "t", role: "in", dtype: "f64", shape: ["E", "D"], unit: "1", doc: "fractions within the cell" },
    {
      name: "out",
      role: "out",
      dtype: "f64",
      shape: ["E", "D+1", "N"],
      unit: "flux",
      doc: "flux and ∂flux/∂t_d",
    },
    { name: "work", role: "work", dtype: "f64", shape: ["2*C*256+(D+1)*(N+2)"], unit: "", doc: "" },
  ],
  tolerance: { relative: 1e-13, absolute: 0 },
  nan: "propagates within its batch row",
  flops: (d) => d.E! * d.N! * (5 * d.C! + 2 * d.C! * d.D! + 40),
};

export const INTERPOLATE: readonly Kernel[] = [interpolate];
