/** Finding the day files of the PDS collection below a folder: `3DYYMMDD.TAB`, by name and date. */
import { readdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { InputError } from "../../io/input_error.ts";
import { inputFault } from "../../io/system_fault.ts";
import type { InputOptions } from "./source.ts";

/** A day. */
export interface TableDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** The day that a file's name tells; null where it is no name of a day file. Two digits above 50 are of the 1900s. */
export function dateOfName(path: string): TableDate | null {
  const match = /^3D(\d{2})(\d{2})(\d{2})\.TAB$/i.exec(basename(path));
  if (match === null) return null;
  const [yy, month, day] = match.slice(1).map(Number);
  const year = yy > 50 ? 1900 + yy : 2000 + yy;
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? { year, month, day } : null;
}

/**
 * Tables that the inputs name: files as they are, folders searched all the way down (links followed), sorted by day.
 *
 * @throws InputError where there is none
 */
export function findTables(inputs: readonly string[], options: InputOptions): string[] {
  const seen = new Set<string>();
  const out: string[] = [];
  const wanted = [["year", options.year], ["month", options.month], ["day", options.day]] as const;
  const filter = wanted.filter(([, value]) => value !== null);
  const inDate = (path: string) => {
    const date = dateOfName(path);
    return filter.length === 0 || (date !== null && filter.every(([part, value]) => date[part] === value));
  };
  for (const input of inputs) {
    const folder = isFolder(input);
    const files = folder ? tablesBelow(input, new Set()) : [input];
    const chosen = files.filter(inDate);
    if (chosen.length === 0) {
      const asked = filter.map(([part, value]) => `--${part} ${value}`).join(" ");
      throw new InputError(
        files.length === 0
          ? `${input}: no table 3DYYMMDD.TAB in this folder or below`
          : folder
          ? `${input}: none of its ${files.length} tables is of ${asked}`
          : `${input}: is not of ${asked} by its name, 3DYYMMDD.TAB`,
      );
    }
    for (const path of chosen) {
      const real = realpathSync(path);
      if (!seen.has(real)) out.push(path);
      seen.add(real);
    }
  }
  return out;
}

/** Whether a path names a folder. @throws InputError where nothing is there */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw inputFault(error, path, "cannot be opened");
  }
}

function tablesBelow(folder: string, above: Set<string>): string[] {
  const real = realpathSync(folder);
  if (above.has(real)) return [];
  above.add(real);
  const found: string[] = [];
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory()) found.push(...tablesBelow(path, above));
    else if (stat?.isFile() && dateOfName(path) !== null) found.push(path);
  }
  return found.sort((a, b) => dayNumber(a) - dayNumber(b) || (a < b ? -1 : 1));
}

function dayNumber(path: string): number {
  const { year, month, day } = dateOfName(path)!;
  return (100 * year + month) * 100 + day;
}

/** The file of elevations that goes with a table: beside it, or in a folder above it as far as the input. */
export function findTheta(table: string, inputs: readonly string[]): string {
  const top = new Set(
    inputs.map((input) => isFolder(input) ? realpathSync(input) : dirname(realpathSync(input))),
  );
  let folder = dirname(realpathSync(table));
  while (true) {
    const name = readdirSync(folder).find((name) => name.toLowerCase() === "theta.tab");
    if (name !== undefined) return join(folder, name);
    if (top.has(folder) || dirname(folder) === folder) break;
    folder = dirname(folder);
  }
  throw new InputError(
    `${table}: theta.tab, the elevations of its 88 cells, is not beside it; put it there or name it with --theta FILE`,
  );
}
