/**
 * CPU time per sweep of loss-cone fits, one worker: `deno run -A bench/losscone.ts [sweeps]`. Simulated sweeps, the best of
 * three; preparation (pitch, normalisation, tables) included.
 *
 * The reference on one thread: 75–80 ms (SciPy), 30–40 ms (torch). Its search is about 1500 evaluations of ~40 kflop, 60
 * Mflop a sweep; the exact search looks at about 440 boxes of 15 rows, ~60 operations a row, and at 17 000 cells with a
 * logarithm of ~25: 0.8 Mflop (means of 300 Halekas sweeps).
 */
import process from "node:process";
import { makeLossconeFitter } from "../core/losscone/fitter.ts";
import { DEFAULT_LOSSCONE_OPTIONS } from "../core/losscone/options.ts";
import { simulateSweeps } from "../core/losscone/simulate.ts";
import { loadWasmTarget } from "../core/wasm/load.ts";

const sweeps = Number(Deno.args[0] ?? 300);
const groups = { clean: 140, holes: 20, rows: 10, charged: 10 };
const { batch } = simulateSweeps({ sweeps, seed: 5, groups });

console.log(`${sweeps} sweeps, one WASM worker, CPU ms per sweep`);
for (const method of ["halekas", "lillis"] as const) {
  for (const search of ["exact", "evolution"] as const) {
    const fitter = makeLossconeFitter(loadWasmTarget(), { ...DEFAULT_LOSSCONE_OPTIONS, method, search });
    let best = Infinity;
    for (let k = 0; k < 3; k++) {
      const began = process.cpuUsage();
      fitter.fit(batch);
      const { user, system } = process.cpuUsage(began);
      best = Math.min(best, (user + system) / 1000 / sweeps);
    }
    const note = search === "evolution" ? " (with the sets of the exact search)" : "";
    console.log(`${method.padEnd(8)} ${search.padEnd(10)} ${best.toFixed(2)}${note}`);
  }
}
