/** Parity cases of the families kappa, currents. */
import {
  electronCurrent,
  photoelectronPotential,
  shadowCurrents,
  shadowPotential,
} from "../../core/kernels/currents.ts";
import type { Kernel } from "../../core/kernels/kernel.ts";
import { kappaChisq, kappaFit, kappaFlux, kappaPrepare, kappaResponse } from "../../core/kernels/kappa.ts";
import { countFactors, simulatedThetas, solidAngles } from "../../core/losscone/cells.ts";
import { kappaFlux as fluxOf, thermalSpeedOf } from "../../core/losscone/kappa_distribution.ts";
import { type CaseMaker, EDGES, type Next, type ParityCase, uniform, whole } from "./case.ts";

const logUniform = (n: number, next: Next, low: number, high: number) =>
  Float64Array.from({ length: n }, () => low * (high / low) ** next());

/** B distributions: n, κ, θ of temperatures from 5 to 500 eV. */
function plasmas(B: number, next: Next) {
  const kappa = uniform(B, next, 2.5, 6);
  const theta = kappa.map((k) => thermalSpeedOf(k, 5 * 100 ** next()));
  return { density: logUniform(B, next, 1e5, 1e8), kappa, theta };
}

/** Energies of B sweeps, each its own, descending. */
function energies(B: number, R: number, next: Next): Float64Array {
  const out = new Float64Array(B * R);
  for (let b = 0; b < B; b++) {
    const high = 15000 + 10000 * next(), low = 30 + 20 * next();
    for (let r = 0; r < R; r++) out[b * R + r] = high * (low / high) ** (R === 1 ? 0 : r / (R - 1));
  }
  return out;
}

const flux: CaseMaker = function* (next, extra) {
  const one = (B: number, N: number): ParityCase => ({
    label: `${B} distributions, ${N} energies`,
    dims: { B, N },
    inputs: {
      energy: logUniform(B * N, next, 1, 20000),
      density: logUniform(B, next, 1e5, 1e8),
      kappa: uniform(B, next, 1.6, 9),
      theta: logUniform(B, next, 1e6, 1e8),
    },
  });
  yield one(0, 4);
  yield one(3, 0);
  for (const B of EDGES) yield one(B, 3);
  for (const name of ["energy", "density", "kappa", "theta"]) {
    const sick = one(4, 5);
    sick.inputs[name]![name === "energy" ? 11 : 2] = NaN;
    yield { ...sick, label: `NaN in ${name}`, poisoned: [2] };
  }
  for (let i = 0; i < extra; i++) yield one(whole(next, 1, 40), whole(next, 1, 60));
};

const response: CaseMaker = function* (next, extra) {
  const one = (B: number, R: number): ParityCase => ({
    label: `${B} sweeps of ${R}`,
    dims: { B, R },
    inputs: { energy: energies(B, R, next) },
  });
  yield one(0, 15);
  for (const R of [1, 2, 15, 32, 33]) yield one(3, R);
  for (const B of [31, 33]) yield one(B, 8);
  const short = one(3, 15);
  short.inputs.energy!.fill(NaN, 20, 30);
  short.inputs.energy![31] = 0;
  yield { ...short, label: "short sweeps" };
  for (let i = 0; i < extra; i++) yield one(whole(next, 1, 20), whole(next, 1, 40));
};

const chisq: CaseMaker = function* (next, extra) {
  const one = (B: number, P: number, R: number): ParityCase => {
    const energy = energies(B, R, next), there = plasmas(B, next);
    const trial = new Float64Array(B * P * 2);
    for (let i = 0; i < B * P; i++) {
      trial[2 * i] = 2.5 + 3.5 * next();
      trial[2 * i + 1] = 6 + 2 * next();
    }
    const measured = energy.map((e, i) => {
      const b = Math.floor(i / R);
      const plasma = { density: there.density[b]!, kappa: there.kappa[b]!, theta: there.theta[b]! };
      return fluxOf(plasma, e) * (0.7 + 0.6 * next());
    });
    const weight = uniform(B * R, next, 1, 9);
    return {
      label: `${B} sweeps of ${R}, ${P} trials`,
      dims: { B, P, R },
      inputs: { energy, flux: measured, weight, density: there.density, trial },
    };
  };
  yield one(0, 3, 15);
  yield one(2, 0, 15);
  for (const P of EDGES) yield one(2, P, 15);
  for (const R of [1, 2, 16, 33]) yield one(3, 4, R);
  const short = one(3, 4, 15);
  short.inputs.energy!.fill(NaN, 20, 30);
  yield { ...short, label: "short sweep" };
  const empty = one(2, 4, 15);
  empty.inputs.flux!.fill(0, 3, 6);
  empty.inputs.weight!.fill(0, 3, 6);
  yield { ...empty, label: "rows without counts" };
  const sick = one(3, 4, 15);
  sick.inputs.flux![20] = NaN;
  yield { ...sick, label: "NaN in a flux", poisoned: [1] };
  for (let i = 0; i < extra; i++) yield one(whole(next, 1, 9), whole(next, 1, 40), whole(next, 2, 20));
};

const prepare: CaseMaker = function* (next, extra) {
  const one = (B: number, R: number, C = 88): ParityCase => {
    const all = simulatedThetas();
    const theta = Float64Array.from({ length: C }, () => all[Math.floor(all.length * next())]!);
    const rows = uniform(B * R * 3, next, -20, 20);
    // half of the sweeps have one field, half a field a row
    for (let i = 0; i < rows.length; i++) {
      const b = Math.floor(i / (3 * R));
      if (b % 2 === 0) rows[i] = rows[3 * R * b + i % 3]!;
    }
    const phi = uniform(B * R * C, next, 0, 360);
    for (let i = 0; i < phi.length; i++) {
      const b = Math.floor(i / (R * C));
      if (b % 2 === 0) phi[i] = phi[b * R * C + i % C]!;
    }
    return {
      label: `${B} sweeps of ${R} × ${C}`,
      dims: { B, R, C },
      inputs: {
        energy: energies(B, R, next),
        potential: uniform(B * R, next, -80, 100),
        phi,
        flux: logUniform(B * R * C, next, 1e-3, 1e6).map((f) => next() < 0.2 ? 0 : f),
        field: rows,
        polarity: new Float64Array(B * R).map(() => next() < 0.5 ? 1 : -1),
        theta,
        solid: solidAngles(theta),
        factor: countFactors(theta),
      },
    };
  };
  yield one(0, 15);
  yield one(2, 0);
  for (const R of [1, 2, 7, 8, 9, 15]) yield one(2, R);
  for (const C of [1, 31, 32, 33, 64]) yield one(2, 4, C);
  const { inputs, ...gaps } = one(8, 15);
  const of = (name: string) => inputs[name] as Float64Array;
  const row = 88, sweep = 15 * row;
  for (let i = 0; i < sweep; i++) if (next() < 0.1) of("flux")[i] = NaN;
  for (let i = sweep; i < 2 * sweep; i++) {
    const chance = next();
    if (chance < 0.05) [of("flux")[i], of("phi")[i]] = [9.999e-99, 999.99];
    else if (chance < 0.1) [of("flux")[i], of("phi")[i]] = [-9.99e-99, 998.99];
  }
  of("polarity").fill(0, 30, 45);
  of("polarity")[50] = NaN;
  of("flux").fill(NaN, 4 * sweep, 4 * sweep + 3 * row);
  of("flux").fill(NaN, 5 * sweep, 6 * sweep);
  of("flux").fill(0, 6 * sweep, 6 * sweep + 2 * row);
  of("flux")[6 * sweep + 5 * row] = -3;
  of("energy").fill(NaN, 110, 120);
  of("field").fill(0, 15 * 3 * 7, 15 * 3 * 7 + 6);
  yield { ...gaps, label: "missing cells, rows, directions and fields", inputs };
  for (let i = 0; i < extra; i++) yield one(whole(next, 1, 6), whole(next, 1, 20));
};

/** Bounds of κ and lg θ, systematic error, as the pipeline has them. */
const SETTINGS = [2.5, 6, 6, 8, Math.hypot(0.05, 0.1)] as const;

const fit: CaseMaker = function* (next, extra) {
  const one = (B: number, R: number, RESPONSE: number): ParityCase => {
    const energy = energies(B, R, next);
    const potential = new Float64Array(B * R), exposure = energy.map((e) => (0.3 + 0.2 * next()) * e / 12);
    const incident = new Float64Array(B * R);
    for (let b = 0; b < B; b++) {
      const kappa = 2.9 + 2.6 * next(), temperature = 40 * 5 ** next();
      const plasma = { density: 1e6 * 10 ** next(), kappa, theta: thermalSpeedOf(kappa, temperature) };
      const volts = 20 * next() - 10;
      for (let i = b * R; i < (b + 1) * R; i++) {
        potential[i] = volts;
        const mean = fluxOf(plasma, energy[i]! - volts) * exposure[i]!;
        incident[i] = Math.max(
          0,
          Math.round(mean * (1 + 0.1 * (next() - 0.5)) + Math.sqrt(mean) * (next() - 0.5)),
        );
      }
    }
    return {
      label: `${B} sweeps of ${R}, response ${RESPONSE}`,
      dims: { B, R, RESPONSE },
      inputs: { energy, potential, incident, exposure, settings: Float64Array.from(SETTINGS) },
    };
  };
  yield one(0, 15, 1);
  for (const R of [8, 15, 16, 31, 32]) yield one(3, R, 1);
  for (const B of [1, 7, 8, 9]) yield one(B, 15, 0);
  for (const B of [1, 9]) yield one(B, 15, 1);
  const gaps = one(6, 15, 1), { energy, potential, incident, exposure } = gaps.inputs;
  energy!.fill(NaN, 2, 15); // two rows left
  incident!.fill(0, 15, 29); // one row with counts
  exposure!.fill(0, 30, 34); // rows without cells
  potential!.fill(300, 45, 60); // rows below the potential
  incident!.fill(0, 60, 64); // empty rows
  exposure![80] = NaN;
  yield { ...gaps, label: "short sweeps, empty rows, rows below the potential" };
  // a power law steeper than any κ allows, and a shallow one
  const steep = one(2, 15, 1);
  for (let i = 0; i < 30; i++) {
    steep.inputs.incident![i] = Math.round(1e7 * (steep.inputs.energy![i]! / 40) ** (i < 15 ? -9 : -1.2));
  }
  yield { ...steep, label: "beyond the bounds" };
  for (let i = 0; i < extra; i++) yield one(whole(next, 1, 12), whole(next, 10, 20), whole(next, 0, 1));
};

const current: CaseMaker = function* (next, extra) {
  const one = (B: number, P: number): ParityCase => ({
    label: `${B} distributions, ${P} energies`,
    dims: { B, P },
    inputs: plasmas(B, next),
  });
  yield one(0, 10);
  for (const P of [3, 4, 10, 31, 32, 33, 100, 257]) yield one(3, P);
  for (const B of EDGES) yield one(B, 10);
  const sick = one(5, 10);
  sick.inputs.kappa![3] = NaN;
  yield { ...sick, label: "NaN in κ", poisoned: [3] };
  for (let i = 0; i < extra; i++) yield one(whole(next, 1, 40), whole(next, 3, 120));
};

const sunlit: CaseMaker = function* (next, extra) {
  const one = (B: number, low = 1.4e-9, high = 1.08e-6): ParityCase => ({
    label: `${B} currents of ${low} … ${high}`,
    dims: { B },
    inputs: { current: logUniform(B, next, low, high) },
  });
  for (const B of [0, ...EDGES]) yield one(B);
  yield one(40, 1e-10, 1e-5);
  yield one(40, 1.08e-6, 1.0859999e-6);
  const sick = one(4);
  sick.inputs.current![1] = NaN;
  yield { ...sick, label: "NaN", poisoned: [1] };
  for (let i = 0; i < extra; i++) yield one(whole(next, 1, 300));
};

const shadow: CaseMaker = function* (next, extra) {
  const one = (B: number, N: number): ParityCase => ({
    label: `${B} distributions, ${N} potentials`,
    dims: { B, N },
    inputs: {
      ...plasmas(B, next),
      potential: Float64Array.from(
        { length: B * N },
        (_, i) => i % 5 === 0 ? 0 : -(10 ** (4 * next() - 0.5)),
      ),
    },
  });
  yield one(0, 3);
  yield one(2, 0);
  for (const B of [1, 7, 8, 9, 33]) yield one(B, 3);
  const sick = one(4, 3);
  sick.inputs.theta![2] = NaN;
  yield { ...sick, label: "NaN in θ", poisoned: [2] };
  for (let i = 0; i < extra; i++) yield one(whole(next, 1, 9), whole(next, 1, 9));
};

const floating: CaseMaker = function* (next, extra) {
  const one = (B: number): ParityCase => ({
    label: `${B} distributions`,
    dims: { B },
    inputs: plasmas(B, next),
  });
  for (const B of [0, 1, 7, 8, 9, 33]) yield one(B);
  const sick = one(4);
  sick.inputs.density![1] = NaN;
  yield { ...sick, label: "NaN in n", poisoned: [1] };
  for (let i = 0; i < extra; i++) yield one(whole(next, 1, 20));
};

export const KAPPA_AND_CURRENTS: readonly (readonly [Kernel, CaseMaker])[] = [
  [kappaFlux, flux],
  [kappaResponse, response],
  [kappaChisq, chisq],
  [kappaPrepare, prepare],
  [kappaFit, fit],
  [electronCurrent, current],
  [photoelectronPotential, sunlit],
  [shadowCurrents, shadow],
  [shadowPotential, floating],
];
