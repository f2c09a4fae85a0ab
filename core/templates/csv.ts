/** Small tables of text: comma-separated with a header line, or columns of numbers. */
import { readFileSync } from "node:fs";
import { InputError } from "../io/input_error.ts";
import { inputFault } from "../io/system_fault.ts";

export interface Csv {
  /** Column names, lower case. What follows a blank in a name is a remark and left out. */
  readonly names: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw inputFault(error, path, "cannot be read");
  }
}

/** @throws InputError where a line has more or fewer cells than the header */
export function parseCsv(path: string): Csv {
  const lines = readText(path).split(/\r?\n/).filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const cells = lines.map((line) => line.split(",").map((cell) => cell.trim().replace(/^"(.*)"$/, "$1")));
  const [header = [], ...rows] = cells;
  const names = header.map((name) => name.toLowerCase().split(/\s/)[0]);
  rows.forEach((row, i) => {
    if (row.length === names.length) return;
    throw new InputError(`${path}: row ${i + 1} has ${row.length} cells, expected ${names.length}`);
  });
  return { names, rows };
}

/**
 * Two columns of numbers, wavelength and flux, separated by commas or blanks. Lines that do not begin with a number are
 * left out.
 */
export function parseTwoColumns(path: string): { readonly lam: Float64Array; readonly flux: Float64Array } {
  const lam: number[] = [], flux: number[] = [];
  for (const line of readText(path).split(/\r?\n/)) {
    const [x, y] = line.trim().split(/[\s,;]+/).map(Number);
    if (line.trim() === "" || Number.isNaN(x) || y === undefined || Number.isNaN(y)) continue;
    lam.push(x);
    flux.push(y);
  }
  if (lam.length < 2) throw new InputError(`${path}: holds no two columns of numbers (wavelength, flux)`);
  return { lam: Float64Array.from(lam), flux: Float64Array.from(flux) };
}
