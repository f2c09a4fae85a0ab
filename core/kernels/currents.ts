/** Currents to a body in a plasma, and the potentials at which they balance: twins in core/assembly/currents.ts and gpu/kernels/currents.cu. */
import type { Argument, Kernel } from "./kernel.ts";

const ofEach = (name: string, unit: string, doc: string): Argument => ({
  name,
  role: "in",
  dtype: "f64",
  shape: ["B"],
  unit,
  doc,
});
const PLASMA = [
  ofEach("density", "m⁻³", "n"),
  ofEach("kappa", "1", "κ > 3/2"),
  ofEach("theta", "m/s", "thermal speed θ"),
] as const;

export const electronCurrent: Kernel = {
  name: "electron_current",
  family: "currents",
  doc:
    "Electron current density of B kappa distributions, by Simpson's rule on P energies from 10 to 20000 eV.",
  source:
    "J_e = e · 10⁴ · ¼ ∫ J(E) dE, energies geometric; an even P: mean of the two rules that take the first or the last " +
    "interval as a trapezoid (SciPy 1.10's simpson)",
  dims: { B: "distributions", P: "energies, at least 3" },
  args: [
    ...PLASMA,
    { name: "current", role: "out", dtype: "f64", shape: ["B"], unit: "A m⁻²", doc: "J_e" },
    { name: "scratch", role: "work", dtype: "f64", shape: ["2*P"], unit: "eV", doc: "energies, weights" },
  ],
  tolerance: { relative: 1e-12, absolute: 0 },
  nan: "propagates within its batch row",
  flops: (d) => d.B! * (60 * d.P! + 200),
};

export const photoelectronPotential: Kernel = {
  name: "photoelectron_potential",
  family: "currents",
  doc:
    "Potential of a sunlit spacecraft at which photoelectrons carry off the given electron current; NaN where no " +
    "potential from 0 to 150 V does.",
  source: "J(U) = 1.07e-6 exp(−U/5) + 1.6e-8 exp(−U/60) A m⁻²",
  dims: { B: "currents" },
  args: [
    ofEach("current", "A m⁻²", "J_e"),
    { name: "potential", role: "out", dtype: "f64", shape: ["B"], unit: "V", doc: "root in [0, 150]" },
  ],
  tolerance: {
    relative: 1e-11,
    absolute: 1e-12,
    reason: "near 0 V a root keeps the rounding of J/J′: 1e-16 · 5 V",
  },
  nan: "propagates within its batch row",
  flops: (d) => 400 * d.B!,
};

export const shadowCurrents: Kernel = {
  name: "shadow_currents",
  family: "currents",
  doc:
    "Currents to a body in shadow at N trial potentials of each of B kappa distributions: electrons, secondary electrons, " +
    "ions. Where no electron could have come from outside, (0, 0, 10¹²).",
  source:
    "T_c = T + U/(κ−3/2); Φ = ¼ 10⁴ J(E; θ_c) on 500 geometric energies 1 … 20000 eV; J_e = e ∫_{E≥|U|} Φ dE (trapezoids), " +
    "J_see the same times y(E−|U|), y(x) = 7.4 · 1.5 (x/500) exp(−2√(x/500)); " +
    "J_i = e n √(e T_i/(2π m_p)) √max(0, 1−U/T_i), T_i = T_c + 10⁻⁶",
  dims: { B: "distributions", N: "potentials of each" },
  args: [
    ...PLASMA,
    { name: "potential", role: "in", dtype: "f64", shape: ["B", "N"], unit: "V", doc: "U" },
    {
      name: "currents",
      role: "out",
      dtype: "f64",
      shape: ["B", "N", "3"],
      unit: "A m⁻²",
      doc: "J_e, J_see, J_i",
    },
    { name: "scratch", role: "work", dtype: "f64", shape: ["1000"], unit: "eV", doc: "energies, weights" },
  ],
  tolerance: { relative: 1e-12, absolute: 0 },
  nan: "propagates within its batch row",
  flops: (d) => d.B! * d.N! * 500 * 80,
};

export const shadowPotential: Kernel = {
  name: "shadow_potential",
  family: "currents",
  doc:
    "Floating potential of a body in shadow: J_i + J_see = J_e, the currents those of shadow_currents. Root between 0 and " +
    "−1500 V, the lower end taken 1.5 times further up to 10 times; NaN where the sum does not change its sign.",
  source: "Brent 1973, Algorithms for Minimization without Derivatives, ch. 4; all of a batch side by side",
  dims: { B: "distributions" },
  args: [
    ...PLASMA,
    { name: "potential", role: "out", dtype: "f64", shape: ["B"], unit: "V", doc: "U" },
    {
      name: "state",
      role: "out",
      dtype: "i32",
      shape: ["B"],
      unit: "1",
      doc: "0 a root, 1 currents positive throughout, 2 negative throughout, 3 no distribution",
    },
    { name: "scratch", role: "work", dtype: "f64", shape: ["1000"], unit: "eV", doc: "energies, weights" },
  ],
  tolerance: {
    relative: 1e-9,
    absolute: 1e-9,
    reason: "the root is bracketed to 1e-10 V and no further: the electron current is a staircase in |U|",
  },
  nan: "propagates within its batch row",
  flops: (d) => d.B! * 20 * 500 * 80,
};

export const CURRENTS: readonly Kernel[] = [
  electronCurrent,
  photoelectronPotential,
  shadowCurrents,
  shadowPotential,
];
