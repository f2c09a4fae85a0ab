/** The number types of FITS, NPY and tables: their names, typed arrays and byte order on disk. */

/** Name of a number type, as NumPy calls it. */
export type NumberType =
  | "uint8"
  | "int8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "float32"
  | "float64";

/** Any of the typed arrays that hold them. */
export type NumberArray =
  | Uint8Array
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

const CONSTRUCTORS = {
  uint8: Uint8Array,
  int8: Int8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

/** Bytes of one number. */
export function bytesOf(type: NumberType): number {
  return CONSTRUCTORS[type].BYTES_PER_ELEMENT;
}

/** Type of the numbers in an array. */
export function typeOf(array: NumberArray): NumberType {
  for (const type of Object.keys(CONSTRUCTORS) as NumberType[]) {
    if (array instanceof CONSTRUCTORS[type]) return type;
  }
  throw new TypeError("not an array of numbers of a known type");
}

/** New array of n zeros. */
export function allocate(type: NumberType, n: number): NumberArray {
  return new CONSTRUCTORS[type](n);
}

/** The bytes of an array, shared, not copied. */
export function bytesView(array: NumberArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/**
 * Numbers over existing bytes in the machine's order. The bytes are shared where their address allows it, else copied.
 */
export function numbersOver(type: NumberType, bytes: Uint8Array): NumberArray {
  const size = bytesOf(type);
  const n = Math.floor(bytes.byteLength / size);
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new CONSTRUCTORS[type](aligned.buffer as ArrayBuffer, aligned.byteOffset, n);
}

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Reverses the bytes of every element in place. `bytes` must start at a multiple of `size` in its buffer. */
export function reverseBytes(bytes: Uint8Array, size: number): void {
  const { buffer, byteOffset, byteLength } = bytes;
  if (size === 1) return;
  if (byteOffset % Math.min(size, 4) !== 0) throw new RangeError("bytes to reverse are not aligned");
  if (size === 2) {
    const words = new Uint16Array(buffer, byteOffset, byteLength >> 1);
    for (let i = 0; i < words.length; i++) words[i] = (words[i] << 8) | (words[i] >>> 8);
    return;
  }
  const words = new Uint32Array(buffer, byteOffset, Math.floor(byteLength / 4));
  if (size === 4) {
    for (let i = 0; i < words.length; i++) words[i] = reverse32(words[i]);
    return;
  }
  for (let i = 0; i + 1 < words.length; i += 2) {
    const low = words[i];
    words[i] = reverse32(words[i + 1]);
    words[i + 1] = reverse32(low);
  }
}

function reverse32(x: number): number {
  const pairs = ((x & 0x00ff00ff) << 8) | ((x >>> 8) & 0x00ff00ff);
  return (pairs << 16) | (pairs >>> 16);
}

/** Turns bytes of big-endian elements into the machine's order (or back), in place. */
export function swapBigEndian(bytes: Uint8Array, size: number): void {
  if (LITTLE_ENDIAN) reverseBytes(bytes, size);
}

/** Turns bytes of little-endian elements into the machine's order (or back), in place. */
export function swapLittleEndian(bytes: Uint8Array, size: number): void {
  if (!LITTLE_ENDIAN) reverseBytes(bytes, size);
}

/** Big-endian bytes of an array: a copy. */
export function bigEndianBytes(array: NumberArray): Uint8Array {
  const bytes = bytesView(array).slice();
  swapBigEndian(bytes, array.BYTES_PER_ELEMENT);
  return bytes;
}

/** The numbers as float32; the array itself where it already is. 64-bit integers are rounded. */
export function toFloat32(array: NumberArray): Float32Array {
  if (array instanceof Float32Array) return array;
  if (array instanceof BigInt64Array || array instanceof BigUint64Array) {
    return Float32Array.from(array, (x) => Number(x));
  }
  return new Float32Array(array);
}

/** The numbers as float64; the array itself where it already is. 64-bit integers are rounded. */
export function toFloat64(array: NumberArray): Float64Array {
  if (array instanceof Float64Array) return array;
  if (array instanceof BigInt64Array || array instanceof BigUint64Array) {
    return Float64Array.from(array, (x) => Number(x));
  }
  return new Float64Array(array);
}

/** The low 32 bits of integers (a bit mask keeps its pattern, bit 31 makes it negative); floats are truncated. */
export function toInt32(array: NumberArray): Int32Array {
  if (array instanceof Int32Array) return array;
  if (array instanceof BigInt64Array || array instanceof BigUint64Array) {
    return Int32Array.from(array, (x) => Number(BigInt.asIntN(32, x)));
  }
  return new Int32Array(array);
}
