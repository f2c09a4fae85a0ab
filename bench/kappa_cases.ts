/** What the kernels of the families kappa and currents are timed on: simulated sweeps and their plasmas. */
import {
  electronCurrent,
  photoelectronPotential,
  shadowCurrents,
  shadowPotential,
} from "../core/kernels/currents.ts";
import { kappaChisq, kappaFit, kappaFlux, kappaPrepare, kappaResponse } from "../core/kernels/kappa.ts";
import type { Dims, Kernel } from "../core/kernels/kernel.ts";
import { countFactors, solidAngles } from "../core/losscone/cells.ts";
import { type SimulatedSweeps, simulateSweeps } from "../core/losscone/simulate.ts";
import type { Target } from "../core/target.ts";
import type { Case } from "./kernel_cases.ts";
import { type Inputs, outputOf } from "./kernel_call.ts";

/** Trial pairs of a chi-square, potentials of a scan. */
const TRIALS = 32;
const POTENTIALS = 8;

/** Inputs that several kernels share, made when first asked for. */
class SweepData {
  #simulated: SimulatedSweeps | null = null;
  constructor(readonly sweeps: number) {}

  get simulated(): SimulatedSweeps {
    return this.#simulated ??= simulateSweeps({ sweeps: this.sweeps, seed: 1 });
  }

  get plasma(): Inputs {
    const of = (name: "density" | "kappa" | "theta") =>
      Float64Array.from(this.simulated.truths, (truth) => truth[name]);
    return { density: of("density"), kappa: of("kappa"), theta: of("theta") };
  }

  get cells(): Record<string, Inputs[string]> {
    const { energy, uSpacecraft: potential, phi, flux, field, polarity, theta } = this.simulated.batch;
    const directions = { theta, solid: solidAngles(theta), factor: countFactors(theta) };
    return { energy, potential, phi, flux, field, polarity, ...directions };
  }

  get dims(): Dims {
    return { B: this.sweeps, R: 15, C: 88 };
  }

  prepared(target: Target, name: string): Inputs[string] {
    return outputOf(target, kappaPrepare, this.dims, this.cells, name);
  }
}

/** A case for every kernel of the two families, with so many sweeps in a batch. */
export function kappaCases(sweeps: number): Case[] {
  const data = new SweepData(sweeps), B = sweeps, R = 15;
  const single = (kernel: Kernel, dims: Dims, inputs: (target: Target) => Inputs): Case => ({
    kernel,
    name: kernel.name,
    rows: sweeps,
    calls: [{ dims, inputs }],
  });
  const energies = () => data.simulated.batch.energy;
  return [
    single(kappaFlux, { B, N: R }, () => ({ energy: energies(), ...data.plasma })),
    single(kappaResponse, { B, R }, () => ({ energy: energies() })),
    single(kappaChisq, { B, P: TRIALS, R }, (target) => ({
      energy: energies(),
      flux: data.prepared(target, "omni"),
      weight: data.prepared(target, "weight"),
      density: data.prepared(target, "density"),
      trial: Float64Array.from(
        { length: 2 * B * TRIALS },
        (_, i) => i % 2 === 0 ? 2.5 + 3.5 * (i % 7) / 7 : 6.2 + 0.8 * (i % 11) / 11,
      ),
    })),
    single(kappaPrepare, data.dims, () => data.cells),
    single(kappaFit, { B, R, RESPONSE: 1 }, (target) => ({
      energy: energies(),
      potential: new Float64Array(B * R),
      incident: data.prepared(target, "incident"),
      exposure: data.prepared(target, "exposure"),
      settings: Float64Array.of(2.5, 6, 6, 8, Math.hypot(0.05, 0.1)),
    })),
    single(electronCurrent, { B, P: 100 }, () => data.plasma),
    single(photoelectronPotential, { B }, () => ({
      current: Float64Array.from({ length: B }, (_, i) => 2e-9 * 400 ** (i / B)),
    })),
    single(shadowCurrents, { B, N: POTENTIALS }, () => ({
      ...data.plasma,
      potential: Float64Array.from({ length: B * POTENTIALS }, (_, i) => -10 * (i % POTENTIALS)),
    })),
    single(shadowPotential, { B }, () => data.plasma),
  ];
}
