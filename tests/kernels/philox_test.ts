import assert from "node:assert/strict";
import { philoxWords } from "../../core/kernels/philox.ts";
import { philox } from "../../core/random.ts";
import { call } from "./harness.ts";

const words = (counter: number[], key: number[]) =>
  Array.from(
    call(philoxWords, { B: counter.length / 4 }, {
      counter: Int32Array.from(counter, (w) => w | 0),
      key: Int32Array.from(key, (w) => w | 0),
    }).words!,
    (w) => w >>> 0,
  );

Deno.test("philox_words: known answers of the paper's library", () => {
  // kat_vectors of Random123, philox 4x32 10
  assert.deepEqual(words([0, 0, 0, 0], [0, 0]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  const ones = 0xffffffff;
  assert.deepEqual(words([ones, ones, ones, ones], [ones, ones]), [
    0x408f276d,
    0x41c83b0e,
    0xa20bc7c6,
    0x6d5451fd,
  ]);
});

Deno.test("philox_words is the generator of core/random.ts; empty batch", () => {
  for (let k = 0; k < 50; k++) {
    const counter = [k, k * 77777, 0x9e3779b9 ^ k, 4294967295 - k], key = [k * 31, 4294967295 - 7 * k];
    const expected = Uint32Array.from(counter);
    philox(expected, key[0]!, key[1]!);
    assert.deepEqual(words(counter, key), Array.from(expected));
  }
  assert.deepEqual(words([], [1, 2]), []);
});
