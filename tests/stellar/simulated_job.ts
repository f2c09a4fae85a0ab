/** Jobs on the arms of simulated spectra, and spectra without noise as a batch of one. */
import type { FitBatch, FitJob } from "../../core/stellar/batch.ts";
import { DEFAULT_OPTIONS, type FitOptions } from "../../core/stellar/options.ts";
import { SIMULATED_ARMS } from "../../core/stellar/simulate_arms.ts";
import type { Truth } from "../../core/stellar/simulate.ts";
import { makeEvaluate } from "../../core/stellar/simulate_evaluate.ts";
import { builtinLibraryPath } from "../../core/templates/builtin_path.ts";
import { openLibrary } from "../../core/templates/library_file.ts";
import type { LibrarySource } from "../../core/templates/library_source.ts";
import { prepareArm } from "../../core/templates/prepare.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";

/** What a fit of simulated spectra shares; with the built-in library unless another is given. */
export function simulatedJob(
  asked: Partial<FitOptions> = {},
  library: FitJob["library"] & LibrarySource = openLibrary(builtinLibraryPath()),
): FitJob {
  const options = { ...DEFAULT_OPTIONS, ...asked };
  const { resolutionMatrix, bandLimit, maxVel } = options;
  return {
    options,
    library,
    arms: SIMULATED_ARMS.map(({ arm, setup, lam, fwhm, ndiag }) => {
      const grid = { setup, lam, medium: "vacuum" as const, lsf: { kind: "fwhm" as const, angstrom: fwhm } };
      const prepared = prepareArm(library, { ...grid, resolutionMatrix, bandLimit, maxVel });
      return { arm, frame: "barycentric" as const, ndiag, prepared, ...grid };
    }),
  };
}

/** A star at rest on a node of the library. */
export function starAtNode(
  { library: { axes, params } }: FitJob,
  node: number,
  sn: number,
  vsini = 0,
): Truth {
  const at = node * axes.length;
  return {
    star: node,
    targetid: BigInt(node),
    vrad: 0,
    vsini,
    params: Array.from(params.subarray(at, at + axes.length)),
    sn,
  };
}

/** Spectra of the fit's own model, per arm, shape (stars, npix). @param rows - deconvolved matrices per arm, or null */
export function modelSpectra(
  { library, arms, options }: FitJob,
  truths: readonly Truth[],
  rows: readonly Float64Array[] | null,
): readonly Float64Array[] {
  return makeEvaluate(loadWasmTarget(), library, arms, options.maxVsini)(truths, rows);
}

/** Spectra as a batch, of constant S/N and without noise. @param resolution - matrices as stored, per arm */
export function withoutNoise(
  job: FitJob,
  truths: readonly Truth[],
  spectra: readonly Float64Array[],
  resolution: readonly (Float32Array | null)[],
): FitBatch {
  return {
    rows: truths.map((_, k) => [k]),
    sn: truths.map(({ sn }) => job.arms.map(() => sn)),
    pixels: spectra.map((spectrum, a) => {
      const { length } = job.arms[a]!.lam;
      return {
        flux: Float32Array.from(spectrum),
        ivar: Float32Array.from(spectrum, (f, i) => (truths[Math.floor(i / length)]!.sn / f) ** 2),
        mask: new Int32Array(spectrum.length),
        resolution: resolution[a]!,
      };
    }),
  };
}
