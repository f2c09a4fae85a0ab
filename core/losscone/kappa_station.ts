/** What a worker that fits kappa distributions does: a fitter for each job, batches through it. */
import type { Answer } from "../station.ts";
import type { Target } from "../target.ts";
import { makeKappaFitter } from "./kappa_fitter.ts";
import type { KappaOptions } from "./kappa_options.ts";
import type { KappaResult } from "./kappa_result.ts";
import { makeSpacecraftPotentialFitter, type SpacecraftPotential } from "./spacecraft_potential.ts";
import type { SweepBatch } from "./sweep.ts";

export interface KappaJob {
  readonly options: KappaOptions;
}

export interface KappaBatch {
  readonly sweeps: SweepBatch;
  /** One per sweep, 1 in sunlight: potentials of the spacecraft are wanted too. Null: they are not. */
  readonly sunlit: Uint8Array | null;
}

export interface KappaAnswer {
  readonly kappa: readonly KappaResult[];
  readonly potential: readonly SpacecraftPotential[] | null;
}

/** Prepares for a job. */
export function openKappa(target: Target, { options }: KappaJob): Answer<KappaBatch, KappaAnswer> {
  const fitter = makeKappaFitter(target, options),
    potentials = makeSpacecraftPotentialFitter(target, options);
  return ({ sweeps, sunlit }) => {
    if (sunlit === null) return { result: { kappa: fitter.fit(sweeps), potential: null }, transfer: [] };
    const potential = potentials.fit(sweeps, sunlit);
    return { result: { kappa: potential.map((one) => one.kappa), potential }, transfer: [] };
  };
}
