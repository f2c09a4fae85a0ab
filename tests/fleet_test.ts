/** The fleet: every item comes back exactly once, whatever the workers do. This module is also the worker under test. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Fleet, JobError, type Piece } from "../core/fleet.ts";
import { serve } from "../core/fleet_worker.ts";

interface Job {
  readonly scale: number;
  readonly fault?: string;
}
interface Item {
  readonly id: number;
  /** What the worker does on meeting the item. */
  readonly does?: "throw" | "die" | "hang" | "memory" | "throw once" | "die once" | "slow";
}
type Batch = { readonly items: readonly Item[]; readonly values: Float64Array; readonly seen: Int32Array };

/** Answers each value times the scale of the job. `seen` counts attempts by item, shared between workers. */
export function start(_: unknown, shared: unknown) {
  if (shared === "never") throw new Error("no such device");
  return {
    name: "fake",
    open(job: Job) {
      if (job.fault !== undefined) throw Object.assign(new Error(job.fault), { name: "InputError" });
      return ({ items, values, seen }: Batch) => {
        for (const { id, does } of items) {
          const attempt = Atomics.add(seen, id, 1);
          if (does === "throw" || (does === "throw once" && attempt === 0)) {
            throw new Error(`item ${id} is bad`);
          }
          if (does === "memory" && items.length > 2) throw new RangeError("out of memory");
          if (does === "slow") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30);
          if (does === "hang") { while (true); }
        }
        const result = values.map((value) => value * job.scale);
        return { result, transfer: [result.buffer] };
      };
    },
  };
}

/** Serves, but lets a batch with a deadly item kill the worker. */
function serveUntilDeath() {
  serve(start);
  const scope = globalThis as unknown as { onmessage: (event: MessageEvent) => void };
  const listen = scope.onmessage;
  scope.onmessage = (event) => {
    const { items, seen } = (event.data.data ?? {}) as Partial<Batch>;
    for (const { id, does } of items ?? []) {
      const deadly = does === "die" || (does === "die once" && Atomics.add(seen!, id, 1) === 0);
      if (deadly) throw new Error(`item ${id} is deadly`);
    }
    listen(event);
  };
}

if ("WorkerGlobalScope" in globalThis) serveUntilDeath();
else tests();

function fleetOf(workers: number, options: { local?: boolean; patience?: number; shared?: unknown } = {}) {
  const notices: string[] = [];
  const fleet = new Fleet<Job, Batch, Float64Array>({
    worker: new URL(import.meta.url),
    targets: Array.from({ length: Math.max(1, workers) }, () => ({ kind: "wasm" as const })),
    local: workers === 0,
    shared: options.shared,
    patience: () => options.patience ?? 10_000,
    onNotice: (_, text) => notices.push(text),
  });
  return { fleet, notices };
}

function grouped(items: readonly Item[], size: number): Item[][] {
  const groups: Item[][] = [];
  for (let i = 0; i < items.length; i += size) groups.push(items.slice(i, i + size));
  return groups;
}

function loader(count: number) {
  const seen = new Int32Array(new SharedArrayBuffer(4 * Math.max(1, count)));
  const load = (items: readonly Item[]) => {
    const values = Float64Array.from(items, ({ id }) => id);
    return { batch: { items, values, seen }, transfer: [values.buffer] };
  };
  return { load, seen };
}

/** Answers by item, checked for being exactly one each and right. */
function settle(pieces: readonly Piece<Item, Float64Array>[], items: readonly Item[], scale: number) {
  const failed: number[] = [];
  const seen: number[] = [];
  for (const piece of pieces) {
    piece.items.forEach(({ id }, i) => {
      seen.push(id);
      if (piece.result === undefined) failed.push(id);
      else assert.equal(piece.result[i], id * scale);
    });
  }
  assert.deepEqual(seen.toSorted((a, b) => a - b), items.map(({ id }) => id));
  return { failed, seen };
}

async function collect<T>(pieces: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const piece of pieces) out.push(piece);
  return out;
}

function tests() {
  for (const workers of [0, 1, 3]) {
    Deno.test(`fleet of ${workers} answers in the order of the items`, async () => {
      const { fleet, notices } = fleetOf(workers);
      const items: Item[] = Array.from(
        { length: 50 },
        (_, id) => id % 7 === 0 ? { id, does: "slow" } : { id },
      );
      const { load } = loader(items.length);
      const pieces = await collect(fleet.run({ scale: 2 }, grouped(items, 4), load));
      assert.deepEqual(settle(pieces, items, 2).seen, items.map(({ id }) => id));
      assert.deepEqual(notices, []);
      fleet.close();
    });
  }

  Deno.test("fleet pulls at most two batches a worker ahead of what was taken", async () => {
    const { fleet } = fleetOf(2);
    let pulled = 0;
    function* groups() {
      for (let id = 0; id < 40; id++) {
        pulled++;
        yield [{ id }];
      }
    }
    let taken = 0;
    for await (const _ of fleet.run({ scale: 1 }, groups(), loader(40).load)) {
      taken++;
      assert.ok(pulled <= taken + 4, `${pulled} pulled, ${taken} taken`);
    }
    assert.equal(taken, 40);
    fleet.close();
  });

  Deno.test("fleet loses and doubles nothing under failures, deaths and memory faults", async () => {
    const does = fc.constantFrom<Item["does"]>("throw", "die", "throw once", "die once", "memory");
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(does, { nil: undefined, freq: 7 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 16 }),
        fc.integer({ min: 1, max: 3 }),
        fc.boolean(),
        async (faults, size, workers, asCompleted) => {
          const items: Item[] = faults.map((fault, id) => fault === undefined ? { id } : { id, does: fault });
          const { fleet } = fleetOf(workers);
          const run = fleet.run({ scale: 3 }, grouped(items, size), loader(items.length).load, {
            asCompleted,
          });
          const { failed, seen } = settle(await collect(run), items, 3);
          if (!asCompleted) assert.deepEqual(seen, items.map(({ id }) => id));
          const bad = items.filter((item) => item.does === "throw" || item.does === "die").map(({ id }) =>
            id
          );
          assert.deepEqual(failed.toSorted((a, b) => a - b), bad);
          fleet.close();
        },
      ),
      { numRuns: 15, seed: 7 },
    );
  });

  Deno.test("fleet gives up a worker that does not answer, and its item after two", async () => {
    const { fleet, notices } = fleetOf(2, { patience: 300 });
    const items: Item[] = [{ id: 0 }, { id: 1, does: "hang" }, { id: 2 }, { id: 3 }];
    const pieces = await collect(fleet.run({ scale: 1 }, grouped(items, 2), loader(4).load));
    assert.deepEqual(settle(pieces, items, 1).failed, [1]);
    assert.ok(notices.some((text) => /no answer for/.test(text)), notices.join("\n"));
    fleet.close();
  });

  Deno.test("fleet halves a batch that does not fit in memory at once", async () => {
    const { fleet } = fleetOf(1);
    const items: Item[] = Array.from({ length: 8 }, (_, id) => id === 5 ? { id, does: "memory" } : { id });
    const { load, seen } = loader(8);
    const pieces = await collect(fleet.run({ scale: 1 }, [items], load));
    assert.deepEqual(settle(pieces, items, 1).failed, []);
    assert.deepEqual(pieces.map((piece) => piece.items.length), [4, 2, 2]);
    assert.equal(seen[5], 3);
    fleet.close();
  });

  Deno.test("fleet reports a fault of the job as such", async () => {
    const { fleet } = fleetOf(2);
    await assert.rejects(
      collect(fleet.run({ scale: 1, fault: "no parameter tef" }, [[{ id: 0 }], [{ id: 1 }]], loader(2).load)),
      (error) =>
        error instanceof JobError && error.causeName === "InputError" && error.message === "no parameter tef",
    );
    const items = [{ id: 0 }];
    settle(await collect(fleet.run({ scale: 1 }, [items], loader(1).load)), items, 1);
    fleet.close();
  });

  Deno.test("fleet passes on what loading a batch throws", async () => {
    const { fleet } = fleetOf(1);
    const run = fleet.run({ scale: 1 }, [[{ id: 0 }]], () => {
      throw new RangeError("file cut short");
    });
    await assert.rejects(collect(run), /file cut short/);
    fleet.close();
  });

  Deno.test("fleet says so when no worker can be started", async () => {
    const { fleet, notices } = fleetOf(2, { shared: "never" });
    await assert.rejects(collect(fleet.run({ scale: 1 }, [[{ id: 0 }]], loader(1).load)), /no such device/);
    assert.equal(notices.filter((text) => /does not start/.test(text)).length, 2);
    await assert.rejects(fleet.start(), /no such device/);
    fleet.close();
  });

  Deno.test("fleet hands out what is done, then stops, on an abort", async () => {
    const { fleet } = fleetOf(2);
    const items: Item[] = Array.from({ length: 200 }, (_, id) => ({ id, does: "slow" }));
    const stop = new AbortController();
    const got: number[] = [];
    const run = async () => {
      const options = { signal: stop.signal, asCompleted: true };
      for await (const piece of fleet.run({ scale: 1 }, grouped(items, 1), loader(200).load, options)) {
        got.push(...piece.items.map(({ id }) => id));
        if (got.length === 5) stop.abort(new Error("interrupted"));
      }
    };
    await assert.rejects(run(), /interrupted/);
    assert.ok(got.length >= 5 && got.length <= 10, `${got.length}`);
    assert.equal(new Set(got).size, got.length);
    const rest = items.slice(0, 3).map(({ id }) => ({ id }));
    settle(await collect(fleet.run({ scale: 1 }, [rest], loader(3).load)), rest, 1);
    fleet.close();
  });

  Deno.test("fleet serves several runs at once", async () => {
    const { fleet } = fleetOf(2);
    const jobs = Array.from({ length: 9 }, (_, i) => ({ scale: i + 1 }));
    const items: Item[] = Array.from({ length: 12 }, (_, id) => id === 7 ? { id, does: "die once" } : { id });
    await Promise.all(jobs.map(async (job) => {
      const pieces = await collect(fleet.run(job, grouped(items, 3), loader(12).load));
      assert.deepEqual(settle(pieces, items, job.scale).failed, []);
    }));
    fleet.close();
  });
}
