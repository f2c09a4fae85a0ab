/** Poisson deviates from counter-based random numbers, exact at small and at large means. */
import { lnGamma } from "./gamma.ts";
import type { RandomStream } from "./random.ts";

/** Below this mean the distribution function is inverted; above, candidates are drawn and rejected. */
const INVERTED = 10;

/** Blocks of two uniforms that one deviate may need: 1 in 10^70 deviates would need more. */
export const POISSON_BLOCKS = 128;

/**
 * A Poisson deviate of one mean, a function of the stream and of `block` alone. Uses blocks block … block +
 * POISSON_BLOCKS − 1 of the stream.
 *
 * Means of 10 and more: transformed rejection with squeeze (Hörmann 1993, "The transformed rejection method for
 * generating Poisson random variables", algorithm PTRS), exact to the rounding of ln Γ.
 *
 * @param mean - 0 ≤ mean < 1e14
 */
export function poisson(stream: RandomStream, block: number, mean: number): number {
  if (!(mean >= 0 && mean < 1e14)) throw new RangeError(`a Poisson mean must be in [0, 1e14), got ${mean}`);
  if (mean < INVERTED) return inverted(stream.pair(block)[0], mean);
  const b = 0.931 + 2.53 * Math.sqrt(mean), a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4), inside = 0.9277 - 3.6224 / (b - 2);
  const lnMean = Math.log(mean);
  for (let attempt = 0; attempt < POISSON_BLOCKS; attempt++) {
    const [u01, v] = stream.pair(block + attempt);
    const u = u01 - 0.5, us = 0.5 - Math.abs(u);
    const k = Math.floor((2 * a / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= inside) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    const bound = Math.log(v * inverseAlpha / (a / (us * us) + b));
    if (bound <= k * lnMean - mean - lnGamma(k + 1)) return k;
  }
  return Math.round(mean);
}

/** Least k with P(≤ k) ≥ u. */
function inverted(u: number, mean: number): number {
  let p = Math.exp(-mean), sum = p, k = 0;
  while (u > sum && p > 0) {
    k++;
    p *= mean / k;
    sum += p;
  }
  return k;
}
