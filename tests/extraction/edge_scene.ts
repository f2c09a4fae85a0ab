/** Fresh scenes anywhere on a CCD, its edges included: what is extracted of them, against what shone. */
import { makeExtractor } from "../../core/extraction/extractor.ts";
import {
  type BundleResult,
  DEFAULT_EXTRACTION,
  type ExtractionJob,
  FLAG,
  type Tiling,
} from "../../core/extraction/job.ts";
import { type GridRequest, uniformGrid } from "../../core/extraction/grid.ts";
import { centroid, type Psf } from "../../core/extraction/psf.ts";
import { simulateImage } from "../../core/extraction/simulate.ts";
import { simulateScene } from "../../core/extraction/simulate_spectra.ts";
import { bundleCutout } from "../../core/extraction/tiling.ts";
import type { Target } from "../../core/target.ts";
import { resolved } from "./scene.ts";

export interface EdgeScene {
  readonly psf: Psf;
  readonly firstFibre: number;
  readonly fibres: number;
  readonly grid: GridRequest;
  readonly seed: number;
  /** Å of light beyond both ends of the grid; as `extract simulate` where absent. */
  readonly beyond?: number;
  readonly tiling?: Tiling;
  /** False: no noise in the image, so that pulls are what the extraction itself is off by. */
  readonly noise?: boolean;
}

/** The same PSF with all its traces moved, pixels: light leaves a CCD whose edge the real one keeps away from. */
export function moved(psf: Psf, dx: number, dy: number): Psf {
  const trace = psf.trace.slice();
  for (let i = 0; i < psf.fibres; i++) {
    trace[2 * i * psf.traceTerms]! += dx;
    trace[(2 * i + 1) * psf.traceTerms]! += dy;
  }
  return { ...psf, trace };
}

export interface EdgeAnswer {
  readonly result: BundleResult;
  /** (flux − R·truth)·√ivar of bins five off each end of the grid with χ² a pixel < 3 and their centroid on the CCD. */
  readonly pulls: number[];
  /** Bins whose centroid is on the CCD; those of them without an ivar; bins off the CCD. */
  readonly on: number;
  readonly lost: number;
  readonly off: number;
}

/** Simulates one bundle and extracts it. */
export function extractEdge(target: Target, scene: EdgeScene): EdgeAnswer {
  const { psf, firstFibre, fibres, seed, tiling = "bundle", noise = true } = scene;
  const wave = uniformGrid(scene.grid), bins = wave.length;
  const beyond = scene.beyond === undefined ? {} : { beyond: scene.beyond };
  const light = simulateScene({ wave, firstFibre, fibres, seed, ...beyond });
  const job: ExtractionJob = { psf, wave, options: { ...DEFAULT_EXTRACTION, tiling } };
  const cutout = bundleCutout(job, { firstFibre, fibres });
  const image = new Float32Array(cutout.columns * cutout.rows), ivar = new Float32Array(image.length);
  for (
    const strip of simulateImage(target, {
      ...{ psf, firstFibre, fibres, wave: light.wave, photons: light.photons, seed, noise },
    })
  ) {
    for (let r = 0; r < strip.rows; r++) {
      const row = strip.firstRow + r - cutout.y0;
      if (row < 0 || row >= cutout.rows) continue;
      const from = r * psf.columns + cutout.x0;
      image.set(strip.image.subarray(from, from + cutout.columns), row * cutout.columns);
      ivar.set(strip.ivar.subarray(from, from + cutout.columns), row * cutout.columns);
    }
  }
  const [result] = makeExtractor(target, job).extract({
    bundles: [{ firstFibre, fibres, cutout, image, ivar }],
  });
  const truth = new Float64Array(fibres * bins);
  for (let f = 0; f < fibres; f++) {
    const from = f * light.wave.length + light.before;
    truth.set(light.photons.subarray(from, from + bins), f * bins);
  }
  const answer = { pulls: [] as number[], on: 0, lost: 0, off: 0 };
  for (let f = 0; f < fibres; f++) {
    for (let w = 0; w < bins; w++) {
      const i = f * bins + w;
      const { x, y } = centroid(psf, firstFibre + f, wave[w]!);
      if (!(x >= -0.5 && x < psf.columns - 0.5 && y >= -0.5 && y < psf.rows - 0.5)) {
        answer.off++;
        continue;
      }
      answer.on++;
      if (!(result!.ivar[i]! > 0) || (result!.flags[i]! & FLAG.FAILED) !== 0) {
        answer.lost++;
        continue;
      }
      if (w < 5 || w >= bins - 5 || result!.chi2pix[i]! >= 3) continue;
      const pull = (result!.flux[i]! - resolved(result!, bins, truth, f, w)) * Math.sqrt(result!.ivar[i]!);
      answer.pulls.push(pull);
    }
  }
  return { result: result!, ...answer };
}
