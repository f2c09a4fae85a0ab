/**
 * Preparing a library for one arm of the data: the spectra at the data's line spread, on a grid that covers the data
 * shifted by the largest velocity, in the data's medium.
 *
 * Spectra made for the very set-up are taken as they are. Others are convolved with what their line spread lacks,
 * σ² = σ_data² − σ_library², and averaged over pixels of a quarter of the FWHM, as the reference's products are. With a
 * resolution matrix they stay sharp: the matrix of the data is deconvolved by what they have. Spectra that are not taken
 * as they are get levelled (level.ts). Where that is asked for, sharp ones lose what the data's pixels cannot carry
 * (band_limit.ts).
 */
import { dopplerFactor } from "../doppler.ts";
import type { Target } from "../target.ts";
import { loadWasmTarget } from "../wasm/load.ts";
import { bandLimit } from "./band_limit.ts";
import { level } from "./level.ts";
import type { TemplateArm } from "./library.ts";
import { armOf, type LibrarySource } from "./library_source.ts";
import { FWHM_PER_SIGMA } from "./line_spread.ts";
import { type Choice, choose, inMedium, type StandardRequest, standardRequest } from "./prepare_choice.ts";
import { rebinned } from "./prepare_rebin.ts";
import type { PreparationRequest, PreparedArm } from "./prepared.ts";
import { gridWavelengths, type LnGrid } from "./resample.ts";

/** Room beyond the largest velocity for rotation, km/s, and for the warm-up of splines and edges of profiles, pixels. */
const ROTATION = 500, WARM_UP = 30;
/** Pixels per FWHM. */
const SAMPLING = 4;

/**
 * @param library - in memory or an open file
 * @param target - computes the convolution; default: the WASM target
 * @throws InputError where the library does not cover the data or is not sharp enough
 */
export function prepareArm(
  library: LibrarySource,
  request: PreparationRequest,
  target?: Target,
): PreparedArm {
  const choice = choose(library, request);
  const standard = standardRequest(request);
  const arm = armOf(library, choice.build, choice.head.setup);
  if (choice.how === "as is") return whole(arm, request, NaN);
  const prepared = narrowOrConvolved(arm, choice, standard, request, target);
  if (standard.pixel === null) return prepared;
  const lnflux = sharedFloats(prepared.lnflux.length);
  bandLimit(target ?? loadWasmTarget(), prepared, standard.pixel, lnflux);
  return { ...prepared, lnflux };
}

function narrowOrConvolved(
  arm: TemplateArm,
  choice: Choice,
  standard: StandardRequest,
  request: PreparationRequest,
  target: Target | undefined,
): PreparedArm {
  const sameGrid = choice.how === "narrow" && arm.medium === request.medium;
  if (sameGrid && arm.setup === request.setup) return whole(arm, request, sigmaAt(choice, request));
  const [low, high] = wantedRange(standard);
  if (sameGrid) return cut(arm, low, high, request, sigmaAt(choice, request));
  return convolved(arm, choice, standard, request, low, high, target ?? loadWasmTarget());
}

/**
 * Equal for requests of one library that `prepareArm` answers alike. The answer to one of them covers the others where
 * the library does: see {@link coversRequest}.
 */
export function preparationKey(library: LibrarySource, request: PreparationRequest): string {
  return `${library.name} ${library.checksum ?? ""} ${standardRequest(request).key}`;
}

/** Whether prepared spectra cover the data at every velocity up to the largest. */
export function coversRequest(prepared: PreparedArm, request: PreparationRequest): boolean {
  const factor = dopplerFactor(request.maxVel), { lam } = request;
  const last = prepared.lam0 * Math.exp((prepared.npix - 1) * prepared.dlnlam);
  return prepared.lam0 * factor <= lam[0] && last >= lam[lam.length - 1] * factor;
}

/** Standard deviation, Å, of the library in the middle of the data. */
function sigmaAt(choice: Choice, { lam }: PreparationRequest): number {
  return choice.sigma(0.5 * (lam[0] + lam[lam.length - 1]));
}

/** Range to keep, in the data's medium. */
function wantedRange({ from, to, maxVel }: StandardRequest): [number, number] {
  const factor = dopplerFactor(maxVel) * dopplerFactor(ROTATION);
  return [from / factor, to * factor];
}

function whole(arm: TemplateArm, request: PreparationRequest, sigma0: number): PreparedArm {
  const { lam0, dlnlam, npix, medium, lnflux } = arm;
  return { setup: request.setup, lam0, dlnlam, npix, medium, sigma0, lnflux };
}

/** Part of an arm, on its own grid. */
function cut(
  arm: TemplateArm,
  low: number,
  high: number,
  request: PreparationRequest,
  sigma0: number,
): PreparedArm {
  const { lam0, dlnlam, npix, medium } = arm;
  const first = Math.max(0, Math.floor(Math.log(low / lam0) / dlnlam) - WARM_UP);
  const end = Math.min(npix, Math.ceil(Math.log(high / lam0) / dlnlam) + WARM_UP + 1);
  const n = end - first, templates = arm.lnflux.length / npix;
  const lnflux = sharedFloats(templates * n);
  for (let t = 0; t < templates; t++) {
    lnflux.set(arm.lnflux.subarray(t * npix + first, t * npix + end), t * n);
  }
  const start = lam0 * Math.exp(first * dlnlam);
  level(lnflux, gridWavelengths({ lam0: start, dlnlam, npix: n }));
  return { setup: request.setup, lam0: start, dlnlam, npix: n, medium, sigma0, lnflux };
}

function convolved(
  arm: TemplateArm,
  choice: Choice,
  standard: StandardRequest,
  request: PreparationRequest,
  low: number,
  high: number,
  target: Target,
): PreparedArm {
  const sigma0 = choice.how === "narrow" ? sigmaAt(choice, request) : NaN;
  const extra = (lam: number): number => {
    if (choice.how === "narrow") return 0;
    const square = standard.spread.sigma(lam) ** 2 - choice.sigma(lam) ** 2;
    return square > 0 ? Math.sqrt(square) : 0;
  };
  const middle = 0.5 * (standard.from + standard.to);
  const dlnlam = choice.how === "narrow"
    ? arm.dlnlam
    : standard.spread.sigma(middle) * FWHM_PER_SIGMA / SAMPLING / middle;
  const grid = gridBetween(choice, low, high, dlnlam);
  const lam = Float64Array.from(
    gridWavelengths({ lam0: arm.lam0, dlnlam: arm.dlnlam, npix: arm.npix }),
    (x) => inMedium(x, arm.medium, request.medium),
  );
  const lnflux = sharedFloats(arm.lnflux.length / arm.npix * grid.npix);
  rebinned(target, { lam, lnflux: arm.lnflux }, gridWavelengths(grid), extra, lnflux);
  level(lnflux, gridWavelengths(grid));
  return { setup: request.setup, ...grid, medium: request.medium, sigma0, lnflux };
}

/** Grid over the wanted range with its warm-up, as far as the library goes. */
function gridBetween(choice: Choice, low: number, high: number, dlnlam: number): LnGrid {
  const margin = Math.exp(WARM_UP * dlnlam);
  const from = Math.max(choice.from, low / margin), to = Math.min(choice.to, high * margin);
  return { lam0: from, dlnlam, npix: Math.floor(Math.log(to / from) / dlnlam + 1e-9) + 1 };
}

/** float32 in memory that workers can share. */
function sharedFloats(n: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(4 * n));
}
