/**
 * Rice decompression of integer tiles (RICE_1): FITS standard 4.0, section 10.4.1; White & Becker 1998.
 *
 * The first number stands uncompressed. Then come blocks of differences, mapped to non-negative integers
 * (0, −1, 1, −2... to 0, 1, 2, 3...). A block begins with a code: 0 = all differences zero, the largest = differences
 * uncompressed, else code − 1 low bits of each difference follow its high part, which is that many zeros and a one.
 */
import { InputError } from "./input_error.ts";

/** Per bytes of a number: bits of the block code, and the code − 1 that means "uncompressed". */
const CODES: Readonly<Record<number, { bits: number; raw: number }>> = {
  1: { bits: 3, raw: 6 },
  2: { bits: 4, raw: 14 },
  4: { bits: 5, raw: 25 },
};

/**
 * @param bytes - compressed tile
 * @param n - numbers in the tile
 * @param size - bytes of an uncompressed number: 1 (unsigned), 2 or 4 (signed)
 * @param blockSize - numbers in a block
 * @param where - for messages
 * @returns shape (n)
 * @throws InputError where the tile ends early
 */
export function unrice(
  bytes: Uint8Array,
  n: number,
  size: number,
  blockSize: number,
  where: string,
): Int32Array {
  const code = CODES[size];
  if (code === undefined) throw new InputError(`${where}: RICE_1 with BYTEPIX ${size}, expected 1, 2 or 4`);
  const out = new Int32Array(n);
  const wrap = size === 1
    ? (x: number) => x & 0xff
    : size === 2
    ? (x: number) => x << 16 >> 16
    : (x: number) => x | 0;
  const bits = new BitReader(bytes, where);
  let last = wrap(bits.take(size * 8));
  for (let start = 0; start < n; start += blockSize) {
    const end = Math.min(start + blockSize, n);
    const low = bits.take(code.bits) - 1;
    if (low < 0) {
      out.fill(last, start, end);
      continue;
    }
    for (let i = start; i < end; i++) {
      const mapped = low === code.raw ? bits.take(size * 8) : (bits.zeros() << low | bits.take(low)) >>> 0;
      const difference = mapped & 1 ? ~(mapped >>> 1) : mapped >>> 1;
      last = wrap(last + difference);
      out[i] = last;
    }
  }
  return out;
}

/** Reads bits, highest first. */
class BitReader {
  #at = 0;
  #word = 0;
  /** Valid low bits of #word, 0 to 7 between calls. */
  #left = 0;

  constructor(private readonly bytes: Uint8Array, private readonly where: string) {}

  #byte(): number {
    if (this.#at >= this.bytes.length) {
      throw new InputError(
        `${this.where}: a RICE_1 tile ends early, at byte ${this.#at}; the file is damaged`,
      );
    }
    return this.bytes[this.#at++];
  }

  /** The next n bits, 0 to 32, as an unsigned number. */
  take(n: number): number {
    let value = 0;
    let wanted = n;
    while (wanted > 0) {
      if (this.#left === 0) {
        this.#word = this.#byte();
        this.#left = 8;
      }
      const k = Math.min(wanted, this.#left);
      this.#left -= k;
      value = (value << k | (this.#word >>> this.#left) & ((1 << k) - 1)) >>> 0;
      wanted -= k;
    }
    return value;
  }

  /** Number of zeros before the next one; the one is consumed. */
  zeros(): number {
    let count = 0;
    for (;;) {
      if (this.#left === 0) {
        this.#word = this.#byte();
        this.#left = 8;
      }
      const rest = this.#word & ((1 << this.#left) - 1);
      if (rest !== 0) {
        const ahead = Math.clz32(rest) - (32 - this.#left);
        this.#left -= ahead + 1;
        return count + ahead;
      }
      count += this.#left;
      this.#left = 0;
    }
  }
}
