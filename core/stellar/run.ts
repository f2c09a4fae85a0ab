/** Fitting the stars of files: the entry for the command line and for programs. */
import { openSpectra } from "../io/open_spectra.ts";
import { openTemplates } from "../templates/open_templates.ts";
import { coversRequest, preparationKey, prepareArm } from "../templates/prepare.ts";
import { fitFilesWith } from "./run_files.ts";
import type { ChooseTargets, FileSummary, FitEvents, FitRequest } from "./run_types.ts";
import { stellarOnWasm } from "./wasm_targets.ts";

export type { FileSummary, FitEvents, FitRequest } from "./run_types.ts";

/**
 * Fits the stars of files and writes rvtab and rvmod for each. Everything is checked before any work. Finished batches
 * are kept in a journal beside the output: after an abort or a kill the same request goes on from there.
 *
 * @param choose - where to run what `request.target` names; without it, on WASM
 * @returns a summary per input, in their order
 * @throws InputError for faults of input or usage; the reason of the signal after an abort
 */
export function fitFiles(
  request: FitRequest,
  events: FitEvents,
  signal?: AbortSignal,
  choose: ChooseTargets = stellarOnWasm,
): Promise<FileSummary[]> {
  const parts = {
    openSpectra,
    openLibrary: openTemplates,
    prepareArm,
    preparationKey,
    coversRequest,
    choose,
  };
  return fitFilesWith(parts, request, events, signal);
}
