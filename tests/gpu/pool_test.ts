import assert from "node:assert/strict";
import { Pool } from "../../gpu/pool.ts";

/** A source that counts; it refuses slabs above `most`. */
function source(most = Infinity) {
  const held = new Map<bigint, number>();
  let next = 1n << 40n;
  return {
    held,
    allocate(bytes: number): bigint {
      if (bytes > most) throw new RangeError("out of memory");
      const address = next;
      next += BigInt(bytes) + 4096n;
      held.set(address, bytes);
      return address;
    },
    free(address: bigint): void {
      assert.ok(held.delete(address), "freed once, and only what was given");
    },
  };
}

Deno.test("Pool hands out room without overlap, in any order of marks and sizes", () => {
  let state = 5;
  const next = (n: number) => (state = state * 1103515245 + 12345 & 0x7fffffff) % n;
  const from = source();
  const pool = new Pool(from, 10_000);
  const stack: { mark: number; live: number }[] = [];
  const live: { at: bigint; bytes: number }[] = [];
  for (let i = 0; i < 3000; i++) {
    const what = next(10);
    if (what === 0) stack.push({ mark: pool.position, live: live.length });
    else if (what === 1 && stack.length > 0) {
      const { mark, live: n } = stack.pop()!;
      pool.release(mark);
      live.length = n;
    } else if (live.length < 40) {
      const bytes = next(20) === 0 ? 25_000 + next(9000) : next(900);
      const at = pool.allocate(bytes);
      for (const other of live) {
        assert.ok(
          at + BigInt(bytes) <= other.at || other.at + BigInt(other.bytes) <= at || bytes === 0 ||
            other.bytes === 0,
        );
      }
      assert.ok(
        [...from.held].some(([a, n]) => at >= a && at + BigInt(bytes) <= a + BigInt(n)),
        "inside a slab",
      );
      live.push({ at, bytes });
    }
  }
  pool.clear();
  assert.equal(from.held.size, 0);
});

Deno.test("Pool takes a slab of just the size where a whole one is refused", () => {
  const pool = new Pool(source(5000), 10_000);
  assert.ok(pool.allocate(4000) > 0n);
  assert.throws(() => pool.allocate(6000), RangeError);
  assert.equal(pool.held, 4096);
});

Deno.test("Pool without slabs gives everything back at once, exactly as large as asked for", () => {
  const from = source();
  const pool = new Pool(from, 0);
  pool.allocate(10);
  const mark = pool.position;
  pool.allocate(33);
  pool.allocate(0);
  assert.deepEqual([...from.held.values()], [10, 33, 1]);
  pool.release(mark);
  assert.deepEqual([...from.held.values()], [10]);
});
