/** Comparing two frames of the same fibres and wavelengths, in units of their errors. */
import { FitsFile } from "../io/fits_read.ts";
import { InputError } from "../io/input_error.ts";
import { toFloat64 } from "../io/number_types.ts";

/** Largest and typical differences of one quantity. */
export interface Spread {
  readonly median: number;
  readonly percentile99: number;
  readonly largest: number;
  /** "fibre 12, bin 240": where the largest is, counted from the frame's first. */
  readonly where: string;
}

export interface FrameComparison {
  readonly fibres: number;
  readonly bins: number;
  /** Bins with ivar > 0 in both, and in one of them only. */
  readonly common: number;
  readonly onlyA: number;
  readonly onlyB: number;
  /** |flux_A − flux_B| · √ivar, the mean of both ivars. */
  readonly pull: Spread;
  /** Share of bins whose pull is below 0.01. */
  readonly close: number;
  /** |ivar_A / ivar_B − 1|. */
  readonly ivar: Spread;
  /** |R_A − R_B|, the largest of each bin's bands; null where one has no resolution. */
  readonly resolution: Spread | null;
  /** |chi2pix_A − chi2pix_B|; null where one has none. */
  readonly chi2pix: Spread | null;
  readonly verdict: "equal" | "agree" | "differ";
}

/** Pulls that frames of one image by different ways of cutting it into patches stay below. */
const AGREE = 0.5;
/** What the cast to float32 alone may cost, σ. */
const EQUAL = 1e-4;

/**
 * Compares two frame files. `equal`: the same to what float32 holds; `agree`: of the bins that both have, pulls are
 * below 0.5 everywhere and below 0.01 in 99 %.
 *
 * @throws InputError where one is no frame or they have other fibres or wavelengths
 */
export function compareFrames(pathA: string, pathB: string): FrameComparison {
  const a = readFrame(pathA), b = readFrame(pathB);
  if (a.fibres !== b.fibres || a.wave.length !== b.wave.length) {
    throw new InputError(
      `${pathB}: has ${b.fibres} fibres × ${b.wave.length} bins, but ${pathA} has ${a.fibres} × ` +
        `${a.wave.length}; compare frames of the same fibres and wavelengths`,
    );
  }
  const far = a.wave.findIndex((lambda, i) => Math.abs(lambda - b.wave[i]!) > 1e-4);
  if (far >= 0) {
    throw new InputError(
      `${pathB}: bin ${far} is at ${b.wave[far]} Å, in ${pathA} at ${
        a.wave[far]
      } Å; compare frames of one grid`,
    );
  }
  const n = a.flux.length, bins = a.wave.length;
  const both: number[] = [];
  let onlyA = 0, onlyB = 0;
  for (let i = 0; i < n; i++) {
    const [inA, inB] = [a.ivar[i]! > 0, b.ivar[i]! > 0];
    if (inA && inB) both.push(i);
    else if (inA) onlyA++;
    else if (inB) onlyB++;
  }
  const place = (i: number) => `fibre ${Math.floor(i / bins)}, bin ${i % bins}`;
  const spread = (value: (i: number) => number): Spread => spreadOf(both.map(value), (k) => place(both[k]!));
  const pulls = both.map((i) =>
    Math.abs(a.flux[i]! - b.flux[i]!) * Math.sqrt(0.5 * (a.ivar[i]! + b.ivar[i]!))
  );
  const pull = spreadOf(pulls, (k) => place(both[k]!));
  const ivar = spread((i) => Math.abs(a.ivar[i]! / b.ivar[i]! - 1));
  const close = both.length === 0 ? 1 : pulls.filter((value) => value < 0.01).length / both.length;
  const [ra, rb] = [a.resolution, b.resolution];
  const bands = ra === null ? 0 : ra.length / n;
  const resolution = ra === null || rb === null || ra.length !== rb.length ? null : spread((i) => {
    const fibre = Math.floor(i / bins), bin = i % bins;
    let most = 0;
    for (let k = 0; k < bands; k++) {
      const at = (fibre * bands + k) * bins + bin;
      most = Math.max(most, Math.abs(ra[at]! - rb[at]!));
    }
    return most;
  });
  const [ca, cb] = [a.chi2pix, b.chi2pix];
  const chi2pix = ca === null || cb === null ? null : spread((i) => Math.abs(ca[i]! - cb[i]!));
  const same = onlyA === 0 && onlyB === 0;
  const verdict = same && pull.largest < EQUAL && ivar.largest < EQUAL
    ? "equal"
    : pull.largest < AGREE && close >= 0.99
    ? "agree"
    : "differ";
  return {
    fibres: a.fibres,
    bins,
    common: both.length,
    onlyA,
    onlyB,
    pull,
    close,
    ivar,
    resolution,
    chi2pix,
    verdict,
  };
}

function spreadOf(values: readonly number[], place: (k: number) => string): Spread {
  if (values.length === 0) return { median: 0, percentile99: 0, largest: 0, where: "" };
  const sorted = Float64Array.from(values).sort();
  let most = 0;
  values.forEach((value, k) => most = !(value <= values[most]!) ? k : most);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return { median: at(0.5), percentile99: at(0.99), largest: values[most]!, where: place(most) };
}

interface Frame {
  readonly fibres: number;
  readonly wave: Float64Array;
  readonly flux: Float64Array;
  readonly ivar: Float64Array;
  readonly resolution: Float64Array | null;
  readonly chi2pix: Float64Array | null;
}

function readFrame(path: string): Frame {
  using file = FitsFile.open(path);
  const fluxHdu = file.find("FLUX");
  if (fluxHdu === null) throw new InputError(`${path}: has no HDU FLUX; expected a frame`);
  const [fibres = 0, bins = 0] = fluxHdu.shape;
  const numbers = (name: string): Float64Array | null =>
    file.find(name) === null ? null : toFloat64(file.image(name).data);
  const wave = numbers("WAVELENGTH"), ivar = numbers("IVAR");
  if (wave === null || ivar === null) {
    throw new InputError(`${path}: has no HDU ${wave === null ? "WAVELENGTH" : "IVAR"}; expected a frame`);
  }
  if (wave.length !== bins || ivar.length !== fibres * bins) {
    throw new InputError(`${path}: the shapes of FLUX, IVAR and WAVELENGTH disagree; expected a frame`);
  }
  return {
    fibres,
    wave,
    flux: toFloat64(file.image(fluxHdu).data),
    ivar,
    resolution: numbers("RESOLUTION"),
    chi2pix: numbers("CHI2PIX"),
  };
}
