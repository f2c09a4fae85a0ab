/** Fitting the stars of files: the entry for the command line and for programs. */
import { openSpectra } from "../io/open_spectra.ts";
import { openLibrary } from "../templates/library_file.ts";
import { coversRequest, preparationKey, prepareArm } from "../templates/prepare.ts";
import { compileCore } from "../wasm/load.ts";
import { fitFilesWith } from "./run_files.ts";
import type { FileSummary, FitEvents, FitRequest } from "./run_types.ts";

export type { FileSummary, FitEvents, FitRequest } from "./run_types.ts";

/**
 * Fits the stars of files and writes rvtab and rvmod for each. Everything is checked before any work. Finished batches
 * are kept in a journal beside the output: after an abort or a kill the same request goes on from there.
 *
 * @returns a summary per input, in their order
 * @throws InputError for faults of input or usage; the reason of the signal after an abort
 */
export function fitFiles(
  request: FitRequest,
  events: FitEvents,
  signal?: AbortSignal,
): Promise<FileSummary[]> {
  const parts = {
    openSpectra,
    openLibrary,
    prepareArm,
    preparationKey,
    coversRequest,
    worker: new URL("./fit_worker.ts", import.meta.url),
    shared: compileCore,
  };
  return fitFilesWith(parts, request, events, signal);
}
