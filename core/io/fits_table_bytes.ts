/** Tables as the bytes of a FITS binary table, and the keywords that describe them. */
import type { Header } from "./fits_header.ts";
import { flipHighBit, storedAs } from "./fits_scaling.ts";
import { cellSize, type Column, type StringColumn, type Table } from "./fits_table.ts";
import { bytesOf, bytesView, type NumberType, swapBigEndian, typeOf } from "./number_types.ts";

const LETTER: Partial<Record<NumberType, string>> = {
  uint8: "B",
  int16: "I",
  int32: "J",
  int64: "K",
  float32: "E",
  float64: "D",
};

/** How a column is stored. */
export interface StoredColumn {
  readonly column: Column;
  readonly letter: string;
  /** Number type in the file, and the zero point that makes it unsigned. */
  readonly stored: NumberType;
  readonly zero: bigint;
  /** Values in a cell; characters of one string. */
  readonly values: number;
  readonly width: number;
  /** Bytes of a cell. */
  readonly size: number;
}

/** @throws TypeError for a column of variable length; RangeError where a string is longer than a FITS cell says */
export function storedColumns(table: Table): StoredColumn[] {
  return table.columns.map((column) => {
    const values = cellSize(column);
    switch (column.kind) {
      case "string": {
        const width = stringWidth(column);
        return { column, letter: "A", stored: "uint8", zero: 0n, values, width, size: values * width };
      }
      case "bool":
        return { column, letter: "L", stored: "uint8", zero: 0n, values, width: 1, size: values };
      case "number": {
        const type = typeOf(column.data);
        const { stored, zero } = storedAs(type) ?? { stored: type, zero: 0n };
        return {
          column,
          letter: LETTER[stored]!,
          stored,
          zero,
          values,
          width: bytesOf(stored),
          size: values * bytesOf(stored),
        };
      }
      case "variable":
        throw new TypeError(`column ${column.name}: columns of variable length cannot be written`);
    }
  });
}

/** At least 1: some readers refuse strings of no characters. */
function stringWidth(column: StringColumn): number {
  return column.data.reduce((longest, text) => Math.max(longest, text.length), Math.max(1, column.width));
}

/** Adds TTYPE, TFORM, TUNIT, TDIM, TZERO, TNULL and TCOMM to a header, column by column. */
export function describeColumns(header: Header, columns: readonly StoredColumn[]): void {
  header.set("TFIELDS", columns.length, "number of columns");
  columns.forEach(({ column, letter, values, width, zero }, index) => {
    const i = index + 1;
    const repeat = letter === "A" ? values * width : values;
    header.set(`TTYPE${i}`, column.name);
    header.set(`TFORM${i}`, repeat === 1 ? letter : `${repeat}${letter}`);
    if (column.unit !== "") header.set(`TUNIT${i}`, column.unit);
    if (column.shape.length > 1 || (letter === "A" && column.shape.length > 0)) {
      const axes = column.shape.toReversed();
      header.set(`TDIM${i}`, `(${(letter === "A" ? [width, ...axes] : axes).join(",")})`);
    }
    if (zero !== 0n) {
      header.set(`TSCAL${i}`, 1);
      header.set(`TZERO${i}`, zero);
    }
    if (column.kind === "number" && column.missing !== null) {
      // TNULL is told in stored numbers.
      header.set(`TNULL${i}`, BigInt(column.missing) - zero);
    }
    if (column.comment !== "") header.set(`TCOMM${i}`, column.comment);
  });
}

/**
 * Rows as bytes.
 *
 * @param columns - how the file stores them
 * @param table - has those columns, in that order
 * @throws RangeError where a string is longer than its column, or a column differs from the stored one
 */
export function tableBytes(columns: readonly StoredColumn[], table: Table): Uint8Array<ArrayBuffer> {
  const rowSize = columns.reduce((sum, column) => sum + column.size, 0);
  const out = new Uint8Array(rowSize * table.rows);
  let offset = 0;
  columns.forEach((stored, i) => {
    const column = table.columns[i];
    const plan = stored.column;
    if (column?.kind !== plan.kind || column.name !== plan.name || cellSize(column) !== stored.values) {
      throw new RangeError(`column ${i} of the rows is ${column?.name}, expected ${plan.name} as planned`);
    }
    const cells = column.kind === "string" ? stringBytes(column, stored.width) : numberBytes(column, stored);
    for (let row = 0; row < table.rows; row++) {
      out.set(cells.subarray(row * stored.size, (row + 1) * stored.size), row * rowSize + offset);
    }
    offset += stored.size;
  });
  return out;
}

function numberBytes(column: Column, stored: StoredColumn): Uint8Array {
  if (column.kind === "bool") return column.data.map((x) => x ? 0x54 : 0x46);
  if (column.kind !== "number") throw new TypeError(`column ${column.name} is not of numbers`);
  const type = typeOf(column.data);
  if ((storedAs(type)?.stored ?? type) !== stored.stored || (storedAs(type)?.zero ?? 0n) !== stored.zero) {
    throw new RangeError(`column ${column.name} holds ${type}, not the type that was planned`);
  }
  const copy = column.data.slice();
  if (stored.zero !== 0n) flipHighBit(copy);
  const bytes = bytesView(copy);
  swapBigEndian(bytes, bytesOf(stored.stored));
  return bytes;
}

/** ASCII, padded with NUL; other characters become `?`. */
function stringBytes(column: StringColumn, width: number): Uint8Array {
  const bytes = new Uint8Array(column.data.length * width);
  column.data.forEach((text, i) => {
    if (text.length > width) {
      throw new RangeError(`column ${column.name}: '${text}' is longer than the ${width} characters planned`);
    }
    for (let k = 0; k < text.length; k++) {
      const code = text.charCodeAt(k);
      bytes[i * width + k] = code < 0x20 || code > 0x7e ? 0x3f : code;
    }
  });
  return bytes;
}
