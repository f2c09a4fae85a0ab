/** What is done to a spectrum before it is fitted: bad pixels, errors, S/N floor; the reference's rules (spec §11). */

/** One spectrum ready for the likelihood. Arrays of shape (npix). */
export interface PreparedSpectrum {
  /** flux / σ. */
  readonly y: Float64Array;
  /** 1/σ. */
  readonly s: Float64Array;
  /** 1: unmasked. */
  readonly good: Uint8Array;
  /** 2 Σ ln σ. */
  readonly sumlog: number;
  readonly goodPixels: number;
}

export interface PreparationRules {
  /** Masked always: wavelength ranges, Å (the dichroic of DESI's collimator coating at 4300–4450). */
  readonly excluded: readonly (readonly [number, number])[];
  /** Masked pixels at either end: 5 where a resolution matrix is used. */
  readonly edge: number;
}

/** σ of bad pixels in units of the median flux: they stay in the sums with no weight to speak of. */
const BAD_SIGMA = 1000;
/** Good σ are not allowed below this fraction of their median. */
const SIGMA_FLOOR = 0.3;

/**
 * Prepares one spectrum in float32, as the reference does, then widens to float64.
 *
 * @param lam - wavelengths, Å
 * @returns null where there is nothing to fit: no good pixel, or no flux scale
 */
export function prepareSpectrum(
  lam: Float64Array,
  flux: Float32Array,
  ivar: Float32Array,
  mask: Int32Array,
  rules: PreparationRules,
): PreparedSpectrum | null {
  const n = flux.length;
  const good = new Uint8Array(n);
  const repaired = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    const f = flux[i]!, v = ivar[i]!;
    // an ivar that is not finite says as little as none
    const sound = mask[i] === 0 && v > 0 && v < Infinity && f > -Infinity && f < Infinity;
    repaired[i] = sound ? 0 : 1;
    good[i] = sound && i >= rules.edge && i < n - rules.edge ? 1 : 0;
  }
  for (const [a, b] of rules.excluded) {
    for (let i = 0; i < n; i++) if (lam[i]! > a && lam[i]! < b) good[i] = 0;
  }
  let goodPixels = 0;
  for (let i = 0; i < n; i++) goodPixels += good[i]!;
  if (goodPixels === 0) return null;

  const scale = fluxScale(flux, good);
  if (!(scale !== 0) || !Number.isFinite(scale)) return null;

  const fixed = interpolateOver(flux, repaired);
  const sigma = new Float32Array(n);
  const badSigma = Math.fround(1 / Math.fround(Math.sqrt(Math.fround(1 / (BAD_SIGMA * scale) ** 2))));
  for (let i = 0; i < n; i++) {
    sigma[i] = good[i] ? 1 / Math.fround(Math.sqrt(ivar[i]!)) : badSigma;
  }
  const floor = Math.fround(SIGMA_FLOOR * median(chosen(sigma, good, goodPixels)));
  const y = new Float64Array(n);
  const s = new Float64Array(n);
  let sumlog = 0;
  for (let i = 0; i < n; i++) {
    const value = good[i] && sigma[i]! < floor ? floor : sigma[i]!;
    s[i] = 1 / value;
    y[i] = fixed[i]! / value;
    sumlog += 2 * Math.log(value);
  }
  return { y, s, good, sumlog, goodPixels };
}

/** The values of the flagged pixels, of which there are so many. */
function chosen(values: Float32Array, flagged: Uint8Array, count: number): Float32Array {
  const out = new Float32Array(count);
  let k = 0;
  for (let i = 0; i < values.length; i++) if (flagged[i]) out[k++] = values[i]!;
  return out;
}

/** Median flux; where that is 0 the median of positive good flux, then of |flux|. */
function fluxScale(flux: Float32Array, good: Uint8Array): number {
  const numbers = new Float32Array(flux.length);
  let count = 0;
  for (let i = 0; i < flux.length; i++) if (!Number.isNaN(flux[i])) numbers[count++] = flux[i]!;
  const finite = numbers.subarray(0, count);
  let scale = median(finite);
  if (scale === 0) scale = median(flux.filter((f, i) => good[i] === 1 && f > 0));
  if (!(scale !== 0) || Number.isNaN(scale)) scale = median(finite.map(Math.abs));
  return scale;
}

/** Linear interpolation in pixel index over the flagged pixels from unflagged ones, constant beyond the ends. */
function interpolateOver(flux: Float32Array, flagged: Uint8Array): Float32Array {
  const n = flux.length;
  const out = flux.slice();
  let before = -1;
  for (let i = 0; i <= n; i++) {
    if (i < n && flagged[i]) continue;
    for (let j = before + 1; j < i; j++) {
      if (before < 0) out[j] = i < n ? flux[i]! : 0;
      else if (i >= n) out[j] = flux[before]!;
      else out[j] = flux[before]! + (flux[i]! - flux[before]!) * ((j - before) / (i - before));
    }
    before = i;
  }
  return out;
}

/** Median, the mean of the middle two for an even count, in the precision of the input; NaN for none. */
export function median(values: Float32Array): number {
  const n = values.length;
  if (n === 0) return NaN;
  const some = values.slice();
  const upper = select(some, n >> 1);
  if (n % 2 === 1) return upper;
  let lower = -Infinity;
  for (let i = 0; i < n >> 1; i++) lower = Math.max(lower, some[i]!);
  return Math.fround((lower + upper) / 2);
}

/** The k-th smallest (Hoare's selection); afterwards everything before k is ≤ it. Values must not be NaN. */
function select(values: Float32Array, k: number): number {
  let left = 0, right = values.length - 1;
  while (left < right) {
    const pivot = values[(left + right) >> 1]!;
    let i = left, j = right;
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i <= j) {
        const swap = values[i]!;
        values[i++] = values[j]!;
        values[j--] = swap;
      }
    }
    if (k <= j) right = j;
    else if (k >= i) left = i;
    else break;
  }
  return values[k]!;
}
