/** The folders that outputs go to. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pid } from "node:process";
import { inputFault } from "./io/system_fault.ts";

/** Makes the folders of outputs and tries to write in each. @throws InputError where that fails */
export function openFolders(outputs: readonly string[]): void {
  for (const folder of new Set(outputs.map(dirname))) {
    const probe = join(folder, `.twinspec-${pid}-${crypto.randomUUID()}`);
    try {
      mkdirSync(folder, { recursive: true });
      writeFileSync(probe, "", { flag: "wx" });
      rmSync(probe);
    } catch (error) {
      throw inputFault(error, folder, "the output folder cannot be written to");
    }
  }
}

/** Deletes what killed runs left half-written of outputs in one folder. Call with the output locked. */
export function removeTemporary(outputs: readonly string[]): void {
  const folder = dirname(outputs[0]);
  const prefixes = outputs.map((path) => `${basename(path)}.tmp-`);
  for (const name of readdirSync(folder)) {
    if (prefixes.some((prefix) => name.startsWith(prefix))) rmSync(join(folder, name), { force: true });
  }
}
