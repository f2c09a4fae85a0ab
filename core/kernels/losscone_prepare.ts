/** From flux to tables of the loss-cone fit: twins in core/assembly/losscone_prepare.ts and gpu/kernels/losscone_prepare.cu. */
import type { Kernel } from "./kernel.ts";
import { constantsArgument, energyArgument, pitchArgument, potentialArgument } from "./losscone.ts";

const FILL = "0: fills of the archive are missing data, 1: numbers";

export const lossconePitch: Kernel = {
  name: "losscone_pitch",
  family: "losscone_prepare",
  doc: "Pitch angles of the cells of B sweeps; NaN in rows whose polarity is neither +1 nor −1.",
  source: "α = acos(p B·d/|B|), d = (cos φ cos θ, sin φ cos θ, sin θ)",
  dims: { B: "sweeps", R: "energy steps", P: "directions", FILL },
  args: [
    { name: "theta", role: "in", dtype: "f64", shape: ["P"], unit: "deg", doc: "elevation of the cells" },
    {
      name: "phi",
      role: "in",
      dtype: "f64",
      shape: ["B", "R", "P"],
      unit: "deg",
      doc: "azimuth of the cells",
    },
    { name: "field", role: "in", dtype: "f64", shape: ["B", "R", "3"], unit: "nT", doc: "magnetic field" },
    {
      name: "polarity",
      role: "in",
      dtype: "f64",
      shape: ["B", "R"],
      unit: "1",
      doc: "which of ±B points to the Moon",
    },
    { ...pitchArgument, role: "out" },
  ],
  tolerance: {
    relative: 1e-9,
    absolute: 0,
    reason: "acos loses half the digits at 0 and 180 degrees: an ulp of the cosine there is 1e-8 radian",
  },
  nan: "propagates within its batch row",
  flops: (d) => 160 * d.B! * d.R! * d.P!,
};

export const lossconeNormalise: Kernel = {
  name: "losscone_normalise",
  family: "losscone_prepare",
  doc: "Flux of B sweeps over that of the incident cells, and the cells that χ² sums over.",
  source: "header of core/assembly/losscone_prepare.ts",
  dims: {
    B: "sweeps",
    R: "energy steps",
    P: "directions",
    METHOD: "0 Halekas, 1 Lillis",
    RATIO2: "0: over the incident statistic, 1: over the opposite incident cell",
    HIGHEST: "incident statistic: 0 mean, 1 largest",
    FILL,
  },
  args: [
    energyArgument,
    potentialArgument,
    {
      name: "flux",
      role: "in",
      dtype: "f64",
      shape: ["B", "R", "P"],
      unit: "cm⁻² s⁻¹ sr⁻¹ eV⁻¹",
      doc: "differential flux",
    },
    pitchArgument,
    { name: "norm", role: "out", dtype: "f64", shape: ["B", "R", "P"], unit: "1", doc: "normalised flux" },
    { name: "mask", role: "out", dtype: "u8", shape: ["B", "R", "P"], unit: "1", doc: "1: the cell counts" },
    { name: "valid", role: "out", dtype: "i32", shape: ["B"], unit: "1", doc: "cells of the mask" },
  ],
  tolerance: { relative: 1e-13, absolute: 0 },
  nan: "propagates within its batch row",
  flops: (d) => d.B! * d.R! * d.P! * (d.RATIO2 === 0 ? 6 : 6 + 3 * d.P!),
};

export const lossconeTables: Kernel = {
  name: "losscone_tables",
  family: "losscone_prepare",
  doc:
    "Cells of every row in order of falling pitch, and the cost of the row by the number of them in the loss cone.",
  source: "prefix_i = Σ_j (y_j − outside)² + Σ_{j<i} [(y_j − inside)² − (y_j − outside)²]",
  dims: { B: "sweeps", R: "energy steps", P: "directions", METHOD: "0 Halekas, 1 Lillis" },
  args: [
    pitchArgument,
    { name: "norm", role: "in", dtype: "f64", shape: ["B", "R", "P"], unit: "1", doc: "normalised flux" },
    { name: "mask", role: "in", dtype: "u8", shape: ["B", "R", "P"], unit: "1", doc: "1: the cell counts" },
    constantsArgument,
    {
      name: "sine",
      role: "out",
      dtype: "f64",
      shape: ["B", "R", "P"],
      unit: "1",
      doc: "sin²α, 2 for α ≤ 90° and past the last",
    },
    {
      name: "beam",
      role: "out",
      dtype: "f64",
      shape: ["B", "R", "P"],
      unit: "1",
      doc: "exp(−((α − 180°)/s)²/2), 0 past the last",
    },
    {
      name: "y",
      role: "out",
      dtype: "f64",
      shape: ["B", "R", "P"],
      unit: "1",
      doc: "ln(norm + 1e-6) or norm, 0 past the last",
    },
    {
      name: "prefix",
      role: "out",
      dtype: "f64",
      shape: ["B", "R", "P+1"],
      unit: "1",
      doc: "cost of the row with i cells in the cone",
    },
    { name: "cells", role: "out", dtype: "i32", shape: ["B", "R"], unit: "1", doc: "cells of the row" },
    { name: "order", role: "work", dtype: "i32", shape: ["P"], unit: "1", doc: "cells as they are sorted" },
  ],
  tolerance: {
    relative: 1e-11,
    absolute: 0,
    reason: "sin²α near 90° and 180° carries the rounding of α in radians, up to 2e-12 of the smallest",
  },
  nan: "propagates within its batch row",
  flops: (d) => d.B! * d.R! * d.P! * (110 + 8 * Math.log2(d.P! + 1)),
};

export const LOSSCONE_PREPARE: readonly Kernel[] = [lossconePitch, lossconeNormalise, lossconeTables];
