/** All that a picture of one fitted sweep shows: normalised data, model, χ² over (U, Bs/Bm) with the beam fitted. */
import { lossconeEvaluate } from "../kernels/losscone_search.ts";
import { place, type Target } from "../target.ts";
import type { LossconeOptions } from "./options.ts";
import { type PreparedSweeps, prepareSweeps } from "./prepared.ts";
import { chi2Quantile } from "./quantile.ts";
import type { SweepResult } from "./result.ts";
import type { SweepBatch } from "./sweep.ts";

/** χ² on a grid, least over the beam amplitude. */
export interface Chi2Map {
  /** V, increasing. */
  readonly u: Float64Array;
  /** Bs/Bm, increasing. */
  readonly b: Float64Array;
  /** Shape (b, u). */
  readonly chi2: Float64Array;
  /** χ² of the edge of the confidence set. */
  readonly limit: number;
}

export interface SweepPortrait {
  /** eV, shape (R). */
  readonly energy: Float64Array;
  /** Deg, shape (R, P). */
  readonly pitch: Float64Array;
  /** Flux over the incident, shape (R, P). */
  readonly data: Float64Array;
  /** Whether χ² counts a cell, shape (R, P). */
  readonly mask: Uint8Array;
  /** Spacecraft potential, V, by row. */
  readonly potential: Float64Array;
  readonly map: Chi2Map;
}

/** Amplitudes that the map tries beside the best one. */
const AMPLITUDES = [0, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 1.15, 1.4, 1.7, 2, 2.4, 2.8, 3.3, 3.8, 4.4, 5];
/** Points of the map. */
const U_POINTS = 260;
const B_POINTS = 200;
const COARSE = 80;
/** Half width of the map around the confidence set, V, at least, and of its width. */
const MARGIN = 25;

/**
 * @param batch - of one sweep
 * @param fit - its answer
 */
export function portraitOf(
  target: Target,
  batch: SweepBatch,
  options: LossconeOptions,
  fit: SweepResult,
): SweepPortrait {
  const rise = chi2Quantile(options.confidence);
  const mark = target.mark();
  const prepared = prepareSweeps(target, batch, options, rise);
  const pitch = target.download(prepared.pitch) as Float64Array;
  const data = target.download(prepared.norm) as Float64Array;
  const mask = target.download(prepared.mask) as Uint8Array;
  const amplitudes = [...AMPLITUDES, fit.beamAmp].filter((a) =>
    a >= options.beamAmplitude[0] && a <= options.beamAmplitude[1]
  );
  const grid = (u: Float64Array, b: Float64Array, some: readonly number[]) =>
    chi2On(target, prepared, u, b, some);
  const limit = fit.chi2 * (1 + rise / Math.max(1, fit.validCells - 3));
  const u = axis(around(fit, options.potential), U_POINTS);
  // A coarse map first tells which field ratios matter.
  const all = axis(options.fieldRatio, COARSE);
  const coarse = grid(u.filter((_, i) => i % 4 === 0), all, [0, fit.beamAmp]);
  const b = axis(near(all, coarse, fit, options.fieldRatio), B_POINTS);
  const chi2 = grid(u, b, amplitudes);
  target.release(mark);
  return {
    energy: batch.energy.slice(),
    pitch,
    data,
    mask,
    potential: batch.uSpacecraft.slice(),
    map: { u, b, chi2, limit },
  };
}

/** χ² at all points (b, u), the least of those with the given amplitudes. */
function chi2On(
  target: Target,
  prepared: PreparedSweeps,
  u: Float64Array,
  b: Float64Array,
  amplitudes: readonly number[],
): Float64Array {
  const S = u.length * b.length, points = new Float64Array(3 * S);
  for (let j = 0, at = 0; j < b.length; j++) {
    for (let i = 0; i < u.length; i++, at += 3) [points[at], points[at + 1]] = [u[i], b[j]];
  }
  const chi2 = new Float64Array(S).fill(Infinity);
  for (const amplitude of amplitudes) {
    const mark = target.mark();
    for (let s = 0; s < S; s++) points[3 * s + 2] = amplitude;
    const out = target.allocate("f64", S);
    target.run(lossconeEvaluate, { ...prepared.dims, S }, {
      ...prepared.tables,
      points: place(target, points),
      chi2: out,
    });
    (target.download(out) as Float64Array).forEach((value, s) => chi2[s] = Math.min(chi2[s], value));
    target.release(mark);
  }
  return chi2;
}

/** Field ratios where χ² is below twice its least, and some around. */
function near(
  b: Float64Array,
  chi2: Float64Array,
  fit: SweepResult,
  [low, high]: readonly [number, number],
): [number, number] {
  const across = chi2.length / b.length;
  const good = [...b].filter((_, j) =>
    chi2.subarray(j * across, (j + 1) * across).some((value) => value < 2 * fit.chi2)
  );
  const from = Math.min(...good, fit.bsOverBm), to = Math.max(...good, fit.bsOverBm);
  const margin = 0.06 + 0.3 * (to - from);
  return [Math.max(low, from - margin), Math.min(high, to + margin)];
}

function axis([low, high]: readonly [number, number], n: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => low + (high - low) * i / (n - 1));
}

/** U that the map shows. */
function around({ confidence, u }: SweepResult, [low, high]: readonly [number, number]): [number, number] {
  const from = confidence[0]?.[0] ?? u, to = confidence.at(-1)?.[1] ?? u;
  if (!Number.isFinite(from)) return [low, high];
  const margin = Math.max(MARGIN, 1.2 * (to - from), 0.25 * Math.abs(u));
  return [Math.max(low, from - margin), Math.min(high, to + margin)];
}

/** Flux over the incident that the model has at an energy (eV) and pitch (deg). */
export function modelAt(
  fit: Pick<SweepResult, "u" | "bsOverBm" | "beamAmp">,
  { beamWidth, pitchSigma, background }: LossconeOptions,
  potential: number,
  energy: number,
  pitch: number,
): number {
  const { u, bsOverBm, beamAmp } = fit;
  const step = pitch <= 180 - coneAngle(fit, potential, energy) ? 1 : background, drop = potential - u;
  if (!(drop > 0)) return step;
  const off = (energy - Math.max(drop, beamWidth)) / beamWidth;
  const aside = pitchSigma > 0 ? (pitch - 180) / pitchSigma : 0;
  return Number.isNaN(bsOverBm)
    ? NaN
    : step + beamAmp * Math.exp(-0.5 * off * off) * Math.exp(-0.5 * aside * aside);
}

/** Half angle of the loss cone around 180°, deg. */
export function coneAngle(
  { u, bsOverBm }: Pick<SweepResult, "u" | "bsOverBm">,
  potential: number,
  energy: number,
): number {
  const x = bsOverBm * (1 + u / Math.max(energy - potential, 1e-12));
  return Math.asin(Math.sqrt(Math.max(0, Math.min(1, x)))) * 180 / Math.PI;
}
