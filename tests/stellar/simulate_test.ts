import assert from "node:assert/strict";
import { philox, RandomStream } from "../../core/stellar/random.ts";

function block(counter: number[], k0: number, k1: number): string[] {
  const words = new Uint32Array(counter);
  philox(words, k0, k1);
  return [...words].map((w) => w.toString(16).padStart(8, "0"));
}

Deno.test("philox() gives the known answers of Random123", () => {
  assert.deepEqual(block([0, 0, 0, 0], 0, 0), ["6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"]);
  const ones = 0xffffffff;
  assert.deepEqual(block([ones, ones, ones, ones], ones, ones), [
    "408f276d",
    "41c83b0e",
    "a20bc7c6",
    "6d5451fd",
  ]);
  assert.deepEqual(
    block([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], 0xa4093822, 0x299f31d0),
    ["d16cfe09", "94fdcceb", "5001e420", "24126ea1"],
  );
});

Deno.test("RandomStream addresses deviates by index", () => {
  const stream = new RandomStream(7, 11, 2);
  const normals = stream.normals(new Float64Array(1001));
  const uniforms = stream.uniforms(new Float64Array(1001));
  for (const i of [0, 1, 500, 999, 1000]) {
    assert.equal(normals[i], stream.normal(i));
    assert.equal(uniforms[i], stream.uniform(i));
  }
  assert.notEqual(stream.normal(3), new RandomStream(7, 12, 2).normal(3));
  assert.notEqual(stream.normal(3), new RandomStream(7, 11, 3).normal(3));
  assert.notEqual(stream.normal(3), new RandomStream(8, 11, 2).normal(3));
  assert.throws(() => new RandomStream(-1, 0, 0), /seed must be/);
});

Deno.test("RandomStream: moments of a million deviates", () => {
  const n = 1_000_000;
  const z = new RandomStream(1, 0, 0).normals(new Float64Array(n));
  let sum = 0, square = 0, cube = 0, fourth = 0;
  for (const x of z) {
    sum += x;
    square += x * x;
    cube += x ** 3;
    fourth += x ** 4;
  }
  // Five standard errors each.
  assert.ok(Math.abs(sum / n) < 5 / Math.sqrt(n));
  assert.ok(Math.abs(square / n - 1) < 5 * Math.sqrt(2 / n));
  assert.ok(Math.abs(cube / n) < 5 * Math.sqrt(15 / n));
  assert.ok(Math.abs(fourth / n - 3) < 5 * Math.sqrt(96 / n));
  const u = new RandomStream(1, 0, 1).uniforms(new Float64Array(n));
  const mean = u.reduce((a, b) => a + b, 0) / n;
  assert.ok(Math.abs(mean - 0.5) < 5 * Math.sqrt(1 / 12 / n));
});
