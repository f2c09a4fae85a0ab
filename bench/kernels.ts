/**
 * Times every kernel of the table on the WASM target: `deno task bench [--json] [--repeats N] [NAME…]`.
 *
 * Per case the best of several repeats: µs per row of the batch (all three arms), the rate of arithmetic by the table's
 * count of operations, and that of memory by the fewest bytes a call can move. One core, data in place, no transfers.
 */
import { bytes } from "../core/kernels/kernel.ts";
import { KERNELS } from "../core/kernels/table.ts";
import { loadWasmTarget } from "../core/wasm/load.ts";
import { align } from "../cli/table.ts";
import { type Case, CASES } from "./kernel_cases.ts";
import { secondsOf } from "./kernel_call.ts";

export interface Timing {
  readonly name: string;
  readonly rows: number;
  /** Best of the repeats, summed over arms. */
  readonly microsecondsPerRow: number;
  readonly gigaflops: number;
  readonly gigabytes: number;
  readonly repeats: number;
}

/** Times one case on a fresh target. */
export function time(one: Case, repeats: number): Timing {
  const target = loadWasmTarget();
  let seconds = 0, flops = 0, moved = 0;
  for (const { dims, inputs } of one.calls) {
    const mark = target.mark();
    seconds += Math.min(...secondsOf(target, one.kernel, dims, inputs(target), repeats));
    flops += one.kernel.flops(dims);
    moved += bytes(one.kernel, dims);
    target.release(mark);
  }
  return {
    name: one.name,
    rows: one.rows,
    microsecondsPerRow: 1e6 * seconds / one.rows,
    gigaflops: flops / seconds / 1e9,
    gigabytes: moved / seconds / 1e9,
    repeats,
  };
}

if (import.meta.main) {
  const args = [...Deno.args];
  const json = args.includes("--json");
  const at = args.indexOf("--repeats");
  const repeats = at < 0 ? 15 : Number(args[at + 1]);
  if (!(Number.isInteger(repeats) && repeats > 0)) {
    console.error("--repeats takes a whole number above 0");
    Deno.exit(2);
  }
  const names = args.filter((word, i) => !word.startsWith("--") && (at < 0 || i !== at + 1));
  const unknown = names.find((name) => !KERNELS.some((kernel) => kernel.name === name));
  if (unknown !== undefined) {
    console.error(`no kernel "${unknown}"; known: ${KERNELS.map((kernel) => kernel.name).join(", ")}`);
    Deno.exit(2);
  }
  const timings = CASES
    .filter(({ kernel }) => names.length === 0 || names.includes(kernel.name))
    .map((one) => time(one, repeats));
  if (json) console.log(JSON.stringify({ target: loadWasmTarget().name, repeats, timings }, null, 2));
  else {
    const lines = timings.map((t) => [
      t.microsecondsPerRow.toFixed(2),
      t.gigaflops.toFixed(2),
      t.gigabytes.toFixed(2),
      String(t.rows),
      t.name,
    ]);
    console.log(align([["µs/row", "Gflop/s", "GB/s", "rows", "kernel"], ...lines]).join("\n"));
    console.log(`best of ${repeats}; a row is one star (template, spectrum) in the three arms of DESI`);
  }
}
