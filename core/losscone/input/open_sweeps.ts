/** Opening the inputs of a run: an NPZ, tables, or folders of tables. */
import { closeSync, openSync, readSync } from "node:fs";
import { InputError } from "../../io/input_error.ts";
import { inputFault } from "../../io/system_fault.ts";
import { openPrepared } from "./npz_source.ts";
import type { InputOptions, OnNotice, SweepSource } from "./source.ts";
import { isFolder } from "./table_files.ts";
import { openTables } from "./table_source.ts";

/** Inputs read as they are unless the user says otherwise. */
export const DEFAULT_INPUT: InputOptions = {
  year: null,
  month: null,
  day: null,
  theta: null,
  polarity: null,
};

/**
 * Opens inputs: what a file is, is told by its first bytes.
 *
 * @throws InputError where one cannot be read or is not understood
 */
export function openSweeps(
  inputs: readonly string[],
  options: InputOptions = DEFAULT_INPUT,
  onNotice: OnNotice = () => {},
): SweepSource {
  if (inputs.length === 0) throw new InputError("no input was given");
  const prepared = inputs.filter((input) => !isFolder(input) && isArchive(input));
  if (prepared.length === 0) return openTables(inputs, options, onNotice);
  if (inputs.length > 1) {
    throw new InputError(`${prepared[0]}: an NPZ of prepared sweeps is fitted by itself; give it alone`);
  }
  const dated = (["year", "month", "day"] as const).find((part) => options[part] !== null);
  if (dated !== undefined) {
    throw new InputError(`${prepared[0]}: --${dated} chooses among tables 3DYYMMDD.TAB, not within an NPZ`);
  }
  return openPrepared(prepared[0], options);
}

function isArchive(path: string): boolean {
  try {
    const fd = openSync(path, "r");
    try {
      const magic = new Uint8Array(2);
      return readSync(fd, magic, 0, 2, 0) === 2 && magic[0] === 0x50 && magic[1] === 0x4b;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw inputFault(error, path, "cannot be read");
  }
}
