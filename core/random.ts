/**
 * Counter-based random numbers: Philox 4x32-10 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as
 * 1, 2, 3"). A deviate is a function of (seed, item, stream, index) alone, so it does not depend on the batch, the order
 * or the target that asks for it. An item is a star or a sweep.
 */

/** Multipliers of the two S-boxes. */
const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
/** Weyl increments of the key: golden ratio and √3 − 1. */
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;
const ROUNDS = 10;

/** High 32 bits of the product of two unsigned 32-bit integers, by halves; no sum of them reaches 2³². */
function high(a: number, b: number): number {
  const a0 = a & 0xffff, a1 = a >>> 16;
  const b0 = b & 0xffff, b1 = b >>> 16;
  const middle = (Math.imul(a1, b0) >>> 0) + (Math.imul(a0, b0) >>> 16);
  const low = (middle & 0xffff) + (Math.imul(a0, b1) >>> 0);
  return (Math.imul(a1, b1) + (middle >>> 16) + (low >>> 16)) >>> 0;
}

/**
 * One block of Philox 4x32-10.
 *
 * @param counter - four unsigned 32-bit integers; overwritten by the four random words
 * @param key0 - low word of the key
 * @param key1 - high word of the key
 */
export function philox(counter: Uint32Array, key0: number, key1: number): void {
  let c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
  let k0 = key0 >>> 0, k1 = key1 >>> 0;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = high(M0, c0), low0 = Math.imul(M0, c0) >>> 0;
    const high1 = high(M1, c2), low1 = Math.imul(M1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  counter[0] = c0;
  counter[1] = c1;
  counter[2] = c2;
  counter[3] = c3;
}

/** 2⁻⁵³. */
const ULP = 1.1102230246251565e-16;

/** The deviates of one item in one stream, addressed by index. */
export class RandomStream {
  readonly #key0: number;
  readonly #key1: number;
  readonly #item: number;
  readonly #stream: number;
  readonly #block = new Uint32Array(4);

  /**
   * @param seed - non-negative integer below 2⁵³
   * @param item - non-negative integer below 2³²
   * @param stream - what the deviates are for, a small non-negative integer
   */
  constructor(seed: number, item: number, stream: number) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RangeError(`seed must be an integer in 0 … 2^53 − 1, got ${seed}`);
    }
    this.#key0 = seed >>> 0;
    this.#key1 = Math.floor(seed / 4294967296) >>> 0;
    this.#item = item;
    this.#stream = stream;
  }

  /** Two uniform deviates in (0, 1), 53 bits each, of block `index`. */
  pair(index: number): [number, number] {
    const block = this.#block;
    block[0] = index;
    block[1] = Math.floor(index / 4294967296);
    block[2] = this.#item;
    block[3] = this.#stream;
    philox(block, this.#key0, this.#key1);
    return [open(block[0], block[1]), open(block[2], block[3])];
  }

  /** Uniform in (0, 1). */
  uniform(index: number): number {
    return this.pair(Math.floor(index / 2))[index % 2];
  }

  /** Standard normal, by the polar-free Box-Muller pair of block ⌊index/2⌋. */
  normal(index: number): number {
    const [u, v] = this.pair(Math.floor(index / 2));
    const radius = Math.sqrt(-2 * Math.log(u)), angle = 2 * Math.PI * v;
    return radius * (index % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
  }

  /** Fills `out` with the standard normals of indices 0 … out.length − 1; the same numbers as `normal`. */
  normals(out: Float64Array): Float64Array {
    for (let i = 0; i < out.length; i += 2) {
      const [u, v] = this.pair(i / 2);
      const radius = Math.sqrt(-2 * Math.log(u)), angle = 2 * Math.PI * v;
      out[i] = radius * Math.cos(angle);
      if (i + 1 < out.length) out[i + 1] = radius * Math.sin(angle);
    }
    return out;
  }

  /** Fills `out` with the uniforms of indices 0 … out.length − 1. */
  uniforms(out: Float64Array): Float64Array {
    for (let i = 0; i < out.length; i += 2) {
      const [u, v] = this.pair(i / 2);
      out[i] = u;
      if (i + 1 < out.length) out[i + 1] = v;
    }
    return out;
  }
}

/** (k + ½)·2⁻⁵³ ∈ (0, 1) of the 53 bits k = ⌊high/2¹¹⌋·… of two words; never 0, never 1. */
function open(high: number, low: number): number {
  return ((high >>> 6) * 134217728 + (low >>> 5)) * ULP + 0.5 * ULP;
}
