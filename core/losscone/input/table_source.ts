/** Sweeps of PDS 3-D tables. Memory: 16 bytes a row for the places, and the text of the batches under way. */
import { closeSync, openSync, readSync } from "node:fs";
import { InputError } from "../../io/input_error.ts";
import { inputFault } from "../../io/system_fault.ts";
import { solidAngles } from "../cells.ts";
import type { InputOptions, OnNotice, RawSweeps, SweepHead, SweepSource } from "./source.ts";
import { findTables, findTheta } from "./table_files.ts";
import { indexTable, type TableIndex } from "./table_index.ts";
import { readTheta } from "./theta_table.ts";

/** Opens the tables that the inputs name. @throws InputError where one is no such table, or theta.tab is missing */
export function openTables(
  inputs: readonly string[],
  options: InputOptions,
  onNotice: OnNotice,
): SweepSource {
  const paths = findTables(inputs, options);
  const theta = commonTheta(paths, inputs, options.theta);
  const tables = paths.map((path) => indexTable(path, onNotice));
  return new TableSource(tables, theta, onNotice);
}

/** Elevations of all tables. @throws InputError where they differ */
function commonTheta(
  paths: readonly string[],
  inputs: readonly string[],
  named: string | null,
): Float64Array {
  const files = [...new Set(named !== null ? [named] : paths.map((path) => findTheta(path, inputs)))];
  const [first, ...others] = files.map(readTheta);
  const other = others.findIndex((theta) => theta.some((value, i) => value !== first[i]));
  if (other >= 0) {
    throw new InputError(`${files[other + 1]}: differs from ${files[0]}; fit their tables in separate runs`);
  }
  return first;
}

class TableSource implements SweepSource {
  readonly paths: readonly string[];
  readonly sweeps: number;
  readonly solidAngle: Float64Array;
  readonly knows = { polarity: false, potential: false, time: true };
  readonly #tables: readonly TableIndex[];
  /** First sweep of each table, and what is added to its spec_no. */
  readonly #first: number[] = [];
  readonly #shift: number[] = [];
  readonly #open = new Map<number, number>();

  constructor(tables: readonly TableIndex[], readonly theta: Float64Array, onNotice: OnNotice) {
    this.#tables = tables;
    this.paths = tables.map((table) => table.path);
    this.solidAngle = solidAngles(theta);
    let sweeps = 0, next = 0;
    for (const { path, specNo, dropped } of tables) {
      this.#first.push(sweeps);
      sweeps += specNo.length;
      const least = specNo.reduce((a, b) => Math.min(a, b), Infinity);
      // As in the reference: numbers of a file go on after the largest of those before. The first file keeps its own.
      const shift = this.#shift.length === 0 ? 0 : next - Math.min(0, least);
      this.#shift.push(shift);
      next = specNo.reduce((a, b) => Math.max(a, b + shift + 1), next);
      if (dropped > 0) {
        onNotice("info", `${path}: ${dropped} sweeps left out: a row without magnetic field or time`);
      }
      if (specNo.length === 0) onNotice("warning", `${path}: holds no sweep`);
    }
    this.sweeps = sweeps;
  }

  head(sweep: number): SweepHead {
    const { table, local, at } = this.#find(sweep);
    return {
      specNo: table.specNo[local] + this.#shift[at],
      rows: table.first[local + 1] - table.first[local],
      path: table.path,
    };
  }

  load(sweeps: readonly number[]): { batch: RawSweeps; transfer: Transferable[] } {
    const found = sweeps.map((sweep) => this.#find(sweep));
    const runs = found.flatMap(({ table, local, at }) =>
      runsOf(table, table.first[local], table.first[local + 1]).map((run) => ({ ...run, table, at }))
    );
    const rows = runs.reduce((sum, { first, end }) => sum + end - first, 0);
    const bytes = runs.reduce((sum, run) => sum + run.bytes, 0);
    const text = new Uint8Array(bytes), starts = new Int32Array(rows + 1), lines = new Int32Array(rows);
    let row = 0, filled = 0;
    for (const { table, at, first, end, bytes } of runs) {
      readWhole(this.#fd(at), text, filled, bytes, table.offset[first], table.path);
      for (let i = first; i < end; i++, row++) {
        starts[row] = filled + table.offset[i] - table.offset[first];
        lines[row] = table.line[i];
      }
      filled += bytes;
    }
    starts[rows] = filled;
    const heads = sweeps.map((sweep) => this.head(sweep));
    return {
      batch: { heads, content: { kind: "text", text, starts, lines } },
      transfer: [text.buffer, starts.buffer, lines.buffer],
    };
  }

  close(): void {
    for (const fd of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }

  #find(sweep: number): { table: TableIndex; local: number; at: number } {
    let low = 0, high = this.#first.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#first[middle] <= sweep) low = middle;
      else high = middle;
    }
    return { table: this.#tables[low], local: sweep - this.#first[low], at: low };
  }

  /** Few files are open at a time: batches go through them in order. */
  #fd(at: number): number {
    const known = this.#open.get(at);
    if (known !== undefined) return known;
    if (this.#open.size >= 8) {
      const [oldest, fd] = this.#open.entries().next().value!;
      closeSync(fd);
      this.#open.delete(oldest);
    }
    const { path } = this.#tables[at];
    try {
      const fd = openSync(path, "r");
      this.#open.set(at, fd);
      return fd;
    } catch (error) {
      throw inputFault(error, path, "cannot be opened");
    }
  }
}

/** Rows that lie next to each other in the file, to be read at once. */
function runsOf(
  table: TableIndex,
  first: number,
  end: number,
): { first: number; end: number; bytes: number }[] {
  const runs: { first: number; end: number; bytes: number }[] = [];
  for (let i = first; i < end; i++) {
    const run = runs.at(-1), stop = table.offset[i] + table.length[i];
    if (run !== undefined && table.offset[i] === table.offset[i - 1] + table.length[i - 1] + 1) {
      run.end = i + 1;
      run.bytes = stop - table.offset[run.first];
    } else runs.push({ first: i, end: i + 1, bytes: table.length[i] });
  }
  return runs;
}

function readWhole(
  fd: number,
  into: Uint8Array,
  at: number,
  length: number,
  offset: number,
  path: string,
): void {
  let done = 0;
  try {
    while (done < length) {
      const n = readSync(fd, into, at + done, length - done, offset + done);
      if (n === 0) throw new InputError(`${path}: is shorter than it was when the run began`);
      done += n;
    }
  } catch (error) {
    throw error instanceof InputError ? error : inputFault(error, path, "cannot be read");
  }
}
