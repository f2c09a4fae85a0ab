/**
 * Real numbers from the quantised integers of a tile-compressed image: FITS standard 4.0, section 10.2 and appendix I.
 *
 * real = (integer − random + 0.5) · scale + zero for SUBTRACTIVE_DITHER_1 and _2, integer · scale + zero without dither.
 */

/** What the integers of a quantised image mean. */
export interface Quantisation {
  readonly dither: "none" | "subtractive-1" | "subtractive-2";
  /** ZDITHER0, 1 to 10000. */
  readonly seed: number;
  /** Integer that stands for NaN, or null. */
  readonly blank: number | null;
}

const COUNT = 10000;
/** The integer that SUBTRACTIVE_DITHER_2 keeps for an exact zero. */
const ZERO_CODE = -2147483646;

let sequence: Float32Array | null = null;

/** The 10000 random numbers that the standard prescribes: Park & Miller's generator from seed 1. */
function randoms(): Float32Array {
  if (sequence !== null) return sequence;
  sequence = new Float32Array(COUNT);
  let seed = 1;
  for (let i = 0; i < COUNT; i++) {
    seed = seed * 16807 % 2147483647;
    sequence[i] = seed / 2147483647;
  }
  return sequence;
}

/**
 * @param integers - shape (n)
 * @param tile - 0-based number of the tile in the image
 * @param out - where the n numbers go
 */
export function dequantise(
  integers: ArrayLike<number>,
  tile: number,
  scale: number,
  zero: number,
  rule: Quantisation,
  out: Float32Array | Float64Array,
): void {
  if (rule.dither === "none") {
    for (let i = 0; i < integers.length; i++) {
      out[i] = integers[i] === rule.blank ? NaN : integers[i] * scale + zero;
    }
    return;
  }
  const random = randoms();
  let first = (tile + rule.seed - 1) % COUNT;
  let next = Math.floor(random[first] * 500);
  for (let i = 0; i < integers.length; i++) {
    const q = integers[i];
    if (q === rule.blank) out[i] = NaN;
    else if (rule.dither === "subtractive-2" && q === ZERO_CODE) out[i] = 0;
    else out[i] = (q - random[next] + 0.5) * scale + zero;
    if (++next < COUNT) continue;
    first = (first + 1) % COUNT;
    next = Math.floor(random[first] * 500);
  }
}
