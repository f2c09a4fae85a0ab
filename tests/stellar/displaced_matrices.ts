/** Resolution matrices displaced in wavelength, and spectra at rest that were made with them. */
import { LIGHT } from "../../core/doppler.ts";
import type { FitJob } from "../../core/stellar/batch.ts";
import { type ArmModel, deconvolved, SIMULATED_ARMS } from "../../core/stellar/simulate_arms.ts";
import type { Truth } from "../../core/stellar/simulate.ts";
import { makeEvaluate } from "../../core/stellar/simulate_evaluate.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { modelSpectra } from "./simulated_job.ts";

/** What a pixel at distance x gives to a row, for a line spread of `sigma`; pixels. */
export type Profile = (x: number, sigma: number) => number;
export const gaussian: Profile = (x, sigma) => Math.exp(-0.5 * (x / sigma) ** 2);
/** The same integrated over the pixel, by Simpson's rule in eight steps. */
export const integrated: Profile = (x, sigma) =>
  [1, 4, 2, 4, 2, 4, 2, 4, 1].reduce((sum, w, i) => sum + w * gaussian(x + (i - 4) / 8, sigma), 0) / 24;

function sigmaOf({ fwhm }: ArmModel): number {
  return fwhm / (2 * Math.sqrt(2 * Math.LN2));
}

/** A matrix whose every row is centred `shift` km/s to the red; DESI storage (ndiag, npix). */
function matrixOf(arm: ArmModel, shift: number, profile: Profile): Float32Array {
  const npix = arm.lam.length, w = arm.ndiag >> 1;
  const out = new Float32Array(arm.ndiag * npix);
  const step = arm.lam[1]! - arm.lam[0]!;
  const sigma = sigmaOf(arm) / step;
  for (let i = 0; i < npix; i++) {
    const centre = arm.lam[i]! * shift / LIGHT / step;
    const weights = Array.from({ length: arm.ndiag }, (_, m) => {
      const j = i + m - w;
      return j < 0 || j >= npix ? 0 : profile(m - w - centre, sigma);
    });
    const sum = weights.reduce((a, b) => a + b);
    // row i, column i + m − w lies on stored diagonal k = 2w − m
    weights.forEach((weight, m) => {
      const j = i + m - w;
      if (j >= 0 && j < npix) out[(2 * w - m) * npix + j] = weight / sum;
    });
  }
  return out;
}

/** The same matrix for all of some stars, per arm, shape (stars, ndiag, npix). */
export function matrices(stars: number, shift: number, profile: Profile): Float32Array[] {
  return SIMULATED_ARMS.map((arm) => {
    const one = matrixOf(arm, shift, profile);
    const all = new Float32Array(stars * one.length);
    for (let star = 0; star < stars; star++) all.set(one, star * one.length);
    return all;
  });
}

/** Products of displaced matrices with templates sampled at the pixels, per arm, shape (stars, npix). */
export function throughMatrices(
  job: FitJob,
  truths: readonly Truth[],
  shift: number,
  profile: Profile,
): readonly Float64Array[] {
  const rows = matrices(truths.length, shift, profile).map((stored, a) =>
    deconvolved(stored, truths.length, SIMULATED_ARMS[a]!, job.arms[a]!.prepared.sigma0)
  );
  return modelSpectra(job, truths, rows);
}

/** Samples per pixel of the spectra below. */
const FINE = 8;
/** Reach of a line spread, σ, and what is kept beyond the ends for it, pixels. */
const REACH = 6, MARGIN = 10;

/** Spectra through continuous Gaussian line spreads centred `shift` km/s to the red of the pixels. */
export function throughContinuousSpread(
  job: FitJob,
  truths: readonly Truth[],
  shift: number,
): readonly Float64Array[] {
  const stars = truths.length;
  const arms = SIMULATED_ARMS.map(({ lam }, a) => {
    const step = (lam[1]! - lam[0]!) / FINE;
    const length = (lam.length - 1 + 2 * MARGIN) * FINE + 1;
    return {
      prepared: job.arms[a]!.prepared,
      ndiag: 0,
      step,
      lam: Float64Array.from({ length }, (_, i) => lam[0]! + (i - MARGIN * FINE) * step),
    };
  });
  const fine = makeEvaluate(loadWasmTarget(), job.library, arms, job.options.maxVsini)(truths, null);
  return SIMULATED_ARMS.map((arm, a) => {
    const { lam } = arm, { step, prepared } = arms[a]!;
    const length = arms[a]!.lam.length;
    const sigma = Math.sqrt(sigmaOf(arm) ** 2 - prepared.sigma0 ** 2) / step;
    const out = new Float64Array(stars * lam.length);
    lam.forEach((x, i) => {
      const centre = (MARGIN + i) * FINE + x * shift / LIGHT / step;
      const first = Math.ceil(centre - REACH * sigma), last = Math.floor(centre + REACH * sigma);
      const weights = Float64Array.from(
        { length: last - first + 1 },
        (_, k) => gaussian(first + k - centre, sigma),
      );
      const total = weights.reduce((p, q) => p + q);
      for (let star = 0; star < stars; star++) {
        let sum = 0;
        weights.forEach((weight, k) => sum += weight * fine[a]![star * length + first + k]!);
        out[star * lam.length + i] = sum / total;
      }
    });
    return out;
  });
}
