/** Redshifts of redrock for the stars of a fit, from the file beside the input. */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { readRedrock, type Redshifts } from "../io/desi_redrock.ts";
import { type Column, numberColumn, stringColumn } from "../io/fits_table.ts";

/** The redrock- or zbest- file beside a coadd- or spectra- file, if there is one that can be read. */
export function findRedshifts(input: string, onNotice: (text: string) => void): Redshifts | null {
  const name = basename(input);
  if (!/^(coadd|spectra)-/.test(name)) return null;
  for (const prefix of ["redrock-", "zbest-"]) {
    const plain = name.replace(/^(coadd|spectra)-/, prefix).replace(/\.gz$/, "");
    for (const path of [plain, `${plain}.gz`].map((file) => join(dirname(input), file))) {
      if (!existsSync(path)) continue;
      try {
        return readRedrock(path);
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
  redshifts: Redshifts,
  rows: readonly number[],
  targetids: BigInt64Array,
): Column[] {
  const places = new Map<bigint, number>();
  redshifts.targetid.forEach((id, place) => {
    if (!places.has(id)) places.set(id, place);
  });
  // Row by row where both list the same targets, so that duplicates keep their own.
  const aligned = redshifts.rows === targetids.length &&
    redshifts.targetid.every((id, row) => id === targetids[row]);
  const found = rows.map((row) => aligned ? row : places.get(targetids[row]));
  const text = (strings: readonly string[]) =>
    found.map((place) => place === undefined ? "" : strings[place].trim());
  const z = Float64Array.from(found, (place) => place === undefined ? NaN : redshifts.z[place]);
  return [
    numberColumn("RR_Z", z, { comment: "Redrock redshift" }),
    stringColumn("RR_SPECTYPE", text(redshifts.spectype), { comment: "Redrock spectype" }),
    stringColumn("RR_SUBTYPE", text(redshifts.subtype), { comment: "Redrock spectroscopic subtype" }),
  ];
}
