/**
 * The command line in a process of its own that says at its end what it used:
 * `deno run -A bench/fit_child.ts REPORT ARGUMENT…` runs `twinspec ARGUMENT…` and writes {@link Usage} to REPORT.
 */
import { writeFileSync } from "node:fs";
import process from "node:process";
import { main } from "../cli/main.ts";

/** What a process used, all threads together. */
export interface Usage {
  readonly code: number;
  /** s */
  readonly user: number;
  /** s */
  readonly system: number;
  /** Peak resident memory, bytes. */
  readonly peak: number;
}

if (import.meta.main) {
  const [report, ...args] = Deno.args;
  const code = await main(args);
  const used = process.resourceUsage();
  const usage: Usage = {
    code,
    user: used.userCPUTime / 1e6,
    system: used.systemCPUTime / 1e6,
    peak: used.maxRSS * 1024,
  };
  writeFileSync(report!, JSON.stringify(usage));
  Deno.exit(code);
}
