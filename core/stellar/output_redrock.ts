/** Redshifts of redrock for the stars of a fit, from the file beside the input. */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Column, numberColumn, stringColumn, type Table } from "../io/fits_table.ts";
import { FitsFile } from "../io/fits_read.ts";

export interface Redshifts {
  readonly path: string;
  readonly table: Table;
}

/** The redrock- or zbest- file beside a coadd- or spectra- file, if there is one that can be read. */
export function findRedshifts(input: string, onNotice: (text: string) => void): Redshifts | null {
  const name = basename(input);
  if (!/^(coadd|spectra)-/.test(name)) return null;
  for (const [prefix, hdu] of [["redrock-", "REDSHIFTS"], ["zbest-", "ZBEST"]]) {
    const plain = name.replace(/^(coadd|spectra)-/, prefix).replace(/\.gz$/, "");
    for (const file of [plain, `${plain}.gz`]) {
      const path = join(dirname(input), file);
      if (!existsSync(path)) continue;
      try {
        using fits = FitsFile.open(path);
        const table = fits.table(hdu);
        for (const column of ["TARGETID", "Z", "SPECTYPE"]) table.column(column);
        return { path, table };
      } catch (error) {
        onNotice(`its redshifts are left out: ${error instanceof Error ? error.message : error}`);
      }
    }
  }
  return null;
}

/**
 * RR_Z, RR_SPECTYPE and RR_SUBTYPE.
 *
 * @param rows - row of the input of each star
 * @param targetids - of all rows of the input
 */
export function redshiftColumns(
  { table }: Redshifts,
  rows: readonly number[],
  targetids: BigInt64Array,
): Column[] {
  const ids = table.int64("TARGETID");
  const places = new Map<bigint, number>();
  ids.forEach((id, place) => {
    if (!places.has(id)) places.set(id, place);
  });
  // Row by row where both list the same targets, so that duplicates keep their own.
  const aligned = ids.length === targetids.length && ids.every((id, row) => id === targetids[row]);
  const found = rows.map((row) => aligned ? row : places.get(targetids[row]));
  const z = table.float64("Z");
  const text = (column: string) => {
    const strings = table.has(column) ? table.strings(column) : null;
    return found.map((place) => place === undefined ? "" : strings?.[place].trim() ?? "");
  };
  return [
    numberColumn("RR_Z", Float64Array.from(found, (place) => place === undefined ? NaN : z[place]), {
      comment: "Redrock redshift",
    }),
    stringColumn("RR_SPECTYPE", text("SPECTYPE"), { comment: "Redrock spectype" }),
    stringColumn("RR_SUBTYPE", text("SUBTYPE"), { comment: "Redrock spectroscopic subtype" }),
  ];
}
