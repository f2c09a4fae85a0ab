/** Runs kernels of the parity suite on one library, for sanitizer_test.ts: the library's path, then kernel names. */
import { kernelNamed, KERNELS } from "../../core/kernels/table.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { DeviceLibrary } from "../../gpu/library.ts";
import { parityOf } from "../../gpu/parity.ts";
import { parityOfFits } from "../../gpu/parity/fits.ts";
import { GpuTarget } from "../../gpu/target.ts";

const [path, ...names] = Deno.args;
const library = new DeviceLibrary("emulated", path!);
const wasm = loadWasmTarget();
const kernels = names.length > 0 ? names.map(kernelNamed) : KERNELS;
for (const kernel of kernels) {
  for (const guarded of [true, false]) {
    const target = new GpuTarget("emulated", { library, guarded, ...(guarded ? { mostWork: 1 } : {}) });
    const row = parityOf(kernel, target, wasm, { cases: 1 });
    if (!row.ok) throw new Error(`${row.name}: ${row.label}, ${row.worst.where}; ${row.fault}`);
    target.close();
  }
}
if (names.length === 0) {
  const target = new GpuTarget("emulated", { library, guarded: true });
  for (const row of parityOfFits(target, wasm, 1)) if (!row.ok) throw new Error(row.name);
  target.close();
}
console.log("clean");
