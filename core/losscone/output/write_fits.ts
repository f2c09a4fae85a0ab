/**
 * The same table for people: FITS with one row per sweep (SWEEPS), and the plateau and confidence sets of U with one row
 * per interval (INTERVALS).
 */
import { Header } from "../../io/fits_header.ts";
import { boolColumn, type Column, numberColumn, stringColumn, Table } from "../../io/fits_table.ts";
import { FitsWriter } from "../../io/fits_write.ts";
import { headerText } from "../../stellar/output_header.ts";
import type { SweepRecord } from "../record.ts";
import { STRING_WIDTH, type SweepColumn } from "./columns.ts";
import { eachRecord, type Provenance, type Records } from "./records.ts";

/** Sweeps written at a time. */
const PIECE = 4096;

export interface FitsPlan {
  readonly path: string;
  readonly columns: readonly SweepColumn[];
  readonly intervals: boolean;
  readonly provenance: Provenance;
}

/** Writes it whole or not at all. @throws InputError where it cannot be written */
export function writeFitsOutput(plan: FitsPlan, records: Records): void {
  using fits = FitsWriter.create(plan.path, primaryHeader(plan.provenance));
  const sweeps = fits.addTable({ name: "SWEEPS", table: tableOf(plan.columns, []), rows: records.sweeps });
  const intervals: { specNo: number; kind: string; low: number; high: number }[] = [];
  let piece: SweepRecord[] = [], first = 0;
  const flush = () => {
    if (piece.length > 0) fits.writeRows(sweeps, first, tableOf(plan.columns, piece));
    first += piece.length;
    piece = [];
  };
  for (const record of eachRecord(records)) {
    if (piece.push(record) === PIECE) flush();
    if (record.fit === null) continue;
    for (const kind of ["plateau", "confidence"] as const) {
      for (const [low, high] of record.fit[kind]) intervals.push({ specNo: record.specNo, kind, low, high });
    }
  }
  flush();
  if (plan.intervals) {
    fits.addTable({
      name: "INTERVALS",
      table: new Table([
        numberColumn("SPEC_NO", BigInt64Array.from(intervals, ({ specNo }) => BigInt(specNo))),
        stringColumn("KIND", intervals.map(({ kind }) => kind), {
          width: 10,
          comment: "plateau or confidence",
        }),
        numberColumn("U_LOW", Float64Array.from(intervals, ({ low }) => low), { unit: "V" }),
        numberColumn("U_HIGH", Float64Array.from(intervals, ({ high }) => high), { unit: "V" }),
      ], { rows: intervals.length }),
    });
  }
  fits.commit();
}

function tableOf(columns: readonly SweepColumn[], records: readonly SweepRecord[]): Table {
  return new Table(columns.map((column) => fitsColumn(column, records)), { rows: records.length });
}

function fitsColumn(column: SweepColumn, records: readonly SweepRecord[]): Column {
  const { name, type, width = STRING_WIDTH, unit, comment, of } = column;
  const title = name.replace(/^spec_/, "").toUpperCase();
  const notes = { unit: unit ?? "", comment: comment ?? "" };
  const values = records.map((record) => of(record));
  switch (type) {
    case "string": {
      const ascii = values.map((text) => headerText(text as string).slice(0, width));
      return stringColumn(title, ascii, { ...notes, width });
    }
    case "bool":
      return boolColumn(title, values as boolean[], notes);
    case "int64":
      return numberColumn(title, BigInt64Array.from(values as number[], (value) => BigInt(value)), notes);
    case "int8":
      return numberColumn(title, Int16Array.from(values as number[]), notes);
    case "float64":
      return numberColumn(title, Float64Array.from(values as number[]), notes);
  }
}

function primaryHeader({ program, version, command, target, inputs, options, identity }: Provenance): Header {
  const header = new Header();
  header.set("PROGRAM", `${program} ${version}`, "what wrote this file");
  header.set("COMMAND", headerText(command));
  header.set("TARGET", headerText(target), "what did the arithmetic");
  header.set("NINPUT", inputs.length, "files that were read");
  inputs.slice(0, 999).forEach((path, i) => header.set(`INPUT${i + 1}`, headerText(path)));
  header.set("OPTIONS", headerText(JSON.stringify(options)));
  header.set("RUNHASH", identity);
  return header;
}
