import assert from "node:assert/strict";
import {
  electronCurrent,
  photoelectronPotential,
  shadowCurrents,
  shadowPotential,
} from "../../core/kernels/currents.ts";
import { thermalSpeedOf } from "../../core/losscone/kappa_distribution.ts";
import { slowElectronCurrent, slowShadowCurrents, slowSunlitCurrent } from "../reference/currents.ts";
import { dataTest } from "../shared_data.ts";
import { assertClose, call } from "./harness.ts";
import { oracle, rowOf } from "./oracle.ts";

const ORACLE = "losscone/kernels/kappa.npz";

/** n, κ, θ of the oracle's plasmas. */
function plasma(path: string) {
  const member = oracle(path), table = member("plasma"), B = table.length / 3;
  const column = (i: number) => Float64Array.from({ length: B }, (_, b) => table[3 * b + i]!);
  return { member, B, density: column(0), kappa: column(1), theta: column(2) };
}

dataTest("electron_current reproduces the oracle at 10 and at 100 energies", [ORACLE], (path) => {
  const { member, B, ...inputs } = plasma(path!);
  for (const P of [10, 100]) {
    const { current } = call(electronCurrent, { B, P }, inputs);
    const expected = member(`je_simpson${P}`);
    for (let b = 0; b < B; b++) assertClose([current![b]!], [expected[b]!], 1e-12, `P = ${P}, ${b}`);
  }
});

Deno.test("electron_current: odd and even numbers of energies agree with the slow rule", () => {
  const inputs = {
    density: Float64Array.of(1e6, 3e5),
    kappa: Float64Array.of(2.6, 5.5),
    theta: Float64Array.of(2e6, 9e6),
  };
  for (const P of [3, 4, 5, 10, 33, 100, 101]) {
    const { current } = call(electronCurrent, { B: 2, P }, inputs);
    for (let b = 0; b < 2; b++) {
      const expected = slowElectronCurrent(inputs.density[b]!, inputs.kappa[b]!, inputs.theta[b]!, P);
      assertClose([current![b]!], [expected], 1e-12, `P = ${P}`);
    }
  }
});

dataTest("photoelectron_potential reproduces the oracle's roots", [ORACLE], (path) => {
  const member = oracle(path!), current = member("ju_J_target");
  const { potential } = call(photoelectronPotential, { B: current.length }, { current });
  assertClose(potential!, member("ju_U_of_J"), 1e-12, "U");
  const curve = member("ju_U");
  assertClose(Float64Array.from(curve, slowSunlitCurrent), member("ju_J"), 1e-15, "J");
});

Deno.test("photoelectron_potential: the ends of the curve, and NaN beyond them", () => {
  const at = (u: number) => slowSunlitCurrent(u);
  const current = Float64Array.of(
    at(0),
    at(150),
    at(1e-9),
    at(75),
    at(0) * 1.0001,
    at(150) * 0.9999,
    0,
    NaN,
    Infinity,
  );
  const { potential } = call(photoelectronPotential, { B: current.length }, { current });
  assertClose(potential!.subarray(0, 4), [0, 150, 1e-9, 75], 1e-13, "U", 150);
  assert.ok(Math.abs(potential![2]! - 1e-9) < 1e-14);
  assert.ok(potential!.subarray(4).every(Number.isNaN));
});

dataTest("shadow_currents reproduces the oracle's triples", [ORACLE], (path) => {
  const { member, B, ...inputs } = plasma(path!);
  const trial = member("shade_U"), N = trial.length;
  const potential = Float64Array.from({ length: B * N }, (_, i) => trial[i % N]!);
  const { currents } = call(shadowCurrents, { B, N }, { ...inputs, potential });
  const expected = member("shade_Je_Jsee_Ji");
  for (let i = 0; i < expected.length; i++) {
    assertClose([currents![i]!], [expected[i]!], 1e-12, `triple ${i}`);
  }
});

dataTest(
  "shadow_potential reproduces the oracle's floating potentials, NaN where it has none",
  [ORACLE],
  (path) => {
    const { member, B, ...inputs } = plasma(path!);
    const { potential, state } = call(shadowPotential, { B }, inputs);
    const expected = member("shade_float_U");
    for (let b = 0; b < B; b++) {
      // the reference brackets its roots to 1e-3 V
      if (Number.isNaN(expected[b]!)) assert.deepEqual([potential![b], state![b]], [NaN, 1]);
      else {assert.ok(
          Math.abs(potential![b]! - expected[b]!) < 1e-3 && state![b] === 0,
          `${b}: ${potential![b]}`,
        );}
    }
  },
);

Deno.test("shadow_potential: the currents balance at the root, or change sign there", () => {
  const B = 24;
  const kappa = Float64Array.from({ length: B }, (_, i) => 2.5 + 3.4 * ((i * 7) % B) / B);
  const inputs = {
    density: Float64Array.from({ length: B }, (_, i) => 1e5 * 10 ** (2 * i / B)),
    kappa,
    theta: kappa.map((k, i) => thermalSpeedOf(k, 8 * 30 ** (i / B))),
  };
  const { potential, state } = call(shadowPotential, { B }, inputs);
  let roots = 0;
  for (let b = 0; b < B; b++) {
    const sum = (u: number) => {
      const [je, jsee, ji] = slowShadowCurrents(inputs.density[b]!, kappa[b]!, inputs.theta[b]!, u);
      return ji! + jsee! - je!;
    };
    if (state![b] !== 0) {
      assert.ok(Number.isNaN(potential![b]!));
      assert.ok(Math.sign(sum(-1500)) === Math.sign(sum(0)), `${b}`);
      continue;
    }
    roots++;
    const u = potential![b]!;
    assert.ok(sum(u - 2e-10) > 0 !== sum(u + 2e-10) > 0 || Math.abs(sum(u)) < 1e-20, `${b}: ${u}`);
  }
  assert.ok(roots > B / 2);
});

Deno.test("a distribution that is none makes NaN of itself alone", () => {
  const inputs = {
    density: Float64Array.of(1e6, NaN, 1e6, 1e6),
    kappa: Float64Array.of(3, 3, NaN, 3),
    theta: Float64Array.of(3e6, 3e6, 3e6, NaN),
  };
  const alone = {
    density: inputs.density.subarray(0, 1),
    kappa: inputs.kappa.subarray(0, 1),
    theta: inputs.theta.subarray(0, 1),
  };
  const { potential, state } = call(shadowPotential, { B: 4 }, inputs);
  assert.deepEqual(potential!.subarray(0, 1), call(shadowPotential, { B: 1 }, alone).potential);
  assert.ok(potential!.subarray(1).every(Number.isNaN));
  assert.deepEqual([...state!], [0, 3, 3, 3]);
  const { current } = call(electronCurrent, { B: 4, P: 10 }, inputs);
  assert.ok(current![0]! > 0 && current!.subarray(1).every(Number.isNaN));
});

Deno.test("empty batches of all currents", () => {
  const none = { density: new Float64Array(0), kappa: new Float64Array(0), theta: new Float64Array(0) };
  assert.equal(call(electronCurrent, { B: 0, P: 10 }, none).current!.length, 0);
  assert.equal(call(photoelectronPotential, { B: 0 }, { current: new Float64Array(0) }).potential!.length, 0);
  assert.equal(
    call(shadowCurrents, { B: 0, N: 3 }, { ...none, potential: new Float64Array(0) }).currents!.length,
    0,
  );
  assert.equal(call(shadowPotential, { B: 0 }, none).potential!.length, 0);
});

dataTest("rows of the oracle's triples are in the order of its plasmas", [ORACLE], (path) => {
  const { member, B, kappa, theta, density } = plasma(path!);
  const trial = member("shade_U"), all = member("shade_Je_Jsee_Ji");
  for (let b = 0; b < B; b += 5) {
    const slow = Float64Array.from(
      [...trial].flatMap((u) => slowShadowCurrents(density[b]!, kappa[b]!, theta[b]!, u)),
    );
    const expected = rowOf(all, b, 3 * trial.length);
    slow.forEach((v, i) => assertClose([v], [expected[i]!], 1e-12, `${b}, ${i}`));
  }
});
