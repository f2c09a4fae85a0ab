/** Linear scaling of stored FITS numbers: BSCALE and BZERO of images, TSCAL and TZERO of columns. */
import { allocate, type NumberArray, type NumberType, typeOf } from "./number_types.ts";

const UNSIGNED: Partial<Record<NumberType, { type: NumberType; zero: bigint }>> = {
  uint8: { type: "int8", zero: -128n },
  int16: { type: "uint16", zero: 1n << 15n },
  int32: { type: "uint32", zero: 1n << 31n },
  int64: { type: "uint64", zero: 1n << 63n },
};

/** The zero point by which FITS stores an unsigned type (or int8), and the type it is stored as; null for others. */
export function storedAs(type: NumberType): { stored: NumberType; zero: bigint } | null {
  for (const [stored, rule] of Object.entries(UNSIGNED)) {
    if (rule.type === type) return { stored: stored as NumberType, zero: rule.zero };
  }
  return null;
}

/** Type of numbers stored as `type` with this zero point and scale 1, where that is the FITS way to say unsigned. */
export function unsignedType(type: NumberType, zero: number | bigint): NumberType | null {
  const rule = UNSIGNED[type];
  // A 64-bit zero point that went through a real number is still exact: it is a power of two.
  return rule !== undefined && BigInt(Math.round(Number(zero))) === rule.zero ? rule.type : null;
}

/**
 * Stored integers as the unsigned (or int8) numbers they stand for; null where the zero point says no such thing.
 * Changes `stored`, whose memory the result shares: adding the zero point is flipping the highest bit.
 */
export function exactUnsigned(stored: NumberArray, zero: number | bigint): NumberArray | null {
  const type = unsignedType(typeOf(stored), zero);
  if (type === null) return null;
  flipHighBit(stored);
  const over =
    new (allocate(type, 0).constructor as new (b: ArrayBufferLike, o: number, n: number) => NumberArray)(
      stored.buffer,
      stored.byteOffset,
      stored.length,
    );
  return over;
}

/** Flips the highest bit of every integer in place. */
export function flipHighBit(integers: NumberArray): void {
  if (integers instanceof BigInt64Array || integers instanceof BigUint64Array) {
    const words = new Uint32Array(integers.buffer, integers.byteOffset, integers.length * 2);
    const high = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;
    for (let i = high; i < words.length; i += 2) words[i] ^= 0x80000000;
    return;
  }
  const bit = 1 << (integers.BYTES_PER_ELEMENT * 8 - 1);
  for (let i = 0; i < integers.length; i++) integers[i] ^= bit;
}

/**
 * zero + scale · stored, missing integers as NaN.
 *
 * @returns float32 for stored float32, else float64
 */
export function rescaled(
  stored: NumberArray,
  scale: number,
  zero: number,
  missing: number | bigint | null,
): Float32Array | Float64Array {
  const out = stored instanceof Float32Array
    ? new Float32Array(stored.length)
    : new Float64Array(stored.length);
  for (let i = 0; i < stored.length; i++) {
    const x = stored[i];
    out[i] = missing !== null && x == missing ? NaN : zero + scale * Number(x);
  }
  return out;
}
