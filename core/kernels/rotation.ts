/** Rotational broadening: twins in core/assembly/rotation.ts and gpu/kernels/rotation.cu. */
import type { Kernel } from "./kernel.ts";

export const rotationWeights: Kernel = {
  name: "rotation_weights",
  family: "rotation",
  doc:
    "Weights W_0 … W_H of the limb-darkened rotation profile for a piecewise linear spectrum, and their derivatives in R.",
  source:
    "Gray, Observation and Analysis of Stellar Photospheres, ch. 18; integrated exactly against triangles",
  dims: { B: "profiles", H: "largest half-width" },
  args: [
    {
      name: "R",
      role: "in",
      dtype: "f64",
      shape: ["B"],
      unit: "pixel",
      doc: "vsini / c / Δlnλ; negative: linear continuation",
    },
    { name: "eps", role: "in", dtype: "f64", shape: ["B"], unit: "1", doc: "linear limb darkening" },
    {
      name: "w",
      role: "out",
      dtype: "f64",
      shape: ["B", "H+1"],
      unit: "1",
      doc: "half kernel, unit sum over both sides",
    },
    { name: "dw", role: "out", dtype: "f64", shape: ["B", "H+1"], unit: "1/pixel", doc: "∂w/∂R" },
  ],
  tolerance: {
    relative: 1e-11,
    absolute: 0,
    reason: "differences of primitives lose R² ε: 1e-12 to R = 60 pixels, 1e-11 at 256",
  },
  nan: "propagates within its batch row",
  flops: (d) => 100 * d.B! * (d.H! + 1),
};

export const rotate: Kernel = {
  name: "rotate",
  family: "rotation",
  doc: "Convolution with a symmetric kernel, length-preserving, zeros outside the spectrum.",
  source: "out_j = Σ_{|k|≤H} W_|k| y_{j+k}",
  dims: { B: "spectra", N: "pixels", H: "half-width" },
  args: [
    { name: "y", role: "in", dtype: "f64", shape: ["B", "N"], unit: "flux", doc: "spectra, uniform in ln λ" },
    { name: "w", role: "in", dtype: "f64", shape: ["B", "H+1"], unit: "1", doc: "from rotation_weights" },
    { name: "out", role: "out", dtype: "f64", shape: ["B", "N"], unit: "flux", doc: "broadened spectra" },
  ],
  tolerance: { relative: 1e-13, absolute: 0 },
  nan: "propagates within its batch row",
  flops: (d) => 3 * d.B! * d.N! * (d.H! + 1),
};

export const ROTATION: readonly Kernel[] = [rotationWeights, rotate];
