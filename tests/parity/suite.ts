/**
 * The parity suite as tests, one file a family: WASM, the emulated device and the slow reference against each other;
 * thread orders, scratch in pieces.
 */
import assert from "node:assert/strict";
import { KERNELS } from "../../core/kernels/table.ts";
import type { HostArray } from "../../core/target.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { call } from "../../gpu/parity/case.ts";
import { firstDifference } from "../../gpu/parity/compare.ts";
import { parityCases, parityOf, type ParityRow } from "../../gpu/parity.ts";
import { GpuTarget } from "../../gpu/target.ts";
import { emulated, emulatedTest } from "../gpu/emulated.ts";
import { REFERENCES } from "./references.ts";

/** Thread orders besides the ascending one: descending, shuffled. */
const ORDERS = [1, 5];

function accept(row: ParityRow): void {
  assert.ok(row.ok, `${row.label}: ${row.worst.where}, ${row.worst.relative} relative; ${row.fault}`);
  assert.ok(row.cases > 4);
  assert.ok(
    row.slow.cases > row.cases / 2,
    `the slow reference answers ${row.slow.cases} of ${row.cases} cases`,
  );
}

export function parityTests(family: string): void {
  const wasm = loadWasmTarget();
  for (const kernel of KERNELS.filter((k) => k.family === family)) {
    const reference = REFERENCES[kernel.name]!;
    if (emulated === null) {
      Deno.test(`parity of ${kernel.name}: WASM agrees with the slow reference`, () => {
        accept(parityOf(kernel, wasm, wasm, { cases: 4, reference }));
      });
    }

    emulatedTest(`parity of ${kernel.name}: WASM, emulated device and slow reference agree`, (library) => {
      const target = new GpuTarget("emulated", { library });
      accept(parityOf(kernel, target, wasm, { cases: 4, reference }));
      target.close();
    });

    emulatedTest(`parity of ${kernel.name}: neither thread order nor scratch changes a bit`, (library) => {
      const target = new GpuTarget("emulated", { library });
      // a piece of work at a time, every array an allocation of its own
      const piecemeal = new GpuTarget("emulated", { library, guarded: true, mostWork: 1 });
      for (const one of parityCases(kernel, wasm, { cases: 2, seed: 3 })) {
        const run = (on: GpuTarget, order: number): Record<string, HostArray> => {
          library.emulate("order", order);
          return call(on, kernel, one.dims, one.inputs);
        };
        const expected = run(target, 0);
        for (const order of ORDERS) {
          assert.equal(
            firstDifference(expected, run(target, order)),
            null,
            `${one.label}, thread order ${order}`,
          );
        }
        assert.equal(firstDifference(expected, run(piecemeal, 0)), null, `${one.label}, one piece at a time`);
      }
      target.close();
      piecemeal.close();
    });
  }
}
