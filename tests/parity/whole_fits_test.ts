import assert from "node:assert/strict";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { parityOfFits } from "../../gpu/parity/fits.ts";
import { GpuTarget } from "../../gpu/target.ts";
import { emulatedTest } from "../gpu/emulated.ts";

emulatedTest("whole fits agree with WASM: −2 ln L within 1e-6, parameters within 1e-3 σ", (library) => {
  const target = new GpuTarget("emulated", { library });
  const rows = parityOfFits(target, loadWasmTarget(), 3);
  assert.equal(rows.length, 6);
  for (const row of rows) {
    assert.ok(row.ok, `${row.name}: ${row.m2lnl} in −2 ln L, ${row.sigmas} σ in ${row.parameter}`);
  }
  assert.equal(target.memory().used, 0, "everything is given back");
  target.close();
});

emulatedTest("whole fits are the same to the bit in a shuffled thread order", (library) => {
  const target = new GpuTarget("emulated", { library });
  library.emulate("order", 9);
  const shuffled = parityOfFits(target, loadWasmTarget(), 1, 4);
  library.emulate("order", 0);
  assert.deepEqual(parityOfFits(target, loadWasmTarget(), 1, 4), shuffled);
  target.close();
});
