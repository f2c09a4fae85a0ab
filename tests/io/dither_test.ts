import assert from "node:assert/strict";
import { dequantise, type Quantisation } from "../../core/io/dither.ts";

function restored(integers: number[], rule: Quantisation): number[] {
  const out = new Float64Array(integers.length);
  dequantise(integers, 3, 0.5, 10, rule, out);
  return [...out];
}

const BLANK = -2147483647;
const ZERO = -2147483646;

Deno.test("the blank integer is NaN with every dither, the zero code an exact zero with the second only", () => {
  const integers = [7, BLANK, ZERO];
  const rule = { seed: 5, blank: BLANK } as const;
  assert.deepEqual(restored(integers, { ...rule, dither: "none" }), [13.5, NaN, ZERO * 0.5 + 10]);
  const first = restored(integers, { ...rule, dither: "subtractive-1" });
  const second = restored(integers, { ...rule, dither: "subtractive-2" });
  assert.ok(Number.isNaN(first[1]) && Number.isNaN(second[1]));
  assert.ok(first[2] < -1e9);
  assert.equal(second[2], 0);
  assert.equal(first[0], second[0]);
  assert.ok(Math.abs(first[0] - 13.5) <= 0.25);
});

Deno.test("dither wraps around its 10000 random numbers", () => {
  const long = restored(new Array(25000).fill(0), { dither: "subtractive-1", seed: 10000, blank: null });
  assert.ok(long.every((x) => Math.abs(x - 10) <= 0.25));
  const mean = long.reduce((sum, x) => sum + x, 0) / long.length;
  assert.ok(Math.abs(mean - 10) < 0.005);
});
