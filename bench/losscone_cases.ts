/** What the kernels of the loss-cone fit are timed on: simulated sweeps. */
import type { Dims, Kernel } from "../core/kernels/kernel.ts";
import { lossconeChisq, lossconeModel } from "../core/kernels/losscone.ts";
import { lossconeNormalise, lossconePitch, lossconeTables } from "../core/kernels/losscone_prepare.ts";
import { lossconeEvaluate, lossconeSearch } from "../core/kernels/losscone_search.ts";
import { evolutionStart, evolutionStep } from "../core/kernels/evolution.ts";
import { philoxWords } from "../core/kernels/philox.ts";
import { hypercube, seedBounds } from "../core/losscone/hypercube.ts";
import { DEFAULT_LOSSCONE_OPTIONS } from "../core/losscone/options.ts";
import { lossconeConstants } from "../core/losscone/prepared.ts";
import { type SimulatedSweeps, simulateSweeps } from "../core/losscone/simulate.ts";
import type { Target } from "../core/target.ts";
import type { Case } from "./kernel_cases.ts";
import { type Inputs, outputOf } from "./kernel_call.ts";

const OPTIONS = DEFAULT_LOSSCONE_OPTIONS;
const MODES = { METHOD: 0, RATIO2: 0, HIGHEST: 0, FILL: 0 };

/** Inputs that several kernels share, made when first asked for. */
class SweepInputs {
  #simulated: SimulatedSweeps | null = null;
  readonly dims: Dims;

  constructor(readonly sweeps: number) {
    this.dims = { B: sweeps, R: 15, P: 88 };
  }

  get #batch() {
    return (this.#simulated ??= simulateSweeps({ sweeps: this.sweeps, seed: 1 })).batch;
  }

  get sky(): Inputs {
    const { theta, phi, field, polarity } = this.#batch;
    return { theta, phi, field, polarity };
  }

  get rows(): Inputs {
    return { energy: this.#batch.energy, potential: this.#batch.uSpacecraft };
  }

  get constants(): Inputs {
    return { constants: lossconeConstants(OPTIONS, 1) };
  }

  pitch(target: Target): Inputs {
    return { pitch: outputOf(target, lossconePitch, { ...this.dims, FILL: 0 }, this.sky, "pitch") };
  }

  flux(target: Target): Inputs {
    return { ...this.rows, flux: this.#batch.flux, ...this.pitch(target) };
  }

  normalised(target: Target): Inputs {
    const inputs = this.flux(target), dims = { ...this.dims, ...MODES };
    const of = (name: string) => outputOf(target, lossconeNormalise, dims, inputs, name);
    return { pitch: inputs.pitch!, norm: of("norm"), mask: of("mask"), ...this.constants };
  }

  tables(target: Target): Inputs {
    const inputs = this.normalised(target), dims = { ...this.dims, METHOD: 0 };
    const of = (name: string) => [name, outputOf(target, lossconeTables, dims, inputs, name)] as const;
    const names = ["sine", "beam", "y", "prefix", "cells"];
    return { ...this.rows, ...this.constants, ...Object.fromEntries(names.map(of)) };
  }

  start(target: Target): Inputs {
    const { evolution: { seeds, population }, potential, fieldRatio, beamAmplitude } = OPTIONS;
    return {
      ...this.tables(target),
      seeds: hypercube(seeds, seedBounds(OPTIONS), 1, "seeds"),
      members: hypercube(population, [potential, fieldRatio, beamAmplitude], 1, "members"),
    };
  }

  evolving(target: Target): Inputs {
    const { seeds: S, population: M } = OPTIONS.evolution, inputs = this.start(target);
    const of = (name: string) =>
      outputOf(target, evolutionStart, { ...this.dims, METHOD: 0, S, M }, inputs, name);
    return { ...inputs, population: of("population"), values: of("values"), state: of("state") };
  }

  /** Parameters of a model for every sweep. */
  get parameters(): Float64Array {
    return hypercube(this.sweeps, seedBounds(OPTIONS), 1, "seeds");
  }

  model(target: Target): Inputs {
    return {
      ...this.rows,
      ...this.pitch(target),
      ...this.constants,
      parameters: this.parameters,
    };
  }

  chisq(target: Target): Inputs {
    const { norm, mask } = this.normalised(target);
    return {
      norm: norm!,
      mask: mask!,
      model: outputOf(target, lossconeModel, this.dims, this.model(target), "model"),
    };
  }
}

/** A case for every kernel of the families losscone, with so many sweeps in a batch. */
export function lossconeCases(sweeps: number): Case[] {
  const data = new SweepInputs(sweeps), S = OPTIONS.evolution.seeds, M = OPTIONS.evolution.population;
  const single = (kernel: Kernel, more: Dims, inputs: (target: Target) => Inputs): Case => ({
    kernel,
    name: kernel.name,
    rows: sweeps,
    calls: [{ dims: { ...data.dims, ...more }, inputs }],
  });
  return [
    single(lossconeModel, {}, (target) => data.model(target)),
    single(lossconeChisq, { METHOD: 0 }, (target) => data.chisq(target)),
    single(lossconePitch, { FILL: 0 }, () => data.sky),
    single(lossconeNormalise, MODES, (target) => data.flux(target)),
    single(lossconeTables, { METHOD: 0 }, (target) => data.normalised(target)),
    single(lossconeEvaluate, { METHOD: 0, S }, (target) => ({
      ...data.tables(target),
      points: hypercube(S, seedBounds(OPTIONS), 1, "seeds"),
    })),
    {
      kernel: philoxWords,
      name: philoxWords.name,
      rows: sweeps,
      calls: [{
        dims: { B: sweeps },
        inputs: () => ({
          counter: Int32Array.from({ length: 4 * sweeps }, (_, i) => i),
          key: Int32Array.of(42, 0),
        }),
      }],
    },
    single(evolutionStart, { METHOD: 0, S, M }, (target) => data.start(target)),
    single(evolutionStep, { METHOD: 0, M, G: 8, MOST: 500 }, (target) => ({
      ...data.evolving(target),
      settings: Float64Array.of(0.5, 0.9, 0, 0),
      key: Int32Array.of(42, 0),
    })),
    single(lossconeSearch, { METHOD: 0, I: 8, MOST: 1 << 20 }, (target) => data.tables(target)),
  ];
}
