/** Tables in memory: named columns of equal length, as a FITS binary table holds them. */
import { Header } from "./fits_header.ts";
import { InputError } from "./input_error.ts";
import { allocate, type NumberArray, toFloat64, typeOf } from "./number_types.ts";

interface ColumnBase {
  readonly name: string;
  /** Shape of one cell, row-major; [] = one value a row. */
  readonly shape: readonly number[];
  /** TUNIT, "" if none. */
  readonly unit: string;
  /** TCOMM, "" if none. */
  readonly comment: string;
}

/** Numbers, shape (rows, ...shape). */
export interface NumberColumn extends ColumnBase {
  readonly kind: "number";
  readonly data: NumberArray;
  /** Integer that stands for a missing value (TNULL), or null. */
  readonly missing: number | bigint | null;
}

/** Logical values, 1 or 0, shape (rows, ...shape). */
export interface BoolColumn extends ColumnBase {
  readonly kind: "bool";
  readonly data: Uint8Array;
}

/** Strings without trailing blanks, shape (rows, ...shape). */
export interface StringColumn extends ColumnBase {
  readonly kind: "string";
  readonly data: readonly string[];
  /** Characters that a cell holds in the file; 0 = as long as the longest string. */
  readonly width: number;
}

/** One array of its own length a row (read only: the writer refuses them). */
export interface VariableColumn extends ColumnBase {
  readonly kind: "variable";
  readonly data: readonly NumberArray[];
}

export type Column = NumberColumn | BoolColumn | StringColumn | VariableColumn;

/** What a new column may say beside its data. */
export interface ColumnNotes {
  readonly unit?: string;
  readonly comment?: string;
  /** Shape of one cell, row-major. */
  readonly shape?: readonly number[];
}

const common = (name: string, notes: ColumnNotes): ColumnBase => ({
  name,
  shape: notes.shape ?? [],
  unit: notes.unit ?? "",
  comment: notes.comment ?? "",
});

/** A column of numbers. */
export function numberColumn(
  name: string,
  data: NumberArray,
  notes: ColumnNotes & { missing?: number | bigint } = {},
): NumberColumn {
  return { ...common(name, notes), kind: "number", data, missing: notes.missing ?? null };
}

/** A column of logical values. */
export function boolColumn(
  name: string,
  data: ArrayLike<boolean | number>,
  notes: ColumnNotes = {},
): BoolColumn {
  return { ...common(name, notes), kind: "bool", data: Uint8Array.from(data, (x) => x ? 1 : 0) };
}

/** A column of strings, in the file at least `width` characters wide. */
export function stringColumn(
  name: string,
  data: readonly string[],
  notes: ColumnNotes & { width?: number } = {},
): StringColumn {
  return { ...common(name, notes), kind: "string", data, width: notes.width ?? 0 };
}

/** Values in one cell. */
export function cellSize(column: Column): number {
  return column.shape.reduce((product, length) => product * length, 1);
}

function rowsOf(column: Column): number {
  if (column.kind === "variable") return column.data.length;
  const size = cellSize(column);
  return size === 0 ? 0 : column.data.length / size;
}

export interface TableNotes {
  /** EXTNAME, "" if none. */
  readonly name?: string;
  readonly header?: Header;
  /** File and HDU, for error messages. */
  readonly where?: string;
  /** Number of rows where it cannot be seen from the columns. */
  readonly rows?: number;
}

export class Table {
  readonly name: string;
  readonly header: Header;
  readonly where: string;
  readonly rows: number;
  readonly columns: readonly Column[];
  readonly #places = new Map<string, number>();

  /** @throws RangeError where the columns differ in length */
  constructor(columns: Iterable<Column>, notes: TableNotes = {}) {
    this.columns = [...columns];
    this.name = notes.name ?? "";
    this.header = notes.header ?? new Header();
    this.where = notes.where ?? (this.name === "" ? "table" : `table ${this.name}`);
    const measured = this.columns.find((column) => column.kind === "variable" || cellSize(column) > 0);
    this.rows = notes.rows ?? (measured === undefined ? 0 : rowsOf(measured));
    this.columns.forEach((column, i) => {
      const key = column.name.toUpperCase();
      if (!this.#places.has(key)) this.#places.set(key, i);
      const expected = column.kind === "variable" ? this.rows : this.rows * cellSize(column);
      if (column.data.length === expected) return;
      throw new RangeError(
        `${this.where}: column ${column.name} has ${column.data.length} values, expected ${expected}`,
      );
    });
  }

  get names(): string[] {
    return this.columns.map((column) => column.name);
  }

  /** Whether there is such a column (any case). */
  has(name: string): boolean {
    return this.#places.has(name.toUpperCase());
  }

  /** A column by name (any case), or null. */
  find(name: string): Column | null {
    const place = this.#places.get(name.toUpperCase());
    return place === undefined ? null : this.columns[place];
  }

  /** A column by name (any case). @throws InputError where there is none */
  column(name: string): Column {
    const column = this.find(name);
    if (column !== null) return column;
    throw new InputError(`${this.where}: has no column ${name}; its columns are ${listed(this.names)}`);
  }

  /** Numbers of a column as they are stored. @throws InputError where absent or not of numbers */
  numbers(name: string): NumberArray {
    const column = this.column(name);
    if (column.kind === "number") return column.data;
    if (column.kind === "bool") return column.data;
    throw this.#wrongKind(column, "numbers");
  }

  /** Numbers of a column as float64, missing integers as NaN. @throws InputError where absent or not of numbers */
  float64(name: string): Float64Array {
    const numbers = this.numbers(name);
    const column = this.column(name);
    const missing = column.kind === "number" ? column.missing : null;
    if (missing === null) return toFloat64(numbers);
    return Float64Array.from(numbers as ArrayLike<number | bigint>, (x) => x == missing ? NaN : Number(x));
  }

  /** Integers of a column as int64. @throws InputError where absent or not of integers */
  int64(name: string): BigInt64Array {
    const numbers = this.numbers(name);
    if (numbers instanceof BigInt64Array) return numbers;
    if (numbers instanceof Float32Array || numbers instanceof Float64Array) {
      throw this.#wrongKind(this.column(name), "integers");
    }
    return BigInt64Array.from(numbers as ArrayLike<number | bigint>, (x) => BigInt(x));
  }

  /** Integers of at most 32 bits of a column. @throws InputError where absent, or a value does not fit */
  int32(name: string): Int32Array {
    const wide = this.int64(name);
    const out = new Int32Array(wide.length);
    wide.forEach((x, i) => {
      out[i] = Number(x);
      if (BigInt(out[i]) !== x) {
        throw new InputError(`${this.where}: column ${name}, row ${i}: ${x} does not fit in 32 bits`);
      }
    });
    return out;
  }

  /** Strings of a column. @throws InputError where absent or not of strings */
  strings(name: string): readonly string[] {
    const column = this.column(name);
    if (column.kind === "string") return column.data;
    throw this.#wrongKind(column, "strings");
  }

  /** A table of the given rows, any order, duplicates legal; header and names are kept. */
  take(rows: ArrayLike<number>): Table {
    const picked = Array.from(rows);
    const bad = picked.find((row) => !(row >= 0 && row < this.rows));
    if (bad !== undefined) throw new RangeError(`${this.where}: row ${bad} is not among its ${this.rows}`);
    return this.#like(this.columns.map((column) => takeColumn(column, picked)), picked.length);
  }

  /** A table of those of the named columns that are there, in the order of the names. */
  select(names: readonly string[]): Table {
    return this.#like(names.flatMap((name) => this.find(name) ?? []), this.rows);
  }

  /** The table with a column added at the end, or put in the place of the one of that name. */
  with(column: Column): Table {
    const columns = [...this.columns];
    const place = this.#places.get(column.name.toUpperCase());
    if (place === undefined) columns.push(column);
    else columns[place] = column;
    return this.#like(columns, this.rows);
  }

  /** The table under another EXTNAME. */
  renamed(name: string): Table {
    return new Table(this.columns, { name, header: this.header, where: this.where, rows: this.rows });
  }

  #like(columns: Iterable<Column>, rows: number): Table {
    return new Table(columns, { name: this.name, header: this.header, where: this.where, rows });
  }

  #wrongKind(column: Column, expected: string): InputError {
    const found = column.kind === "number" ? typeOf(column.data) : column.kind;
    return new InputError(`${this.where}: column ${column.name} holds ${found}, expected ${expected}`);
  }
}

function takeColumn(column: Column, rows: readonly number[]): Column {
  const size = cellSize(column);
  switch (column.kind) {
    case "variable":
      return { ...column, data: rows.map((row) => column.data[row]) };
    case "string":
      return { ...column, data: rows.flatMap((row) => column.data.slice(row * size, (row + 1) * size)) };
    case "bool":
      return { ...column, data: takeNumbers(column.data, rows, size) as Uint8Array };
    case "number":
      return { ...column, data: takeNumbers(column.data, rows, size) };
  }
}

function takeNumbers(data: NumberArray, rows: readonly number[], size: number): NumberArray {
  const out = allocate(typeOf(data), rows.length * size);
  rows.forEach((row, i) => out.set(data.subarray(row * size, (row + 1) * size) as never, i * size));
  return out;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 12).join(", ");
  return names.length > 12 ? `${shown}, … (${names.length} in all)` : shown || "none";
}
