/** Decoding of FITS images: whole rows of the first (slow) axis, any BITPIX, scaled and compressed ones too. */
import type { ByteSource } from "./byte_source.ts";
import type { Hdu } from "./fits_hdu.ts";
import { exactUnsigned, rescaled, unsignedType } from "./fits_scaling.ts";
import { readTiles } from "./fits_tiles.ts";
import { InputError } from "./input_error.ts";
import {
  allocate,
  bytesOf,
  type NumberArray,
  numbersOver,
  type NumberType,
  swapBigEndian,
} from "./number_types.ts";

/** An image in memory, row-major: the last axis is fast. */
export interface Image {
  readonly shape: readonly number[];
  readonly data: NumberArray;
}

const STORED: Readonly<Record<number, NumberType>> = {
  8: "uint8",
  16: "int16",
  32: "int32",
  64: "int64",
  [-32]: "float32",
  [-64]: "float64",
};

interface Scaling {
  readonly stored: NumberType;
  /** Type of the decoded numbers. */
  readonly type: NumberType;
  readonly scale: number;
  readonly zero: number | bigint;
  /** Integer that stands for NaN, or null. */
  readonly blank: number | bigint | null;
}

function scalingOf(hdu: Hdu): Scaling {
  const { header } = hdu;
  const key = hdu.kind === "compressed-image" ? "ZBITPIX" : "BITPIX";
  const stored = STORED[header.integer(key) ?? 0];
  if (stored === undefined) {
    throw new InputError(
      `${hdu.where}: ${key} is ${header.get(key) ?? "missing"}, expected 8, 16, 32, 64, -32 or -64`,
    );
  }
  const real = stored === "float32" || stored === "float64";
  const scale = header.number("BSCALE") ?? 1;
  const bzero = header.get("BZERO");
  const zero = typeof bzero === "number" || typeof bzero === "bigint" ? bzero : 0;
  const blankKey = header.get("BLANK");
  const blank = !real && (typeof blankKey === "number" || typeof blankKey === "bigint") ? blankKey : null;
  const plain = scale === 1 && zero == 0;
  const unsigned = scale === 1 && blank === null ? unsignedType(stored, zero) : null;
  const type = real || (plain && blank === null) ? stored : unsigned ?? "float64";
  return { stored, type, scale, zero, blank };
}

/** Type of the numbers that an image decodes to. Scaled integers, and integers with BLANK, become float64. */
export function imageType(hdu: Hdu): NumberType {
  return scalingOf(hdu).type;
}

/**
 * Decodes rows of the first axis.
 *
 * @param rows - 0-based, any order, duplicates legal; runs of neighbours are read in one go. Absent = all
 * @returns shape (rows, ...hdu.shape.slice(1))
 * @throws InputError where the HDU is no image; RangeError where a row is not in it
 */
export function readImageRows(source: ByteSource, hdu: Hdu, rows?: ArrayLike<number>): Image {
  if (hdu.kind !== "image" && hdu.kind !== "compressed-image") {
    throw new InputError(
      `${hdu.where}: holds ${hdu.kind === "none" ? "no data" : `a ${hdu.kind}`}, expected an image`,
    );
  }
  const scaling = scalingOf(hdu);
  const [length, ...cell] = hdu.shape;
  const rowSize = cell.reduce((product, axis) => product * axis, 1);
  const runs = rows === undefined ? [{ first: 0, count: length }] : runsOf(rows, length, hdu.where);
  if (runs.length === 1) {
    const data = decodeRun(source, hdu, scaling, runs[0].first, runs[0].count, rowSize);
    return { shape: [runs[0].count, ...cell], data };
  }
  const count = runs.reduce((sum, run) => sum + run.count, 0);
  const data = allocate(scaling.type, count * rowSize);
  let at = 0;
  for (const run of runs) {
    data.set(decodeRun(source, hdu, scaling, run.first, run.count, rowSize) as never, at * rowSize);
    at += run.count;
  }
  return { shape: [count, ...cell], data };
}

/** Rows as runs of neighbours. */
export function runsOf(
  rows: ArrayLike<number>,
  length: number,
  where: string,
): { first: number; count: number }[] {
  const runs: { first: number; count: number }[] = [];
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    if (!(row >= 0 && row < length)) throw new RangeError(`${where}: row ${row} is not among its ${length}`);
    const last = runs.at(-1);
    if (last !== undefined && last.first + last.count === row) last.count++;
    else runs.push({ first: row, count: 1 });
  }
  return runs;
}

function decodeRun(
  source: ByteSource,
  hdu: Hdu,
  scaling: Scaling,
  first: number,
  count: number,
  rowSize: number,
): NumberArray {
  const stored = hdu.kind === "compressed-image"
    ? readTiles(source, hdu, first, count)
    : plainRun(source, hdu, scaling.stored, first, count, rowSize);
  if (scaling.type === scaling.stored && scaling.scale === 1 && scaling.zero == 0) return stored;
  const unsigned = scaling.type === "float64" ? null : exactUnsigned(stored, scaling.zero);
  return unsigned ?? rescaled(stored, scaling.scale, Number(scaling.zero), scaling.blank);
}

function plainRun(
  source: ByteSource,
  hdu: Hdu,
  stored: NumberType,
  first: number,
  count: number,
  rowSize: number,
): NumberArray {
  const size = bytesOf(stored);
  const bytes = source.read(hdu.dataOffset + first * rowSize * size, count * rowSize * size);
  swapBigEndian(bytes, size);
  return numbersOver(stored, bytes);
}
