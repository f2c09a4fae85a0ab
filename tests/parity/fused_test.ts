/** The tolerances must also hold where multiply and add are fused, as every GPU does: the same sources, compiled so. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { KERNELS } from "../../core/kernels/table.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { buildEmulated } from "../../gpu/compile_emulated.ts";
import { DeviceLibrary } from "../../gpu/library.ts";
import { parityOf } from "../../gpu/parity.ts";
import { parityOfFits } from "../../gpu/parity/fits.ts";
import { GpuTarget } from "../../gpu/target.ts";
import { emulated } from "../gpu/emulated.ts";
import { REFERENCES } from "./references.ts";

function fusedHere(): boolean {
  if (Deno.build.arch !== "x86_64" || Deno.build.os !== "linux") return false;
  return /\bfma\b/.test(readFileSync("/proc/cpuinfo", "utf8"));
}

const missing = emulated === null ? "no C++ compiler" : fusedHere() ? null : "no fused multiply-add";
const name = "every kernel and whole fits stay within tolerance with fused multiply-add";
Deno.test({
  name: missing === null ? name : `SKIP ${name} (${missing})`,
  ignore: missing !== null,
  async fn() {
    const { path } = await buildEmulated({ fused: true });
    const target = new GpuTarget("emulated", { library: new DeviceLibrary("emulated", path!) });
    const wasm = loadWasmTarget();
    for (const kernel of KERNELS) {
      const row = parityOf(kernel, target, wasm, { cases: 8, seed: 11, reference: REFERENCES[kernel.name]! });
      assert.ok(row.ok, `${row.name}, ${row.label}: ${row.worst.where}, ${row.worst.relative}; ${row.fault}`);
    }
    for (const row of parityOfFits(target, wasm, 3, 2)) {
      assert.ok(row.ok, `${row.name}: ${row.m2lnl} in −2 ln L, ${row.sigmas} σ in ${row.parameter}`);
    }
    target.close();
  },
});
