/** How the columns of a FITS binary table lie in its rows (TFORM, TDIM, TSCAL, TZERO...), and their decoding. */
import type { ByteSource } from "./byte_source.ts";
import type { Hdu } from "./fits_hdu.ts";
import type { Header } from "./fits_header.ts";
import type { Column, ColumnNotes } from "./fits_table.ts";
import { InputError } from "./input_error.ts";
import {
  allocate,
  bytesOf,
  type NumberArray,
  numbersOver,
  type NumberType,
  swapBigEndian,
} from "./number_types.ts";
import { exactUnsigned, rescaled } from "./fits_scaling.ts";

/** Storage of each TFORM letter: number type and how many of them a value is. */
const LETTERS: Readonly<Record<string, { type: NumberType; each: number }>> = {
  L: { type: "uint8", each: 1 },
  A: { type: "uint8", each: 1 },
  B: { type: "uint8", each: 1 },
  X: { type: "uint8", each: 1 },
  I: { type: "int16", each: 1 },
  J: { type: "int32", each: 1 },
  K: { type: "int64", each: 1 },
  E: { type: "float32", each: 1 },
  D: { type: "float64", each: 1 },
  C: { type: "float32", each: 2 },
  M: { type: "float64", each: 2 },
  P: { type: "int32", each: 2 },
  Q: { type: "int64", each: 2 },
};

/** Place of a column in the bytes of a row. */
export interface ColumnLayout extends Required<ColumnNotes> {
  readonly name: string;
  readonly letter: string;
  /** Letter of the elements in the heap, where the column is of variable length, else "". */
  readonly heapLetter: string;
  /** First byte in the row. */
  readonly offset: number;
  /** Stored numbers in a cell, and their type. */
  readonly count: number;
  readonly type: NumberType;
  readonly scale: number;
  readonly zero: number | bigint;
  readonly missing: number | bigint | null;
}

/** @throws InputError where a TFORM is not understood, or the columns do not fill the row */
export function columnLayouts(hdu: Hdu): ColumnLayout[] {
  const { header } = hdu;
  const layouts: ColumnLayout[] = [];
  let offset = 0;
  for (let i = 1; i <= (header.integer("TFIELDS") ?? 0); i++) {
    const form = header.string(`TFORM${i}`)?.trim() ?? "";
    const [, repeat, letter, rest] = /^(\d*)([LXBIJKAEDCMPQ])(.*)$/.exec(form) ?? [];
    if (letter === undefined) {
      throw new InputError(`${hdu.where}: TFORM${i} is '${form}', expected a FITS format`);
    }
    const values = repeat === "" ? 1 : Number(repeat);
    const stored = letter === "X" ? Math.ceil(values / 8) : values;
    const { type, each } = LETTERS[letter];
    const heapLetter = letter === "P" || letter === "Q" ? rest[0] ?? "" : "";
    if (heapLetter !== "" && LETTERS[heapLetter] === undefined) {
      throw new InputError(`${hdu.where}: TFORM${i} is '${form}', expected a FITS format`);
    }
    const name = header.get(`TTYPE${i}`);
    const zero = header.get(`TZERO${i}`);
    const missing = header.get(`TNULL${i}`);
    layouts.push({
      name: typeof name === "string" && name !== "" ? name : `col${i}`,
      letter,
      heapLetter,
      offset,
      count: stored * each,
      type,
      shape: cellShape(hdu, i, letter, stored, each),
      unit: String(header.get(`TUNIT${i}`) ?? ""),
      comment: String(header.get(`TCOMM${i}`) ?? ""),
      scale: header.number(`TSCAL${i}`) ?? 1,
      zero: typeof zero === "number" || typeof zero === "bigint" ? zero : 0,
      missing: typeof missing === "number" || typeof missing === "bigint" ? missing : null,
    });
    offset += stored * each * bytesOf(type);
  }
  const width = header.integer("NAXIS1") ?? 0;
  if (offset > width) {
    throw new InputError(`${hdu.where}: its columns take ${offset} bytes a row, but NAXIS1 is ${width}`);
  }
  return layouts;
}

/** For strings the fast axis of TDIM is the characters of one string, and is not part of the shape. */
function cellShape(hdu: Hdu, i: number, letter: string, values: number, each: number): number[] {
  const inner = each === 2 && letter !== "P" && letter !== "Q" ? [2] : [];
  const dim = /^\s*\(([\d\s,]+)\)/.exec(String(hdu.header.get(`TDIM${i}`) ?? ""));
  if (dim !== null) {
    const axes = dim[1].split(",").map(Number);
    if (axes.reduce((product, length) => product * length, 1) === values) {
      return (letter === "A" ? axes.slice(1) : axes).toReversed().concat(inner);
    }
  }
  return letter === "A" || values === 1 || letter === "P" || letter === "Q" ? inner : [values, ...inner];
}

/** Whether a table's header names a column (any case). */
export function hasColumn(header: Header, name: string): boolean {
  for (let i = 1; header.has(`TTYPE${i}`); i++) {
    if (String(header.get(`TTYPE${i}`)).toUpperCase() === name) return true;
  }
  return false;
}

/** Decodes one column of rows whose bytes are in hand. */
export function decodeColumn(
  source: ByteSource,
  hdu: Hdu,
  layout: ColumnLayout,
  bytes: Uint8Array,
  rows: number,
): Column {
  const { name, shape, unit, comment, letter } = layout;
  const base = { name, shape, unit, comment };
  const stored = gather(layout, bytes, hdu.header.integer("NAXIS1") ?? 0, rows);
  if (letter === "A" && layout.count === 0) {
    return { ...base, shape: [], kind: "string", data: new Array<string>(rows).fill(""), width: 0 };
  }
  if (letter === "A") return { ...base, kind: "string", ...decodeStrings(stored as Uint8Array, layout) };
  if (letter === "L") {
    return {
      ...base,
      kind: "bool",
      data: (stored as Uint8Array).map((x) => x === 0x54 ? 1 : 0),
    };
  }
  if (letter === "P" || letter === "Q") {
    return { ...base, shape: [], kind: "variable", data: decodeHeap(source, hdu, layout, stored) };
  }
  const scaled = scaleColumn(layout, stored);
  return { ...base, kind: "number", ...scaled };
}

/** Bytes of a column, out of the rows, in the machine's order. */
function gather(layout: ColumnLayout, bytes: Uint8Array, rowSize: number, rows: number): NumberArray {
  const { type, count, offset } = layout;
  const cell = count * bytesOf(type);
  const out = new Uint8Array(rows * cell);
  if (cell <= 16) {
    for (let row = 0, to = 0; row < rows; row++) {
      for (let k = 0, from = row * rowSize + offset; k < cell; k++) out[to++] = bytes[from++];
    }
  } else {
    for (let row = 0; row < rows; row++) {
      const from = row * rowSize + offset;
      out.set(bytes.subarray(from, from + cell), row * cell);
    }
  }
  swapBigEndian(out, bytesOf(type));
  return numbersOver(type, out);
}

function scaleColumn(
  layout: ColumnLayout,
  stored: NumberArray,
): { data: NumberArray; missing: number | bigint | null } {
  const { scale, zero } = layout;
  const integer = !(stored instanceof Float32Array || stored instanceof Float64Array);
  const missing = integer ? layout.missing : null;
  if (layout.letter === "X" || (scale === 1 && zero == 0)) return { data: stored, missing };
  const unsigned = scale === 1 ? exactUnsigned(stored, zero) : null;
  if (unsigned !== null) {
    return { data: unsigned, missing: missing === null ? null : shifted(missing, zero) };
  }
  return { data: rescaled(stored, scale, Number(zero), missing), missing: null };
}

function shifted(missing: number | bigint, zero: number | bigint): number | bigint {
  const sum = BigInt(missing) + BigInt(zero);
  return typeof missing === "bigint" || typeof zero === "bigint" ? sum : Number(sum);
}

/** A string ends at the first NUL or at its last non-blank character. */
function decodeStrings(bytes: Uint8Array, layout: ColumnLayout): { data: string[]; width: number } {
  const values = layout.shape.reduce((product, length) => product * length, 1);
  const width = layout.count / values;
  const decoder = new TextDecoder("latin1");
  const data: string[] = [];
  for (let at = 0; at + width <= bytes.byteLength; at += width) {
    let end = bytes.indexOf(0, at);
    if (end < 0 || end > at + width) end = at + width;
    while (end > at && bytes[end - 1] === 0x20) end--;
    data.push(end === at ? "" : decoder.decode(bytes.subarray(at, end)));
  }
  return { data, width };
}

function decodeHeap(source: ByteSource, hdu: Hdu, layout: ColumnLayout, stored: NumberArray): NumberArray[] {
  const { type, each } = LETTERS[layout.heapLetter] ?? LETTERS.B;
  const out: NumberArray[] = [];
  for (let i = 0; i + 1 < stored.length; i += 2) {
    const values = Number(stored[i]);
    const count = (layout.heapLetter === "X" ? Math.ceil(values / 8) : values) * each;
    if (count === 0) {
      out.push(allocate(type, 0));
      continue;
    }
    const bytes = readHeap(source, hdu, Number(stored[i + 1]), count * bytesOf(type));
    swapBigEndian(bytes, bytesOf(type));
    const numbers = numbersOver(type, bytes);
    out.push(scaleColumn({ ...layout, letter: layout.heapLetter }, numbers).data);
  }
  return out;
}

/** Bytes of the heap of a table. @throws InputError where they are not within the HDU */
export function readHeap(
  source: ByteSource,
  hdu: Hdu,
  offset: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  const tableSize = (hdu.header.integer("NAXIS1") ?? 0) * (hdu.header.integer("NAXIS2") ?? 0);
  const start = (hdu.header.integer("THEAP") ?? tableSize) + offset;
  if (offset < 0 || length < 0 || start + length > hdu.dataSize) {
    throw new InputError(
      `${hdu.where}: a variable-length cell points to bytes ${start} to ${
        start + length
      } of ${hdu.dataSize}; ` +
        `the file is damaged`,
    );
  }
  return source.read(hdu.dataOffset + start, length);
}
