/** Extraction of bundles on a target. */
import { psfSpots } from "../kernels/spots.ts";
import { place, type Target } from "../target.ts";
import {
  type BundleInput,
  type BundleResult,
  type ExtractionBatch,
  type ExtractionJob,
  FLAG,
} from "./job.ts";
import { bySize, type Patch, patchesOf } from "./patches.ts";
import { fibreCoefficients, spotDims, spotSize } from "./psf.ts";
import { type Solved, solvePatches, type Spots } from "./solve_patches.ts";
import { spotBins, wavelengths } from "./tiling.ts";

/**
 * Light on unmasked pixels below which a bin has seen none. What is left of a bin with less is rounding: of bins all of
 * whose pixels are masked, sums of their masked light come to 1 ± 2e-16.
 */
const NO_LIGHT = 1e-9;

export interface Extractor {
  /**
   * Extracts all bundles of a batch together; one result a bundle, in their order.
   *
   * @throws RangeError where the target's memory does not suffice for the batch
   */
  extract(batch: ExtractionBatch): BundleResult[];
}

/** What a worker of the fleet calls for each job. */
export function makeExtractor(target: Target, job: ExtractionJob): Extractor {
  return {
    extract({ bundles }) {
      if (bundles.length === 0) return [];
      const mark = target.mark();
      const first: number[] = [];
      let fibres = 0;
      for (const bundle of bundles) {
        first.push(fibres);
        fibres += bundle.fibres;
      }
      const results = bundles.map((bundle) => emptyResult(job, bundle));
      if (job.wave.length === 0 || fibres === 0) return results;
      const spots = makeSpots(target, job, bundles, fibres);
      for (const patches of bySize(patchesOf(job, bundles, first, spots.corners))) {
        const solved = solvePatches(target, job, bundles, patches, spots);
        patches.forEach((patch, p) => keep(job, patches[0]!, patch, p, solved, results[patch.bundle]!));
      }
      target.release(mark);
      return results;
    },
  };
}

function makeSpots(
  target: Target,
  job: ExtractionJob,
  bundles: readonly BundleInput[],
  fibres: number,
): Spots {
  const { psf } = job;
  const { before, bins } = spotBins(job);
  const dims = spotDims(psf, fibres, bins), size = spotSize(psf);
  const spots = target.allocate("f64", fibres * bins * size.columns * size.rows);
  const xc = target.allocate("i32", fibres * bins), yc = target.allocate("i32", fibres * bins);
  const mark = target.mark();
  const wave = new Float64Array(fibres * bins);
  const grid = wavelengths(job.wave, -before, bins);
  for (let f = 0; f < fibres; f++) wave.set(grid, f * bins);
  const parts = bundles.map((bundle) => fibreCoefficients(psf, bundle.firstFibre, bundle.fibres));
  target.run(psfSpots, dims, {
    wave: place(target, wave),
    domains: place(target, parts[0]!.domains),
    trace: place(target, joined(parts.map((part) => part.trace))),
    shape: place(target, joined(parts.map((part) => part.shape))),
    spots,
    xc,
    yc,
  });
  target.release(mark);
  const corners = {
    xc: target.download(xc) as Int32Array,
    yc: target.download(yc) as Int32Array,
    bins,
    ...size,
  };
  return { spots, xc, yc, corners, fibres };
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function emptyResult({ psf, wave, options }: ExtractionJob, bundle: BundleInput): BundleResult {
  const { firstFibre, fibres, cutout } = bundle;
  const bands = 2 * psf.halfY + 1, n = fibres * wave.length;
  return {
    firstFibre,
    fibres,
    flux: new Float64Array(n),
    ivar: new Float64Array(n),
    bands,
    resolution: new Float64Array(n * bands),
    chi2pix: new Float64Array(n),
    pixmaskFraction: new Float64Array(n),
    flags: new Uint32Array(n),
    ...(options.model ? { model: { cutout, data: new Float64Array(cutout.columns * cutout.rows) } } : {}),
  };
}

/** What is kept of a solved patch, put where it belongs. */
function keep(
  job: ExtractionJob,
  size: Patch,
  patch: Patch,
  p: number,
  solved: Solved,
  to: BundleResult,
): void {
  const { fibres: F, bins: L, keepBins: M } = size;
  const bins = job.wave.length, ndiag = (to.bands - 1) / 2;
  for (let f = 0; f < patch.keepFibres; f++) {
    const row = p * F + patch.keepFibre + f, at = (patch.toFibre + f) * bins + patch.toBin;
    for (let w = 0; w < M; w++) {
      const unknown = (p * L + patch.keepBin + w) * F + patch.keepFibre + f;
      const flux = solved.flux[row * M + w]!, ivar = solved.ivar[row * M + w]!;
      const i = at + w;
      const sound = Number.isFinite(flux) && Number.isFinite(ivar);
      const light = solved.seen[unknown]! > NO_LIGHT;
      to.flux[i] = sound && light ? flux : 0;
      to.ivar[i] = sound && light ? ivar : 0;
      const chi2 = solved.chi2pix[unknown]!;
      to.chi2pix[i] = Number.isFinite(chi2) ? chi2 : 0;
      to.pixmaskFraction[i] = solved.masked[unknown]!;
      to.flags[i] = (light ? 0 : FLAG.NO_LIGHT) | (solved.weak[unknown] ? FLAG.REGULARISED : 0) |
        (sound ? 0 : FLAG.FAILED);
      for (let k = 0; k < to.bands; k++) {
        const value = solved.resolution[(row * to.bands + k) * M + w]!;
        const r = ((patch.toFibre + f) * to.bands + k) * bins + patch.toBin + w;
        to.resolution[r] = sound && Number.isFinite(value) ? value : k === ndiag ? 1 : 0;
      }
    }
  }
  if (solved.model === null || to.model === undefined) return;
  const { cutout, data } = to.model, { box } = patch;
  for (let r = 0; r < box.rows; r++) {
    const from = (p * solved.NY + r) * solved.NX;
    const row = (box.y0 - cutout.y0 + r) * cutout.columns + box.x0 - cutout.x0;
    for (let c = 0; c < box.columns; c++) data[row + c]! += solved.model[from + c]!;
  }
}
