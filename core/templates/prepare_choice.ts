/** Which spectra of a library serve an arm of the data, and what has to be done to them. */
import { dopplerFactor, dopplerVelocity } from "../doppler.ts";
import { InputError } from "../io/input_error.ts";
import { airToVacuum, vacuumToAir } from "../io/frame_conversion.ts";
import type { Medium } from "../io/spectra.ts";
import { FWHM_PER_SIGMA, type Sigma, type SmoothSpread, smoothSpread } from "./line_spread.ts";
import type { ArmHead, LibrarySource } from "./library_source.ts";
import type { PreparationRequest } from "./prepared.ts";

/** Line spreads that differ by less than this share of σ count as equal. */
const EQUAL = 0.01;
/** With a resolution matrix the library has to be sharper than the data by this factor, or its inverse means nothing. */
const SHARPER = 0.85;
/** Ranges are rounded outwards to this, Å, so that spectra with slightly different ends share a preparation. */
const ROUND_RANGE = 10;

/** What a request comes down to: equal for all spectra that can share a preparation. */
export interface StandardRequest {
  readonly setup: string;
  /** Data range, Å in the data's medium, rounded outwards. */
  readonly from: number;
  readonly to: number;
  readonly medium: Medium;
  readonly spread: SmoothSpread;
  readonly resolutionMatrix: boolean;
  /** Pixel of the data, Å, where the spectra are to lose what it cannot carry; else null. */
  readonly pixel: number | null;
  readonly maxVel: number;
  readonly key: string;
}

/** What a request comes down to: range rounded outwards, line spread as a smooth function. */
export function standardRequest(request: PreparationRequest): StandardRequest {
  const { setup, lam, medium, lsf, resolutionMatrix, bandLimit = false, maxVel } = request;
  const from = Math.floor(lam[0] / ROUND_RANGE) * ROUND_RANGE;
  const to = Math.ceil(lam[lam.length - 1] / ROUND_RANGE) * ROUND_RANGE;
  const spread = smoothSpread(lsf, lam, from, to, setup);
  const pixel = resolutionMatrix && bandLimit ? lam[1] - lam[0] : null;
  const key = JSON.stringify([setup, from, to, medium, spread.key, resolutionMatrix, pixel, maxVel]);
  return { setup, from, to, medium, spread, resolutionMatrix, pixel, maxVel, key };
}

/** An arm of the library in the data's medium. */
export interface Candidate {
  readonly build: string;
  readonly head: ArmHead;
  /** First and last wavelength, Å, in the data's medium. */
  readonly from: number;
  readonly to: number;
  readonly sigma: Sigma;
}

export type Choice = Candidate & {
  /** `as is`: the spectra have the data's line spread; `narrow`: they stay sharper; `convolve`: they are to be smoothed. */
  readonly how: "as is" | "narrow" | "convolve";
};

/** λ from one medium to another. */
export function inMedium(lam: number, from: Medium, to: Medium): number {
  if (from === to) return lam;
  return (to === "air" ? vacuumToAir([lam]) : airToVacuum([lam]))[0];
}

/** Wavelength of the last pixel, Å. */
export function lastWavelength({ lam0, dlnlam, npix }: ArmHead): number {
  return lam0 * Math.exp((npix - 1) * dlnlam);
}

function candidates(library: LibrarySource, medium: Medium): Candidate[] {
  return library.builds.flatMap((build) =>
    build.arms.map((head): Candidate => ({
      build: build.name,
      head,
      from: inMedium(head.lam0, head.medium, medium),
      to: inMedium(lastWavelength(head), head.medium, medium),
      sigma: smoothSpread(head.lsf, new Float64Array(0), 0, 1, head.setup).sigma,
    }))
  );
}

/** Wavelengths at which line spreads are compared. */
function samples({ from, to }: StandardRequest): number[] {
  return Array.from({ length: 33 }, (_, i) => from + (to - from) * i / 32);
}

/**
 * The spectra to use.
 *
 * @param request - gives the exact range to cover
 * @throws InputError where nothing covers the range, or nothing that does is sharp enough
 */
export function choose(library: LibrarySource, request: PreparationRequest): Choice {
  const standard = standardRequest(request);
  const factor = dopplerFactor(request.maxVel);
  const low = request.lam[0] / factor, high = request.lam[request.lam.length - 1] * factor;
  const all = candidates(library, request.medium);
  const serves = (arm: Candidate) => arm.from <= low && arm.to >= high;
  const covering = all.filter(serves);
  if (covering.length === 0) throw tooShort(library, request, all, low, high);
  const at = samples(standard);
  const { sigma } = standard.spread;
  const ratio = (arm: Candidate) => Math.max(...at.map((lam) => arm.sigma(lam) / sigma(lam)));
  const least = (arm: Candidate) => Math.min(...at.map((lam) => arm.sigma(lam) / sigma(lam)));
  // An arm made for the set-up before one that serves any, then the sharpest; the sharpest first for a matrix.
  const ordered = covering.toSorted((a, b) =>
    Number(b.head.setup === request.setup) - Number(a.head.setup === request.setup) || ratio(a) - ratio(b)
  );
  if (request.resolutionMatrix) {
    const [found] = covering.toSorted((a, b) => ratio(a) - ratio(b));
    if (ratio(found) <= SHARPER) return { ...found, how: "narrow" };
    throw tooCoarse(library, request, covering, sigma);
  }
  const same = ordered.find((arm) =>
    arm.head.setup === request.setup && arm.head.medium === request.medium &&
    ratio(arm) <= 1 + EQUAL && least(arm) >= 1 - EQUAL
  );
  if (same !== undefined) return { ...same, how: "as is" };
  const sharper = ordered.find((arm) => ratio(arm) <= 1 + EQUAL);
  if (sharper !== undefined) return { ...sharper, how: "convolve" };
  throw tooCoarse(library, request, covering, sigma);
}

function span(from: number, to: number): string {
  return `${from.toFixed(1)}–${to.toFixed(1)} Å`;
}

function tooShort(
  library: LibrarySource,
  request: PreparationRequest,
  all: readonly Candidate[],
  low: number,
  high: number,
): InputError {
  const { setup, lam, maxVel } = request;
  const first = lam[0], last = lam[lam.length - 1];
  const has = [...new Set(all.map((arm) => `${span(arm.from, arm.to)} (${arm.head.setup})`))].join(", ");
  const largest = Math.max(...all.map((arm) => largestVelocity(arm, first, last)));
  const way = largest >= 1
    ? `lower --max-vel to ${Math.floor(largest)} or less`
    : `leave the arm out with --arms, or name another library with --library`;
  return new InputError(
    `library ${library.name} covers ${has}, but arm ${setup} (${span(first, last)}) needs ${
      span(low, high)
    } at ` +
      `±${maxVel} km/s: ${way}`,
  );
}

/** Largest velocity, km/s, at which an arm of the library covers the data; negative if none. */
function largestVelocity(arm: Candidate, first: number, last: number): number {
  return dopplerVelocity(Math.min(first / arm.from, arm.to / last));
}

function tooCoarse(
  library: LibrarySource,
  request: PreparationRequest,
  covering: readonly Candidate[],
  sigma: Sigma,
): InputError {
  const middle = 0.5 * (request.lam[0] + request.lam[request.lam.length - 1]);
  const fwhm = (s: number) => `${(s * FWHM_PER_SIGMA).toFixed(2)} Å`;
  const has = covering.map((arm) => `${fwhm(arm.sigma(middle))} (${arm.build}/${arm.head.setup})`).join(", ");
  const way = request.resolutionMatrix
    ? `the resolution matrix needs sharper spectra than the data: leave out --resolution-matrix, or name ` +
      `another library with --library`
    : `name a sharper library with --library`;
  return new InputError(
    `library ${library.name} is not sharp enough for arm ${request.setup}: its FWHM at ${
      middle.toFixed(0)
    } Å is ${has}, ` +
      `that of the data ${fwhm(sigma(middle))}; ${way}`,
  );
}
