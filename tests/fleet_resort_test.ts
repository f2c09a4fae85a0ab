import assert from "node:assert/strict";
import { Fleet } from "../core/fleet.ts";
import type { ResortJob } from "./fleet_resort_worker.ts";

type Result = { where: string; doubled: number[] };

async function doubled(fail: ResortJob["fail"], shared?: string) {
  const notices: string[] = [];
  const fleet = new Fleet<ResortJob, number[], Result>({
    worker: new URL("./fleet_resort_worker.ts", import.meta.url),
    targets: [{ kind: "cuda", device: 0 }, { kind: "cuda", device: 1 }],
    lastResort: { kind: "wasm" },
    shared,
    onNotice: (level, text) => level === "warning" && notices.push(text),
  });
  const groups = [[0, 2], [4, 6, 8], [1], [10, 3, 12], [14], [5, 7, 9, 11]];
  const got: number[] = [], where = new Set<string>();
  for await (
    const { items, result, failure } of fleet.run(
      { fail },
      groups,
      (batch) => ({ batch: [...batch], transfer: [] }),
    )
  ) {
    assert.equal(failure, undefined);
    assert.deepEqual(result!.doubled, items.map((x) => 2 * x));
    got.push(...items);
    where.add(result!.where);
  }
  fleet.close();
  assert.deepEqual(got, groups.flat(), "every item once and in order");
  return { notices: notices.join("\n"), where };
}

Deno.test("fleet: where no device starts, WASM does the work and a warning says so", async () => {
  const { notices, where } = await doubled("nothing", "no start");
  assert.deepEqual([...where], ["wasm"]);
  assert.match(notices, /no such device.*going on without it/);
  assert.match(notices, /going on with WASM/);
});

Deno.test("fleet: devices that fail batch after batch are retired by name, WASM does the rest", async () => {
  const { notices, where } = await doubled("every batch");
  assert.deepEqual([...where], ["wasm"]);
  assert.match(notices, /device [01] fails batch after batch \(launch failed\): going on without it/);
  assert.match(notices, /going on with WASM/);
});

Deno.test("fleet: items that a device cannot do are done on WASM, the others stay where they are", async () => {
  const { notices, where } = await doubled("odd items");
  assert.ok(where.has("wasm"));
  assert.match(notices, /going on with WASM/);
});

Deno.test("fleet: without a fault nobody resorts to WASM", async () => {
  const { notices, where } = await doubled("nothing");
  assert.deepEqual([...where], ["cuda"]);
  assert.equal(notices, "");
});
