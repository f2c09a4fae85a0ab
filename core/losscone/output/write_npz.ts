/**
 * The NPZ of a run. Memory: columns are gathered in passes over the records, each at most {@link PASS} bytes; the strings
 * per row, 256 bytes each as the reference stores them, go straight to the file.
 */
import { encodeStrings, type NpyContent } from "../../io/npy.ts";
import { NpzWriter } from "../../io/npz_writer.ts";
import type { Interval } from "../result.ts";
import type { SweepRecord } from "../record.ts";
import { type ColumnType, type RowColumn, STRING_WIDTH, type SweepColumn, U_WIDTH } from "./columns.ts";
import { eachRecord, type Provenance, type Records } from "./records.ts";

/** Bytes of columns that are gathered at a time. */
const PASS = 256 * 2 ** 20;
/** Rows whose strings are encoded at a time. */
const PIECE = 1 << 14;
const BYTES: Readonly<Record<ColumnType, number>> = { float64: 8, int64: 8, int8: 1, bool: 1, string: 64 };

export interface NpzPlan {
  readonly path: string;
  readonly rowColumns: readonly RowColumn[];
  readonly sweepColumns: readonly SweepColumn[];
  /** Plateau and confidence sets. */
  readonly intervals: boolean;
  readonly lillis: boolean;
  readonly provenance: Provenance;
}

interface Gathered {
  readonly name: string;
  readonly content: NpyContent;
  readonly width: number;
  put(record: SweepRecord): void;
}

/** Writes it whole or not at all. @throws InputError where it cannot be written */
export async function writeNpzOutput(plan: NpzPlan, records: Records): Promise<void> {
  using npz = NpzWriter.create(plan.path);
  const streamed = plan.rowColumns.filter((column) => column.type === "string");
  const gathered: (() => Gathered)[] = [];
  const sizes: number[] = [];
  for (const column of plan.rowColumns.filter((column) => column.type !== "string")) {
    gathered.push(() => gatherRows(column, records.rows));
    sizes.push(BYTES[column.type] * records.rows);
  }
  for (const column of plan.sweepColumns) {
    gathered.push(() => gatherSweeps(column, records.sweeps));
    sizes.push(BYTES[column.type] * records.sweeps);
  }
  for (let next = 0; next < gathered.length;) {
    const pass: Gathered[] = [];
    for (
      let bytes = 0;
      next < gathered.length && (pass.length === 0 || bytes + sizes[next] <= PASS);
      next++
    ) {
      pass.push(gathered[next]());
      bytes += sizes[next];
    }
    for (const record of eachRecord(records)) for (const column of pass) column.put(record);
    for (const { name, content, width } of pass) await npz.add(name, content, width);
  }
  for (const column of streamed) {
    await npz.addPieces(column.name, `<U${STRING_WIDTH}`, [records.rows], stringPieces(column, records));
  }
  if (plan.intervals) {
    await addIntervals(npz, "spec_plateau", records, ({ fit }) => fit?.plateau ?? []);
    await addIntervals(npz, "spec_confidence", records, ({ fit }) => fit?.confidence ?? []);
  }
  if (plan.lillis) {
    await npz.add("u_width_lhs_delta_reduced", scalar(U_WIDTH.delta));
    await npz.add("u_width_lhs_identifiable_max_v", scalar(U_WIDTH.most));
  }
  await npz.add("provenance", { shape: [], data: [JSON.stringify(plan.provenance)] });
  npz.commit();
}

const scalar = (value: number): NpyContent => ({ shape: [], data: Float64Array.of(value) });

interface Filled {
  readonly content: NpyContent;
  set(i: number, value: unknown): void;
}

function columnOf(type: ColumnType, n: number, width: number): Filled {
  if (type === "string") {
    const data = new Array<string>(n).fill("");
    return { content: { shape: [n], data }, set: (i, value) => data[i] = (value as string).slice(0, width) };
  }
  if (type === "int64") {
    const data = new BigInt64Array(n);
    return { content: { shape: [n], data }, set: (i, value) => data[i] = BigInt(value as number) };
  }
  const data = type === "float64"
    ? new Float64Array(n)
    : type === "int8"
    ? new Int8Array(n)
    : new Uint8Array(n);
  return {
    content: { shape: [n], data, bool: type === "bool" },
    set: (i, value) => data[i] = Number(value),
  };
}

function gatherSweeps({ name, type, width = STRING_WIDTH, of }: SweepColumn, n: number): Gathered {
  const { content, set } = columnOf(type, n, width);
  let i = 0;
  return { name, content, width, put: (record) => set(i++, of(record)) };
}

function gatherRows({ name, type, width = STRING_WIDTH, of }: RowColumn, n: number): Gathered {
  const { content, set } = columnOf(type, n, width);
  let i = 0;
  return { name, content, width, put: (record) => record.utc.forEach((_, row) => set(i++, of(record, row))) };
}

function* stringPieces(column: RowColumn, records: Records): Generator<Uint8Array> {
  let texts: string[] = [];
  const encoded = () => encodeStrings(texts.map((text) => text.slice(0, STRING_WIDTH)), STRING_WIDTH).bytes;
  for (const record of eachRecord(records)) {
    record.utc.forEach((_, row) => texts.push(column.of(record, row) as string));
    if (texts.length < PIECE) continue;
    yield encoded();
    texts = [];
  }
  yield encoded();
}

/** Ragged intervals: those of sweep i are offsets[i] … offsets[i + 1] of low and high. */
async function addIntervals(
  npz: NpzWriter,
  name: string,
  records: Records,
  of: (record: SweepRecord) => readonly Interval[],
): Promise<void> {
  const offsets = new BigInt64Array(records.sweeps + 1), low: number[] = [], high: number[] = [];
  let sweep = 0;
  for (const record of eachRecord(records)) {
    for (const [from, to] of of(record)) {
      low.push(from);
      high.push(to);
    }
    offsets[++sweep] = BigInt(low.length);
  }
  await npz.add(`${name}_offsets`, { shape: [offsets.length], data: offsets });
  await npz.add(`${name}_low`, { shape: [low.length], data: Float64Array.from(low) });
  await npz.add(`${name}_high`, { shape: [high.length], data: Float64Array.from(high) });
}
