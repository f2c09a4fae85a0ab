/** Loss cones cell by cell: twins in core/assembly/losscone.ts and gpu/kernels/losscone.cu. */
import type { Argument, Kernel } from "./kernel.ts";

/** Constants of a fit, in the order of the array `constants`. */
export const LOSSCONE_CONSTANTS = ["w", "s", "g", "U0", "U1", "b0", "b1", "A0", "A1", "delta"] as const;

export const energyArgument: Argument = {
  name: "energy",
  role: "in",
  dtype: "f64",
  shape: ["B", "R"],
  unit: "eV",
  doc: "energy of the rows; NaN: no such row",
};
export const potentialArgument: Argument = {
  name: "potential",
  role: "in",
  dtype: "f64",
  shape: ["B", "R"],
  unit: "V",
  doc: "potential of the spacecraft; NaN: the row is not used",
};
export const pitchArgument: Argument = {
  name: "pitch",
  role: "in",
  dtype: "f64",
  shape: ["B", "R", "P"],
  unit: "deg",
  doc: "pitch angles, 180 straight up; NaN: unknown",
};
export const constantsArgument: Argument = {
  name: "constants",
  role: "in",
  dtype: "f64",
  shape: ["10"],
  unit: "eV, deg, 1, V, V, 1, 1, 1, 1, 1",
  doc: "beam width w, pitch width s, background g, bounds of U, b and A, rise Δ of the confidence set",
};

export const lossconeModel: Kernel = {
  name: "losscone_model",
  family: "losscone",
  doc: "Normalised flux of B sweeps: 1 outside the loss cone, g in it, and the beam.",
  source: "Halekas et al. 2008, JGR, doi:10.1029/2008JA013194; header of core/assembly/losscone.ts",
  dims: { B: "sweeps", R: "energy steps", P: "directions" },
  args: [
    energyArgument,
    potentialArgument,
    pitchArgument,
    { name: "parameters", role: "in", dtype: "f64", shape: ["B", "3"], unit: "V, 1, 1", doc: "U, b, A" },
    constantsArgument,
    {
      name: "model",
      role: "out",
      dtype: "f64",
      shape: ["B", "R", "P"],
      unit: "1",
      doc: "flux of incident 1",
    },
  ],
  tolerance: { relative: 1e-13, absolute: 0 },
  nan: "propagates within its batch row",
  flops: (d) => d.B! * d.R! * (35 + 70 * d.P!),
};

export const lossconeChisq: Kernel = {
  name: "losscone_chisq",
  family: "losscone",
  doc: "χ² over the cells of a mask; METHOD 0: of logarithms (Halekas), 1: reduced, of values (Lillis).",
  source: "Σ (ln(d + 1e-6) − ln(m + 1e-6))², NaN without a cell; Σ (d − m)²/max(n − 3, 1), NaN below 5 cells",
  dims: { B: "sweeps", R: "energy steps", P: "directions", METHOD: "0 Halekas, 1 Lillis" },
  args: [
    { name: "norm", role: "in", dtype: "f64", shape: ["B", "R", "P"], unit: "1", doc: "normalised flux" },
    { name: "mask", role: "in", dtype: "u8", shape: ["B", "R", "P"], unit: "1", doc: "1: the cell counts" },
    {
      name: "model",
      role: "in",
      dtype: "f64",
      shape: ["B", "R", "P"],
      unit: "1",
      doc: "from losscone_model",
    },
    { name: "chi2", role: "out", dtype: "f64", shape: ["B"], unit: "1", doc: "χ²" },
  ],
  tolerance: { relative: 1e-12, absolute: 0 },
  nan: "propagates within its batch row",
  flops: (d) => d.B! * d.R! * d.P! * (d.METHOD === 0 ? 50 : 4),
};

export const LOSSCONE: readonly Kernel[] = [lossconeModel, lossconeChisq];
