/** Small 3-D tables for tests. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Group } from "../../core/losscone/simulate.ts";
import { writeSimulatedSweeps } from "../../core/losscone/simulate_file.ts";

export const NAME = "3D990429.TAB";

/** Writes a table of simulated sweeps with theta.tab and ephemeris.csv beside it. @returns its path */
export async function simulatedTable(
  folder: string,
  sweeps: number,
  seed = 5,
  groups?: Partial<Record<Group, number>>,
  name = NAME,
): Promise<string> {
  const out = join(folder, name);
  const options = { sweeps, seed, ...(groups === undefined ? {} : { groups }) };
  await writeSimulatedSweeps({ out, options, overwrite: true });
  return out;
}

/** Rewrites the lines of a table. */
export function editLines(path: string, edit: (lines: string[]) => string[]): void {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  writeFileSync(path, edit(lines).join("\n") + "\n");
}

/** A line with some of its columns replaced. @param columns - by position from 0 */
export function withColumns(line: string, columns: Readonly<Record<number, string>>): string {
  return line.split(" ").map((word, i) => columns[i] ?? word).join(" ");
}
