/** NumPy's NPY and NPZ files: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
import { writeAtomic } from "./atomic_write.ts";
import { openBytes } from "./byte_source.ts";
import { InputError } from "./input_error.ts";
import {
  allocate,
  bytesView,
  type NumberArray,
  numbersOver,
  type NumberType,
  swapBigEndian,
  swapLittleEndian,
  toFloat64,
  typeOf,
} from "./number_types.ts";
import { listZip, zipBytes } from "./zip.ts";

/** An array of numbers or strings, row-major whatever the file's order was. */
export interface NpyArray {
  readonly shape: readonly number[];
  /** Logical values are uint8, 1 or 0; float16 become float32; complex ones gain a last axis of length 2. */
  readonly data: NumberArray | string[];
  /** The file's dtype, e.g. `<f8`, `|b1`, `<U4`. */
  readonly dtype: string;
}

const NUMBERS: Readonly<Record<string, NumberType>> = {
  b1: "uint8",
  u1: "uint8",
  i1: "int8",
  i2: "int16",
  u2: "uint16",
  i4: "int32",
  u4: "uint32",
  i8: "int64",
  u8: "uint64",
  f4: "float32",
  f8: "float64",
};
const CODES: Readonly<Record<NumberType, string>> = {
  uint8: "|u1",
  int8: "|i1",
  int16: "<i2",
  uint16: "<u2",
  int32: "<i4",
  uint32: "<u4",
  int64: "<i8",
  uint64: "<u8",
  float32: "<f4",
  float64: "<f8",
};

/**
 * Reads an NPY file, gzip-compressed or plain.
 *
 * @throws InputError where it is missing, is no NPY file, is cut off, or holds objects or records
 */
export function readNpy(path: string): NpyArray {
  const source = openBytes(path);
  try {
    return parseNpy(source.read(0, source.size), path);
  } finally {
    source.close();
  }
}

/** Largest NPZ that is read: it is held in memory, and its arrays once more. */
const MOST_BYTES = 2 ** 32;

/**
 * Reads the arrays of an NPZ file; their names are without `.npy`.
 *
 * @param names - absent = all
 * @throws InputError where it is missing, damaged or larger than 4 GiB, or has no such array
 */
export function readNpz(path: string, names?: readonly string[]): Map<string, NpyArray> {
  const source = openBytes(path);
  let bytes: Uint8Array;
  try {
    if (source.size > MOST_BYTES) {
      throw new InputError(
        `${path}: has ${source.size} bytes; an NPZ is held in memory and may have ${MOST_BYTES}: divide it into several files`,
      );
    }
    bytes = source.read(0, source.size);
  } finally {
    source.close();
  }
  const entries = new Map(listZip(bytes, path).map((entry) => [entry.name.replace(/\.npy$/, ""), entry]));
  const wanted = names ?? [...entries.keys()];
  return new Map(wanted.map((name) => {
    const entry = entries.get(name);
    if (entry === undefined) {
      throw new InputError(`${path}: has no array ${name}; it holds ${[...entries.keys()].join(", ")}`);
    }
    return [name, parseNpy(entry.read(), `${path}[${name}]`)];
  }));
}

/** Parses the bytes of an NPY file. @param where - for messages */
export function parseNpy(bytes: Uint8Array, where: string): NpyArray {
  const magic = String.fromCharCode(...bytes.subarray(1, 6));
  if (bytes.byteLength < 12 || bytes[0] !== 0x93 || magic !== "NUMPY") {
    throw new InputError(`${where}: is not an NPY file: it does not begin with \\x93NUMPY`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = bytes[6] >= 2;
  const start = wide ? 12 : 10;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = new TextDecoder().decode(bytes.subarray(start, start + length));
  const dtype = /'descr':\s*'([^']+)'/.exec(header)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const axes = /'shape':\s*\(([\d\s,L]*)\)/.exec(header)?.[1];
  if (dtype === undefined || order === undefined || axes === undefined) {
    throw new InputError(
      `${where}: its NPY header is not that of a simple array: ${header.trim().slice(0, 120)}`,
    );
  }
  const shape = axes.split(",").map((axis) => axis.replace("L", "").trim()).filter((axis) => axis !== "").map(
    Number,
  );
  const [, endian, kind, width] = /^([<>|=]?)([a-zA-Z])(\d+)$/.exec(dtype) ?? [];
  const each = kind === "U" ? 4 * Number(width) : Number(width);
  const n = shape.reduce((product, axis) => product * axis, 1);
  if (kind === undefined || !/^[biufcSaU]$/.test(kind)) {
    throw new InputError(`${where}: holds dtype ${dtype}, expected numbers, logical values or strings`);
  }
  const found = bytes.byteLength - start - length;
  if (found < n * each) {
    throw new InputError(
      `${where}: is cut off: ${n * each} bytes of data expected, ${found} found; copy the file again`,
    );
  }
  const data = bytes.slice(start + length, start + length + n * each);
  const array = decode(data, kind, Number(width), endian === ">", dtype, where);
  return order === "True" ? rowMajor(array, shape, dtype) : withInner(array, shape, n, dtype);
}

function decode(
  data: Uint8Array,
  kind: string,
  width: number,
  big: boolean,
  dtype: string,
  where: string,
): NumberArray | string[] {
  const swap = big ? swapBigEndian : swapLittleEndian;
  if (kind === "S" || kind === "a") return decodeStrings(data, width);
  if (kind === "U") {
    swap(data, 4);
    return decodeStrings(numbersOver("uint32", data) as Uint32Array, width);
  }
  if (kind === "c") {
    swap(data, width / 2);
    return numbersOver(width === 8 ? "float32" : "float64", data);
  }
  if (kind === "f" && width === 2) {
    swap(data, 2);
    return Float32Array.from(numbersOver("uint16", data) as Uint16Array, fromHalf);
  }
  const type = NUMBERS[`${kind}${width}`];
  if (type === undefined) throw new InputError(`${where}: holds dtype ${dtype}, which is not supported`);
  swap(data, width);
  return numbersOver(type, data);
}

function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = bits >> 10 & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Strings of fixed width, one code a character, padded with 0. */
function decodeStrings(codes: Uint8Array | Uint32Array, width: number): string[] {
  const out: string[] = [];
  for (let at = 0; width > 0 && at < codes.length; at += width) {
    let end = at + width;
    while (end > at && codes[end - 1] === 0) end--;
    let text = "";
    for (let k = at; k < end; k++) text += String.fromCodePoint(codes[k]);
    out.push(text);
  }
  return out;
}

function withInner(data: NumberArray | string[], shape: number[], n: number, dtype: string): NpyArray {
  return { shape: n > 0 && data.length === 2 * n ? [...shape, 2] : shape, data, dtype };
}

/** Column-major to row-major. */
function rowMajor(data: NumberArray | string[], shape: number[], dtype: string): NpyArray {
  const n = shape.reduce((product, axis) => product * axis, 1);
  const inner = n > 0 ? data.length / n : 1;
  const out = Array.isArray(data) ? new Array<string>(data.length) : allocate(typeOf(data), data.length);
  const index = new Array<number>(shape.length).fill(0);
  for (let to = 0; to < n; to++) {
    let from = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) from = from * shape[axis] + index[axis];
    for (let k = 0; k < inner; k++) out[to * inner + k] = data[from * inner + k] as never;
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
  return withInner(out, shape, n, dtype);
}

/** An array to write; `bool` writes uint8 as logical values. */
export interface NpyContent {
  readonly shape: readonly number[];
  readonly data: NumberArray | readonly string[];
  readonly bool?: boolean;
}

/**
 * Bytes of an NPY file, little-endian, row-major. Strings are stored as `<U`.
 *
 * @throws RangeError where data and shape disagree
 */
export function npyBytes(content: NpyContent): Uint8Array {
  const { shape, data } = content;
  const n = shape.reduce((product, axis) => product * axis, 1);
  if (data.length !== n) {
    throw new RangeError(`${data.length} values for an array of shape (${shape.join(", ")})`);
  }
  const { dtype, bytes } = isStrings(data) ? encodeStrings(data) : encodeNumbers(data, content.bool === true);
  const head = npyHead(dtype, shape);
  const out = new Uint8Array(head.byteLength + bytes.byteLength);
  out.set(head);
  out.set(bytes, head.byteLength);
  return out;
}

/** The bytes before the data of an NPY file, row-major. */
export function npyHead(dtype: string, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${dtype}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const out = new Uint8Array(10 + length);
  out.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, length & 0xff, length >> 8]);
  new TextEncoder().encodeInto(text.padEnd(length - 1) + "\n", out.subarray(10));
  return out;
}

function isStrings(data: NumberArray | readonly string[]): data is readonly string[] {
  return Array.isArray(data);
}

/** Little-endian bytes of numbers. @param bool - uint8 as logical values */
export function encodeNumbers(data: NumberArray, bool: boolean): { dtype: string; bytes: Uint8Array } {
  if (bool && !(data instanceof Uint8Array)) throw new RangeError("logical values must be uint8");
  const bytes = bytesView(data).slice();
  swapLittleEndian(bytes, data.BYTES_PER_ELEMENT);
  return { dtype: bool ? "|b1" : CODES[typeOf(data)], bytes };
}

/** Bytes of strings as `<U`. @param least - characters of each, at least */
export function encodeStrings(data: readonly string[], least = 1): { dtype: string; bytes: Uint8Array } {
  const points = data.map((text) => Array.from(text, (char) => char.codePointAt(0)!));
  const width = points.reduce((longest, codes) => Math.max(longest, codes.length), least);
  const out = new Uint32Array(data.length * width);
  points.forEach((codes, i) => out.set(codes, i * width));
  const bytes = bytesView(out);
  swapLittleEndian(bytes, 4);
  return { dtype: `<U${width}`, bytes };
}

/** Writes an NPY file whole or not at all. */
export function writeNpy(path: string, content: NpyContent): void {
  writeAtomic(path, npyBytes(content));
}

/** Writes an NPZ file whole or not at all. @param compress - deflate the arrays (default no, as `numpy.savez`) */
export function writeNpz(
  path: string,
  arrays: ReadonlyMap<string, NpyContent>,
  compress: boolean = false,
): void {
  const files = new Map([...arrays].map(([name, content]) => [`${name}.npy`, npyBytes(content)]));
  writeAtomic(path, zipBytes(files, compress));
}

/** The numbers of an array as float64. @throws InputError where it holds strings */
export function npyFloat64(array: NpyArray, where: string): Float64Array {
  if (Array.isArray(array.data)) throw new InputError(`${where}: holds strings, expected numbers`);
  return toFloat64(array.data);
}
