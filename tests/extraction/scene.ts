/** Scenes for tests of the extractor: small invented ones, and the main scene of the development data. */
import type {
  BundleInput,
  BundleResult,
  ExtractionJob,
  ExtractionOptions,
} from "../../core/extraction/job.ts";
import { DEFAULT_EXTRACTION } from "../../core/extraction/job.ts";
import type { Psf } from "../../core/extraction/psf.ts";
import { readPsf } from "../../core/extraction/read_psf.ts";
import { simulateImage } from "../../core/extraction/simulate.ts";
import { BEYOND, simulateScene } from "../../core/extraction/simulate_spectra.ts";
import { bundleCutout } from "../../core/extraction/tiling.ts";
import { FitsFile } from "../../core/io/fits_read.ts";
import { readNpz } from "../../core/io/npy.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { type SmallPsf, smallPsf } from "./psf_fixture.ts";

/** A CCD. */
export interface Ccd {
  readonly columns: number;
  readonly rows: number;
  readonly image: Float64Array;
  readonly ivar: Float64Array;
}

/** What a bundle sees of it. */
export function cutOut(job: ExtractionJob, ccd: Ccd, firstFibre: number, fibres: number): BundleInput {
  const cutout = bundleCutout(job, { firstFibre, fibres });
  const part = (from: Float64Array) => {
    const out = new Float64Array(cutout.columns * cutout.rows);
    for (let r = 0; r < cutout.rows; r++) {
      const at = (cutout.y0 + r) * ccd.columns + cutout.x0;
      out.set(from.subarray(at, at + cutout.columns), r * cutout.columns);
    }
    return out;
  };
  return { firstFibre, fibres, cutout, image: part(ccd.image), ivar: part(ccd.ivar) };
}

export interface SmallScene {
  readonly job: ExtractionJob;
  readonly ccd: Ccd;
  /** Electrons a bin of the job's grid, [fibre][bin]. */
  readonly truth: Float64Array;
}

export interface SmallSceneOptions extends SmallPsf {
  readonly seed?: number;
  readonly noise?: boolean;
  /** First wavelength, Å, and bins. */
  readonly from?: number;
  readonly bins?: number;
  readonly options?: Partial<ExtractionOptions>;
}

/** A simulated CCD of {@link smallPsf}. */
export function smallScene(wanted: SmallSceneOptions = {}): SmallScene {
  const { seed = 1, noise = true, from = 6012, bins = 44, options = {} } = wanted;
  const psf = smallPsf(wanted);
  const wave = Float64Array.from({ length: bins }, (_, i) => from + 0.8 * i);
  const scene = simulateScene({ wave, firstFibre: 0, fibres: psf.fibres, seed, beyond: BEYOND });
  const size = psf.columns * psf.rows;
  const ccd = {
    columns: psf.columns,
    rows: psf.rows,
    image: new Float64Array(size),
    ivar: new Float64Array(size),
  };
  const { photons } = scene;
  const simulated = { psf, firstFibre: 0, fibres: psf.fibres, wave: scene.wave, photons, seed, noise };
  for (const strip of simulateImage(loadWasmTarget(), simulated)) {
    ccd.image.set(strip.image, strip.firstRow * psf.columns);
    ccd.ivar.set(strip.ivar, strip.firstRow * psf.columns);
  }
  const n = scene.wave.length;
  const truth = new Float64Array(psf.fibres * bins);
  for (let f = 0; f < psf.fibres; f++) {
    truth.set(photons.subarray(f * n + scene.before, f * n + scene.before + bins), f * bins);
  }
  return { job: { psf, wave, options: { ...DEFAULT_EXTRACTION, ...options } }, ccd, truth };
}

const MAIN = "extraction/preproc-sim-main.fits.gz";
const PSF = "extraction/psf-r0-00051060.fits";

/** What {@link mainScene} needs, for dataTest: image, PSF, truth, then others. */
export const MAIN_NEEDS = [MAIN, PSF, "extraction/truth-main.fits.gz"];

export interface MainScene {
  readonly psf: Psf;
  readonly ccd: Ccd;
  readonly wave: Float64Array;
  /** Electrons a bin, [50][bins of wave]. */
  readonly truth: Float64Array;
}

/** The main scene: fibres 250 … 299, bundles 10 and 11. */
export function mainScene([image, psfPath, truthPath]: readonly string[]): MainScene {
  const psf = readPsf(psfPath!);
  using file = FitsFile.open(image!);
  const mask = file.image("MASK").data;
  const ivar = Float64Array.from(file.image("IVAR").data as ArrayLike<number>);
  for (let i = 0; i < ivar.length; i++) if (mask[i] !== 0) ivar[i] = 0;
  const pixels = Float64Array.from(file.image("IMAGE").data as ArrayLike<number>);
  using truthFile = FitsFile.open(truthPath!);
  const wave = Float64Array.from({ length: 251 }, (_, i) => 6240 + 0.8 * i);
  const { shape, data } = truthFile.image("PHOTONS");
  const bins = Float64Array.from(truthFile.image("WAVELENGTH").data as ArrayLike<number>);
  const first = bins.findIndex((w) => Math.abs(w - wave[0]!) < 0.01);
  const truth = new Float64Array(50 * wave.length);
  for (let f = 0; f < 50; f++) {
    for (let i = 0; i < wave.length; i++) {
      truth[f * wave.length + i] = Number(data[f * shape[1]! + first + i]);
    }
  }
  return { psf, ccd: { columns: psf.columns, rows: psf.rows, image: pixels, ivar }, wave, truth };
}

/** Members of an oracle file of the frame, as float64. */
export function frameOracle(path: string): (name: string) => Float64Array {
  const members = readNpz(path);
  return (name) => Float64Array.from(members.get(name)!.data as ArrayLike<number>, Number);
}

/** R·truth of a result's fibre and bin, from the diagonals that are stored. */
export function resolved(
  result: BundleResult,
  bins: number,
  truth: Float64Array,
  f: number,
  i: number,
): number {
  const ndiag = (result.bands - 1) / 2;
  let sum = 0;
  for (let k = 0; k < result.bands; k++) {
    const j = i + ndiag - k;
    if (j < 0 || j >= bins) continue;
    sum += result.resolution[(f * result.bands + k) * bins + j]! * truth[f * bins + j]!;
  }
  return sum;
}

/** Mean and standard deviation. */
export function moments(values: readonly number[]): { readonly mean: number; readonly sigma: number } {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  return { mean, sigma: Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length) };
}
