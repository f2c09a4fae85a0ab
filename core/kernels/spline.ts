/** Natural cubic splines: twins in core/assembly/spline.ts and gpu/kernels/spline.cu. */
import type { Kernel } from "./kernel.ts";

export const splineFactor: Kernel = {
  name: "spline_factor",
  family: "spline",
  doc: "Elimination table of the tridiagonal system that every natural spline on the same knots shares.",
  source: "Thomas algorithm for h_{i−1} z_{i−1} + 2(h_{i−1}+h_i) z_i + h_i z_{i+1} = Δ_i − Δ_{i−1}, z = S″/6",
  dims: { N: "knots" },
  args: [
    { name: "x", role: "in", dtype: "f64", shape: ["N"], unit: "Å", doc: "knots, increasing" },
    {
      name: "factor",
      role: "out",
      dtype: "f64",
      shape: ["N", "4"],
      unit: "Å, 1/Å, 1, 1/Å",
      doc: "h, 1/h, superdiagonal, 1/pivot",
    },
  ],
  tolerance: { relative: 1e-13, absolute: 0 },
  nan: "not allowed",
  flops: (d) => 8 * d.N!,
};

export const splineBuild: Kernel = {
  name: "spline_build",
  family: "spline",
  doc:
    "Sixths of the second derivatives of natural cubic splines through B sets of values on the same knots.",
  source: "natural spline, S″ = 0 at both ends; abscissa λ, not ln λ",
  dims: { B: "splines", N: "knots" },
  args: [
    {
      name: "factor",
      role: "in",
      dtype: "f64",
      shape: ["N", "4"],
      unit: "Å, 1/Å, 1, 1/Å",
      doc: "from spline_factor",
    },
    { name: "y", role: "in", dtype: "f64", shape: ["B", "N"], unit: "flux", doc: "values at the knots" },
    { name: "z", role: "out", dtype: "f64", shape: ["B", "N"], unit: "flux/Å²", doc: "S″/6 at the knots" },
  ],
  tolerance: { relative: 1e-12, absolute: 0 },
  nan: "propagates within its batch row",
  flops: (d) => 7 * d.B! * d.N!,
};

export const splineEvaluate: Kernel = {
  name: "spline_evaluate",
  family: "spline",
  doc: "Splines at Doppler-shifted points: out[b,p] = S_b(xe_p √((1−β_b)/(1+β_b))); NaN outside the knots.",
  source: "relativistic radial Doppler shift, no flux factor",
  dims: { B: "splines", N: "knots", P: "points", LOG: "1: knots uniform in ln x, 0: uniform in x" },
  args: [
    { name: "x", role: "in", dtype: "f64", shape: ["N"], unit: "Å", doc: "knots" },
    { name: "y", role: "in", dtype: "f64", shape: ["B", "N"], unit: "flux", doc: "values at the knots" },
    { name: "z", role: "in", dtype: "f64", shape: ["B", "N"], unit: "flux/Å²", doc: "from spline_build" },
    { name: "xe", role: "in", dtype: "f64", shape: ["P"], unit: "Å", doc: "observed wavelengths" },
    { name: "velocity", role: "in", dtype: "f64", shape: ["B"], unit: "km/s", doc: "radial velocities" },
    { name: "out", role: "out", dtype: "f64", shape: ["B", "P"], unit: "flux", doc: "values" },
  ],
  tolerance: { relative: 1e-12, absolute: 0 },
  nan: "propagates within its batch row",
  flops: (d) => 45 * d.B! * d.P!,
};

export const SPLINE: readonly Kernel[] = [splineFactor, splineBuild, splineEvaluate];
