/**
 * Which rows of a 3-D table belong to which sweep: one pass over the text that keeps a place per row, no numbers. Rows
 * are grouped by `spec_no`, never by position, so that a short sweep does not shift those after it.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { InputError } from "../../io/input_error.ts";
import { inputFault } from "../../io/system_fault.ts";
import type { OnNotice } from "./source.ts";
import { columnName, countColumns, headWords, TABLE_COLUMNS, tableNumber } from "./table_row.ts";
import { parseUtc } from "./utc.ts";

/** Bytes read at a time. */
const CHUNK = 1 << 22;
/** A line longer than this is no row of the table. */
const LONGEST = 1 << 16;
/** |B| outside these, nT, is no measurement. */
const FIELD = { least: 1e-9, most: 1000 } as const;
/** Time of a row that was never filled in. */
const NEVER = "1970-01-01T00:00:00";

/** Places of the rows of a file, grouped by sweep. */
export interface TableIndex {
  readonly path: string;
  readonly size: number;
  /** Of each kept sweep, in the order of their first rows. */
  readonly specNo: Float64Array;
  /** Rows of sweep i: places first[i] … first[i + 1]. */
  readonly first: Int32Array;
  /** Byte that a row begins at, its length, and its line from 1. */
  readonly offset: Float64Array;
  readonly length: Int32Array;
  readonly line: Int32Array;
  /** Sweeps dropped as a whole: a row without a magnetic field or time. */
  readonly dropped: number;
}

/** Growing columns of numbers. */
class Rows {
  offset = new Float64Array(1 << 14);
  length = new Int32Array(1 << 14);
  line = new Int32Array(1 << 14);
  sweep = new Int32Array(1 << 14);
  count = 0;

  push(offset: number, length: number, line: number, sweep: number): void {
    const { count } = this;
    if (count === this.offset.length) {
      for (const name of ["offset", "length", "line", "sweep"] as const) {
        const grown = name === "offset" ? new Float64Array(2 * count) : new Int32Array(2 * count);
        grown.set(this[name]);
        this[name] = grown as never;
      }
    }
    this.offset[count] = offset;
    this.length[count] = length;
    this.line[count] = line;
    this.sweep[count] = sweep;
    this.count++;
  }
}

/**
 * Indexes a table.
 *
 * @throws InputError where a line has another number of columns than 183, or its spec_no, energy or field is no number:
 *   the line is named
 */
export function indexTable(path: string, onNotice: OnNotice): TableIndex {
  const rows = new Rows();
  const sweeps = new Map<number, number>();
  const numbers: number[] = [];
  const bad = new Set<number>();
  let latest = -Infinity, back: { line: number; utc: string } | null = null, backs = 0;
  let sweep = -1, specNo = NaN, apart = 0;
  const size = eachLine(path, (bytes, start, end, offset, line) => {
    const columns = countColumns(bytes, start, end);
    if (columns === 0) return;
    if (columns !== TABLE_COLUMNS) {
      throw new InputError(
        `${path}: line ${line} has ${columns} columns, expected ${TABLE_COLUMNS}; copy the file again, or mend the line`,
      );
    }
    const words = headWords(bytes, start, end);
    const number = (column: number): number => {
      const value = tableNumber(words[column]);
      if (value !== undefined) return value;
      throw new InputError(
        `${path}: line ${line}: ${columnName(column)} is "${words[column]}", expected a number`,
      );
    };
    const own = number(3);
    if (!Number.isSafeInteger(own)) {
      throw new InputError(`${path}: line ${line}: spec_no is "${words[3]}", expected an integer`);
    }
    if (own !== specNo) {
      specNo = own;
      const known = sweeps.get(own);
      if (known !== undefined) apart++;
      sweep = known ?? numbers.push(own) - 1;
      sweeps.set(own, sweep);
    }
    number(2);
    const field = Math.hypot(number(4), number(5), number(6));
    if (field <= FIELD.least || field >= FIELD.most || words[1] === NEVER) bad.add(sweep);
    const utc = parseUtc(words[0]), time = Number.isNaN(utc) ? tableNumber(words[1]) ?? NaN : utc;
    if (time < latest) {
      backs++;
      back ??= { line, utc: words[0] };
    } else if (time >= latest) latest = time;
    rows.push(offset, end - start, line, sweep);
  });
  if (backs > 0) {
    const { line, utc } = back!;
    onNotice(
      "warning",
      `${path}: time goes backwards in ${backs} rows, first in line ${line} (${utc}); the order of the file is kept`,
    );
  }
  if (apart > 0) {
    onNotice("warning", `${path}: rows of one spec_no are apart ${apart} times; they are taken together`);
  }
  return grouped(path, size, rows, numbers, bad);
}

/** Puts rows of the same sweep next to each other, sweeps that are dropped left out. */
function grouped(
  path: string,
  size: number,
  rows: Rows,
  numbers: readonly number[],
  bad: ReadonlySet<number>,
): TableIndex {
  const place = new Int32Array(numbers.length).fill(-1);
  let kept = 0;
  for (let i = 0; i < numbers.length; i++) if (!bad.has(i)) place[i] = kept++;
  const first = new Int32Array(kept + 1);
  for (let row = 0; row < rows.count; row++) {
    if (place[rows.sweep[row]] >= 0) first[place[rows.sweep[row]] + 1]++;
  }
  for (let i = 0; i < kept; i++) first[i + 1] += first[i];
  const next = first.slice(), n = first[kept];
  const out = { offset: new Float64Array(n), length: new Int32Array(n), line: new Int32Array(n) };
  for (let row = 0; row < rows.count; row++) {
    const sweep = place[rows.sweep[row]];
    if (sweep < 0) continue;
    const at = next[sweep]++;
    out.offset[at] = rows.offset[row];
    out.length[at] = rows.length[row];
    out.line[at] = rows.line[row];
  }
  const specNo = Float64Array.from(numbers.filter((_, i) => !bad.has(i)));
  return { path, size, specNo, first, ...out, dropped: bad.size };
}

/**
 * Calls back with every line of a file.
 *
 * @param each - bytes, where the line begins and ends in them, its place in the file, its number from 1
 * @returns bytes of the file
 */
function eachLine(
  path: string,
  each: (bytes: Uint8Array, start: number, end: number, offset: number, line: number) => void,
): number {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    throw inputFault(error, path, "cannot be opened");
  }
  try {
    const buffer = new Uint8Array(CHUNK);
    let held = 0, base = 0, line = 0;
    while (true) {
      const got = readSync(fd, buffer, held, buffer.length - held, base + held);
      const end = held + got;
      let start = 0;
      while (true) {
        const stop = buffer.subarray(0, end).indexOf(0x0a, start);
        if (stop < 0) break;
        each(buffer, start, stop, base + start, ++line);
        start = stop + 1;
      }
      if (got === 0) {
        if (start < end) each(buffer, start, end, base + start, ++line);
        return base + end;
      }
      held = end - start;
      if (held > LONGEST) {
        throw new InputError(
          `${path}: line ${
            line + 1
          } is longer than ${LONGEST} bytes: no 3-D table, which has ${TABLE_COLUMNS} columns`,
        );
      }
      buffer.copyWithin(0, start, end);
      base += start;
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw inputFault(error, path, "cannot be read");
  } finally {
    closeSync(fd);
  }
}
