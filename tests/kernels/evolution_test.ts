import assert from "node:assert/strict";
import { evolutionStart, evolutionStep } from "../../core/kernels/evolution.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { generator } from "../../gpu/parity/case.ts";
import { drawn, lossconeConstants, tablesOf } from "../../gpu/parity/losscone_cases.ts";
import { call } from "./harness.ts";

const M = 20, S = 60;

function begun(METHOD = 0) {
  const next = generator(7), d = { B: 4, R: 15, P: 40 };
  const tables = tablesOf(d, METHOD, lossconeConstants(), next, loadWasmTarget());
  const seeds = drawn(S, next), members = drawn(M, next);
  const first = call(evolutionStart, { ...d, METHOD, S, M }, { ...tables, seeds, members });
  return { d: { ...d, METHOD, M }, tables, seeds, members, first };
}

const settings = Float64Array.of(0.5, 0.9, 1e-3, 1e-3), key = Int32Array.of(42, 0);

Deno.test("evolution_start: member 0 is the best seed, an empty sweep does not begin", () => {
  const { first, members } = begun();
  assert.deepEqual(Array.from(first.state!), [0, 1, 0, 0, 0, 1, 0, 1]);
  assert.ok(first.values!.subarray(M, 2 * M).every(Number.isNaN));
  assert.deepEqual(first.population!.subarray(3, 3 * M), members.subarray(3));
});

for (const METHOD of [0, 1]) {
  Deno.test(`evolution_step: no member ever gets worse, all stay within bounds, method ${METHOD}`, () => {
    const { d, tables, first } = begun(METHOD), constants = lossconeConstants();
    let now = first;
    for (let k = 0; k < 6; k++) {
      const later = call(evolutionStep, { ...d, G: 3, MOST: 500 }, { ...tables, ...now, settings, key });
      later.values!.forEach((v, i) => assert.ok(Number.isNaN(v) || v <= now.values![i]!));
      now = later;
    }
    now.population!.subarray(0, 3 * M).forEach((v, i) => {
      assert.ok(v >= constants[3 + 2 * (i % 3)]! && v <= constants[4 + 2 * (i % 3)]!);
    });
    const sum = (values: Float64Array) => values.subarray(0, M).reduce((a, b) => a + b, 0);
    assert.ok(sum(now.values!) < 0.9 * sum(first.values!));
  });
}

Deno.test("evolution_step: 6 generations are 3 and 3; one sweep alone goes as in a batch; MOST ends it", () => {
  const { d, tables, first } = begun();
  const run = (G: number, from: typeof first, MOST = 500) =>
    call(evolutionStep, { ...d, G, MOST }, { ...tables, ...from, settings, key });
  const whole = run(6, first);
  assert.deepEqual(run(3, run(3, first)), whole);
  assert.deepEqual(Array.from(run(9, first, 4).state!), [4, 0, 0, 0, 4, 0, 4, 0]);
  const per = (name: string, n: number) => [name, (tables[name] as Float64Array).slice(0, n)] as const;
  const cells = 15 * 40;
  const own = Object.fromEntries([
    per("energy", 15),
    per("potential", 15),
    per("sine", cells),
    per("beam", cells),
    per("y", cells),
    per("prefix", 15 * 41),
    per("cells", 15),
  ]);
  const alone = call(evolutionStep, { ...d, B: 1, G: 6, MOST: 500 }, {
    ...own,
    constants: tables.constants!,
    population: first.population!.slice(0, 3 * M),
    values: first.values!.slice(0, M),
    state: first.state!.slice(0, 2),
    settings,
    key,
  });
  assert.deepEqual(alone.population, whole.population!.slice(0, 3 * M));
});
