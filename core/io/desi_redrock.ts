/** DESI redshifts: redrock-* files (HDU REDSHIFTS) and older zbest-* ones (HDU ZBEST). */
import { FitsFile } from "./fits_read.ts";
import type { Table } from "./fits_table.ts";
import { InputError } from "./input_error.ts";
import { toFloat64 } from "./number_types.ts";

/** One row a target, in the order of the file. */
export interface Redshifts {
  readonly path: string;
  readonly rows: number;
  readonly targetid: BigInt64Array;
  readonly z: Float64Array;
  /** STAR, GALAXY, QSO. */
  readonly spectype: readonly string[];
  /** "" where the file has none. */
  readonly subtype: readonly string[];
  /** The whole table. */
  readonly table: Table;
}

/** @throws InputError where the file cannot be read, or has neither HDU, or lacks TARGETID, Z or SPECTYPE */
export function readRedrock(path: string): Redshifts {
  using file = FitsFile.open(path);
  const hdu = file.find("REDSHIFTS") ?? file.find("ZBEST");
  if (hdu === null) {
    throw new InputError(`${path}: has neither HDU REDSHIFTS nor ZBEST; expected a redrock or zbest file`);
  }
  const table = file.table(hdu);
  return {
    path,
    rows: table.rows,
    targetid: table.int64("TARGETID"),
    z: toFloat64(table.numbers("Z")),
    spectype: table.strings("SPECTYPE"),
    subtype: table.has("SUBTYPE") ? table.strings("SUBTYPE") : new Array<string>(table.rows).fill(""),
    table,
  };
}
