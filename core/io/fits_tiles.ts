/**
 * Tile-compressed images: FITS standard 4.0, section 10. GZIP_1, GZIP_2, RICE_1 and NOCOMPRESS; integers, and reals
 * stored as they are or quantised.
 */
import { gunzipSync } from "node:zlib";
import type { ByteSource } from "./byte_source.ts";
import { dequantise, type Quantisation } from "./dither.ts";
import { type ColumnLayout, columnLayouts, decodeColumn, readHeap } from "./fits_columns.ts";
import type { Hdu } from "./fits_hdu.ts";
import { InputError } from "./input_error.ts";
import {
  allocate,
  bytesOf,
  type NumberArray,
  numbersOver,
  type NumberType,
  swapBigEndian,
  toFloat64,
  toInt32,
} from "./number_types.ts";
import { unrice } from "./rice.ts";

const STORED: Readonly<Record<number, NumberType>> = {
  8: "uint8",
  16: "int16",
  32: "int32",
  64: "int64",
  [-32]: "float32",
  [-64]: "float64",
};
const METHODS = ["GZIP_1", "GZIP_2", "RICE_1", "RICE_ONE", "NOCOMPRESS"];

/**
 * Decodes rows of the first (slow) axis of a compressed image, before BSCALE and BZERO.
 *
 * @param first - first row
 * @param count - rows
 * @returns the image's stored type, shape (count, ...shape.slice(1))
 * @throws InputError where the method is not known or the data are damaged
 */
export function readTiles(source: ByteSource, hdu: Hdu, first: number, count: number): NumberArray {
  const plan = planTiles(source, hdu);
  const rowSize = plan.shape.slice(1).reduce((product, length) => product * length, 1);
  const out = allocate(plan.type, count * rowSize);
  if (count === 0 || rowSize === 0) return out;
  const last = first + count;
  const perRow = plan.grid.slice(1).reduce((product, length) => product * length, 1);
  for (let slab = Math.floor(first / plan.tile[0]); slab * plan.tile[0] < last; slab++) {
    for (let k = 0; k < perRow; k++) {
      const tile = slab * perRow + k;
      const corner = cornerOf(plan, tile);
      const size = corner.map((from, axis) => Math.min(plan.tile[axis], plan.shape[axis] - from));
      const n = size.reduce((product, length) => product * length, 1);
      place(plan.shape, corner, size, decodeTile(source, hdu, plan, tile, n), out, first, last);
    }
  }
  return out;
}

interface TilePlan {
  readonly method: string;
  readonly type: NumberType;
  readonly shape: readonly number[];
  /** Shape of a tile, and number of tiles along each axis; slow axis first. */
  readonly tile: readonly number[];
  readonly grid: readonly number[];
  readonly blockSize: number;
  readonly bytesPerNumber: number;
  readonly quantisation: Quantisation;
  readonly layouts: ReadonlyMap<string, ColumnLayout>;
  readonly rows: Uint8Array;
  readonly rowSize: number;
}

function planTiles(source: ByteSource, hdu: Hdu): TilePlan {
  const { header, shape } = hdu;
  const method = header.string("ZCMPTYPE") ?? "";
  if (!METHODS.includes(method)) {
    throw new InputError(
      `${hdu.where}: compressed by ${
        method || "an unnamed method"
      }, expected one of GZIP_1, GZIP_2, RICE_1, ` +
        `NOCOMPRESS; uncompress the file first (funpack)`,
    );
  }
  const type = STORED[header.integer("ZBITPIX") ?? 0];
  if (type === undefined) {
    throw new InputError(`${hdu.where}: ZBITPIX is ${header.get("ZBITPIX") ?? "missing"}`);
  }
  const axes = shape.length;
  const tile = shape.map((length, axis) =>
    Math.max(1, header.integer(`ZTILE${axes - axis}`) ?? (axis === axes - 1 ? length : 1))
  );
  const options = new Map<string, number>();
  for (let i = 1; header.has(`ZNAME${i}`); i++) {
    options.set(header.string(`ZNAME${i}`)!, header.number(`ZVAL${i}`) ?? 0);
  }
  const quantised = header.string("ZQUANTIZ") ?? "NO_DITHER";
  const rowSize = header.integer("NAXIS1") ?? 0;
  const rows = header.integer("NAXIS2") ?? 0;
  const grid = shape.map((length, axis) => Math.ceil(length / tile[axis]));
  const needed = grid.reduce((product, length) => product * length, 1);
  if (rows < needed) throw new InputError(`${hdu.where}: has ${rows} compressed tiles, expected ${needed}`);
  return {
    method,
    type,
    shape,
    tile,
    grid,
    blockSize: options.get("BLOCKSIZE") ?? 32,
    bytesPerNumber: options.get("BYTEPIX") ?? 4,
    quantisation: {
      dither: quantised === "SUBTRACTIVE_DITHER_1"
        ? "subtractive-1"
        : quantised === "SUBTRACTIVE_DITHER_2"
        ? "subtractive-2"
        : "none",
      seed: header.integer("ZDITHER0") ?? 1,
      blank: header.number("ZBLANK") ?? null,
    },
    layouts: new Map(columnLayouts(hdu).map((layout) => [layout.name.toUpperCase(), layout])),
    rows: source.read(hdu.dataOffset, rowSize * rows),
    rowSize,
  };
}

function cornerOf(plan: TilePlan, tile: number): number[] {
  const corner = new Array<number>(plan.grid.length);
  let rest = tile;
  for (let axis = plan.grid.length - 1; axis >= 0; axis--) {
    corner[axis] = (rest % plan.grid[axis]) * plan.tile[axis];
    rest = Math.floor(rest / plan.grid[axis]);
  }
  return corner;
}

/** Copies a tile into rows first ≤ row < last of the image. */
function place(
  shape: readonly number[],
  corner: readonly number[],
  size: readonly number[],
  tile: NumberArray,
  out: NumberArray,
  first: number,
  last: number,
): void {
  const axes = shape.length;
  const line = size[axes - 1];
  for (let at = 0; at < tile.length; at += line) {
    let rest = at / line;
    let position = corner[axes - 1];
    let stride = shape[axes - 1];
    let row = axes === 1 ? 0 : -1;
    for (let axis = axes - 2; axis >= 0; axis--) {
      const index = corner[axis] + rest % size[axis];
      rest = Math.floor(rest / size[axis]);
      if (axis === 0) row = index;
      position += (axis === 0 ? index - first : index) * stride;
      stride *= shape[axis];
    }
    if (axes === 1) placeLine(tile, corner[0], out, first, last);
    else if (row >= first && row < last) out.set(tile.subarray(at, at + line) as never, position);
  }
}

function placeLine(tile: NumberArray, corner: number, out: NumberArray, first: number, last: number): void {
  const from = Math.max(first, corner);
  const to = Math.min(last, corner + tile.length);
  if (to > from) out.set(tile.subarray(from - corner, to - corner) as never, from - first);
}

function cell(source: ByteSource, hdu: Hdu, plan: TilePlan, name: string, tile: number): NumberArray | null {
  const layout = plan.layouts.get(name);
  if (layout === undefined) return null;
  const row = plan.rows.subarray(tile * plan.rowSize, (tile + 1) * plan.rowSize);
  const column = decodeColumn(source, hdu, layout, row, 1);
  const data = column.kind === "variable" ? column.data[0] : column.kind === "number" ? column.data : null;
  return data === null || data.length === 0 ? null : data;
}

/** The compressed bytes of a tile, whatever type the column says: the descriptor is read, not the numbers. */
function compressed(
  source: ByteSource,
  hdu: Hdu,
  plan: TilePlan,
  name: string,
  tile: number,
): Uint8Array | null {
  const layout = plan.layouts.get(name);
  if (layout === undefined || layout.heapLetter === "") return null;
  const at = tile * plan.rowSize + layout.offset;
  const view = new DataView(plan.rows.buffer, plan.rows.byteOffset + at);
  const wide = layout.letter === "Q";
  const length = wide ? Number(view.getBigInt64(0)) : view.getInt32(0);
  const offset = wide ? Number(view.getBigInt64(8)) : view.getInt32(4);
  const each = layout.heapLetter === "I" ? 2 : layout.heapLetter === "J" ? 4 : 1;
  return length === 0 ? null : readHeap(source, hdu, offset, length * each);
}

function decodeTile(source: ByteSource, hdu: Hdu, plan: TilePlan, tile: number, n: number): NumberArray {
  const where = `${hdu.where}, tile ${tile}`;
  const real = plan.type === "float32" || plan.type === "float64";
  const packed = compressed(source, hdu, plan, "COMPRESSED_DATA", tile);
  if (packed !== null) {
    const scale = parameter(source, hdu, plan, "ZSCALE", tile);
    const quantised = real && scale !== null;
    const numbers = uncompress(plan, packed, n, real && !quantised, where);
    if (!quantised) return converted(numbers, plan.type);
    const blank = parameter(source, hdu, plan, "ZBLANK", tile) ?? plan.quantisation.blank;
    const out = allocate(plan.type, n) as Float32Array | Float64Array;
    const zero = parameter(source, hdu, plan, "ZZERO", tile) ?? 0;
    dequantise(toInt32(numbers), tile, scale, zero, { ...plan.quantisation, blank }, out);
    return out;
  }
  // A tile that could not be quantised is kept without loss in one of these columns.
  const gzipped = compressed(source, hdu, plan, "GZIP_COMPRESSED_DATA", tile);
  if (gzipped !== null) return converted(gunzipNumbers(gzipped, n, plan.type, false, where), plan.type);
  const plain = cell(source, hdu, plan, "UNCOMPRESSED_DATA", tile);
  if (plain !== null && plain.length === n) return converted(plain, plan.type);
  throw new InputError(`${where}: holds no data; the file is damaged`);
}

/** ZSCALE, ZZERO, ZBLANK: a column, or a keyword for all tiles. */
function parameter(source: ByteSource, hdu: Hdu, plan: TilePlan, name: string, tile: number): number | null {
  const column = cell(source, hdu, plan, name, tile);
  return column !== null ? Number(column[0]) : hdu.header.number(name) ?? null;
}

function uncompress(
  plan: TilePlan,
  packed: Uint8Array,
  n: number,
  real: boolean,
  where: string,
): NumberArray {
  switch (plan.method) {
    case "RICE_1":
    case "RICE_ONE":
      return unrice(packed, n, plan.bytesPerNumber, plan.blockSize, where);
    case "NOCOMPRESS":
      return bigEndianNumbers(packed, n, real, plan.type, where);
    default:
      return gunzipNumbers(packed, n, real ? plan.type : null, plan.method === "GZIP_2", where);
  }
}

/** @param type - of the numbers; null = integers, as wide as the data say */
function gunzipNumbers(
  packed: Uint8Array,
  n: number,
  type: NumberType | null,
  shuffled: boolean,
  where: string,
): NumberArray {
  let bytes: Uint8Array;
  try {
    bytes = gunzipSync(packed);
  } catch (error) {
    throw new InputError(`${where}: its gzip data are damaged (${(error as Error).message})`, {
      cause: error,
    });
  }
  const size = bytes.byteLength / n;
  return bigEndianNumbers(
    shuffled ? unshuffled(bytes, size) : bytes,
    n,
    type !== null,
    type ?? "int32",
    where,
  );
}

/** GZIP_2 stores the highest bytes of all numbers, then the next ones... */
function unshuffled(bytes: Uint8Array, size: number): Uint8Array {
  const n = Math.floor(bytes.byteLength / size);
  const out = new Uint8Array(bytes.byteLength);
  for (let k = 0, from = 0; k < size; k++) {
    for (let i = 0, to = k; i < n; i++, to += size) out[to] = bytes[from++];
  }
  return out;
}

function bigEndianNumbers(
  bytes: Uint8Array,
  n: number,
  real: boolean,
  type: NumberType,
  where: string,
): NumberArray {
  const size = bytes.byteLength / n;
  const found = real ? type : ({ 1: "uint8", 2: "int16", 4: "int32", 8: "int64" } as const)[size];
  if (found === undefined || size !== bytesOf(found)) {
    throw new InputError(`${where}: has ${bytes.byteLength} bytes for ${n} numbers of type ${type}`);
  }
  const own = bytes.slice();
  swapBigEndian(own, size);
  return numbersOver(found, own);
}

function converted(numbers: NumberArray, type: NumberType): NumberArray {
  const out = allocate(type, 0);
  if (numbers.constructor === out.constructor) return numbers;
  if (numbers instanceof BigInt64Array) return converted(toFloat64(numbers), type);
  const target = allocate(type, numbers.length);
  if (target instanceof BigInt64Array) {
    for (let i = 0; i < numbers.length; i++) target[i] = BigInt(numbers[i]);
  } else {
    target.set(numbers as never);
  }
  return target;
}
