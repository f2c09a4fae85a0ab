import assert from "node:assert/strict";
import { kappaChisq, kappaFit, kappaFlux, kappaPrepare, kappaResponse } from "../../core/kernels/kappa.ts";
import { countFactors, simulatedThetas, solidAngles } from "../../core/losscone/cells.ts";
import { kappaFlux as slowFlux } from "../../core/losscone/kappa_distribution.ts";
import { slowDeviance, slowKappaChisq, slowResponse } from "../reference/kappa.ts";
import { random } from "../reference/random.ts";
import { dataTest } from "../shared_data.ts";
import { assertClose, call } from "./harness.ts";
import { oracle, rowOf } from "./oracle.ts";

const KERNELS = "losscone/kernels/kappa.npz";
const SPECTRA = "losscone/kappa_case.npz";

/** The reference's energies, 20000 … 40 eV. */
const ENERGY = Float64Array.from({ length: 15 }, (_, i) => 20000 * (40 / 20000) ** (i / 14));
const R = 15;

dataTest("kappa_flux reproduces the oracle's grid", [KERNELS], (path) => {
  const member = oracle(path!);
  const kappas = member("kappa_grid"), thetas = member("theta_grid"), energy = member("energy_grid");
  const B = kappas.length * thetas.length, N = energy.length;
  const { flux } = call(kappaFlux, { B, N }, {
    energy: Float64Array.from({ length: B * N }, (_, i) => energy[i % N]!),
    density: new Float64Array(B).fill(member("density")[0]!),
    kappa: Float64Array.from({ length: B }, (_, b) => kappas[Math.floor(b / thetas.length)]!),
    theta: Float64Array.from({ length: B }, (_, b) => thetas[b % thetas.length]!),
  });
  const expected = member("omni_flux");
  flux!.forEach((value, i) => assertClose([value], [expected[i]!], 1e-12, `J ${i}`));
});

dataTest("kappa_response reproduces the oracle's matrix", [KERNELS], (path) => {
  const member = oracle(path!);
  const { response } = call(kappaResponse, { B: 1, R }, { energy: member("response_energy") });
  assertClose(response!, member("response_W"), 1e-14, "W");
});

dataTest("kappa_chisq reproduces the oracle's 20 × 32 values", [KERNELS], (path) => {
  const member = oracle(path!), B = 20, P = 32;
  const { chi2 } = call(kappaChisq, { B, P, R }, {
    energy: Float64Array.from({ length: B * R }, (_, i) => member("response_energy")[i % R]!),
    flux: member("chi2_flux"),
    weight: member("chi2_weights"),
    density: member("chi2_density"),
    trial: member("chi2_params"),
  });
  const expected = member("chi2");
  chi2!.forEach((value, i) => assertClose([value], [expected[i]!], 1e-10, `chi2 ${i}`));
});

/** Sweeps of the oracle as inputs of kappa_prepare; its spectra are isotropic, so that either polarity will do. */
function prepared(path: string, polarity: number, B = 100) {
  const member = oracle(path), theta = member("theta"), C = theta.length, phi = member("phi");
  const mag = member("mag");
  const inputs = {
    energy: Float64Array.from({ length: B * R }, (_, i) => member("energy")[i % R]!),
    potential: new Float64Array(B * R),
    phi: Float64Array.from({ length: B * R * C }, (_, i) => phi[i % C]!),
    flux: member("flux").slice(0, B * R * C),
    field: Float64Array.from({ length: B * R * 3 }, (_, i) => mag[3 * Math.floor(i / (3 * R)) + i % 3]!),
    polarity: new Float64Array(B * R).fill(polarity),
    theta,
    solid: solidAngles(theta),
    factor: countFactors(theta),
  };
  return { member, dims: { B, R, C }, inputs, out: call(kappaPrepare, { B, R, C }, inputs) };
}

dataTest(
  "kappa_prepare reproduces flux, weights and density; rows without counts have no weight",
  [SPECTRA],
  (path) => {
    const { member, out } = prepared(path!, -1);
    const weights = member("prep_weights"), omni = member("prep_omni_flux");
    let empty = 0;
    for (let i = 0; i < weights.length; i++) {
      assertClose([out.omni![i]!], [omni[i]!], 1e-12, `J ${i}`);
      if (out.counts![i] === 0) {
        empty++;
        assert.equal(out.weight![i], 0);
      } else assertClose([out.weight![i]!], [weights[i]!], 1e-12, `w ${i}`);
    }
    assert.ok(empty > 0);
    member("prep_density").forEach((n, b) => assertClose([out.density![b]!], [n], 1e-12, "density"));
  },
);

dataTest("defect: polarity +1 and −1 give the same densities on isotropic spectra", [SPECTRA], (path) => {
  const [plus, minus] = [1, -1].map((p) => prepared(path!, p).out.density!);
  const ratio = plus!.map((n, b) => n / minus![b]!).sort();
  assert.ok(Math.abs(ratio[50]! - 1) < 0.02, `median ratio ${ratio[50]}`);
  assert.ok(ratio[5]! > 0.8 && ratio[94]! < 1.25, `5 % ${ratio[5]}, 95 % ${ratio[94]}`);
});

const SETTINGS = Float64Array.of(2.5, 6, 6, 8, Math.hypot(0.05, 0.1));

dataTest("kappa_fit on the oracle's spectra: better than the reference in κ and T", [SPECTRA], (path) => {
  const { member, inputs, out } = prepared(path!, -1), B = 100;
  const fit = call(kappaFit, { B, R, RESPONSE: 1 }, {
    ...inputs,
    incident: out.incident!,
    exposure: out.exposure!,
    settings: SETTINGS,
  });
  const kappa = member("true_kappa"), theta = member("true_theta");
  const median = (v: number[]) => v.sort((a, b) => a - b)[Math.floor(v.length / 2)]!;
  const heat = (k: number, t: number) => t * t * k / (k - 1.5);
  const dk: number[] = [], dt: number[] = [];
  let bound = 0;
  for (let b = 0; b < B; b++) {
    const k = fit.solution![3 * b]!, t = 10 ** fit.solution![3 * b + 1]!;
    dk.push(Math.abs(k - kappa[b]!));
    dt.push(Math.abs(heat(k, t) / heat(kappa[b]!, theta[b]!) - 1));
    assert.equal(fit.state![3 * b], 0, `sweep ${b} did not converge`);
    assert.equal(fit.state![3 * b + 1], R);
    if (fit.state![3 * b + 2] !== 0) bound++;
  }
  console.log(median(dk), median(dt), bound);
  assert.ok(median(dk) <= 0.18, `|Δκ| ${median(dk)}`);
  assert.ok(median(dt) <= 0.1, `|ΔT|/T ${median(dt)}`);
  assert.ok(bound < 0.24 * B, `${bound} at a bound`);
});

/** Exact counts of a distribution, rounded, on energies of its own. */
function counted(n: number, kappa: number, theta: number, energy: Float64Array, response: boolean) {
  const exposure = energy.map((e) => 0.4 * e / (4 * Math.PI));
  const w = slowResponse([...energy]);
  const j = [...energy].map((e) => slowFlux({ density: n, kappa, theta }, e));
  const seen = response ? w.map((row) => row.reduce((sum, v, k) => sum + v * j[k]!, 0)) : j;
  return { exposure, incident: Float64Array.from(seen, (v, i) => Math.round(v * exposure[i]!)) };
}

for (const RESPONSE of [0, 1]) {
  Deno.test(`kappa_fit finds the distribution that counts were made of, response ${RESPONSE}`, () => {
    const truths = [[1e6, 3, 3e6], [8e6, 5.5, 2e6], [3e5, 2.7, 6e6], [2e6, 4.2, 8e6]] as const;
    const grids = truths.map((_, b) => ENERGY.map((e) => e * (1 + 0.3 * b)));
    const sweeps = truths.map(([n, k, t], b) => counted(n, k, t, grids[b]!, RESPONSE === 1));
    const join = (parts: Float64Array[]) => Float64Array.from(parts.flatMap((p) => [...p]));
    const inputs = {
      energy: join(grids),
      potential: new Float64Array(4 * R),
      incident: join(sweeps.map((s) => s.incident)),
      exposure: join(sweeps.map((s) => s.exposure)),
      settings: SETTINGS,
    };
    const fit = call(kappaFit, { B: 4, R, RESPONSE }, inputs);
    truths.forEach(([n, k, t], b) => {
      assert.ok(Math.abs(fit.solution![3 * b]! - k) < 0.02, `κ ${fit.solution![3 * b]} of ${k}`);
      assert.ok(Math.abs(10 ** fit.solution![3 * b + 1]! / t - 1) < 0.01);
      assert.ok(Math.abs(Math.exp(fit.solution![3 * b + 2]!) / n - 1) < 0.02);
      // a batch of one, on its own energies, is the same to the bit
      const cut = (a: Float64Array) => a.slice(b * R, (b + 1) * R);
      const alone = call(kappaFit, { B: 1, R, RESPONSE }, {
        energy: cut(inputs.energy),
        potential: cut(inputs.potential),
        incident: cut(inputs.incident),
        exposure: cut(inputs.exposure),
        settings: SETTINGS,
      });
      for (const name of ["solution", "covariance"]) {
        assert.deepEqual(alone[name], rowOf(fit[name]!, b, alone[name]!.length));
      }
    });
  });
}

/** Sweeps of few and of many counts, on energies of their own. */
function drawn(B: number, seed: number) {
  const next = random(seed);
  const parts = Array.from({ length: B }, () => {
    const energy = ENERGY.map((e) => e * (0.7 + 0.6 * next()));
    const one = counted(
      10 ** (3.5 + 3.5 * next()),
      2.6 + 3.3 * next(),
      10 ** (6.1 + 0.8 * next()),
      energy,
      true,
    );
    return {
      energy,
      exposure: one.exposure,
      incident: one.incident.map((n) => Math.round(n * (1 + 0.1 * next()))),
    };
  });
  const join = (name: "energy" | "exposure" | "incident") =>
    Float64Array.from(parts.flatMap((p) => [...p[name]]));
  return {
    parts,
    inputs: {
      energy: join("energy"),
      potential: new Float64Array(B * R),
      incident: join("incident"),
      exposure: join("exposure"),
      settings: SETTINGS,
    },
  };
}

Deno.test("kappa_fit: no point of a fine grid is better, and none near the answer", () => {
  const B = 30, { parts, inputs } = drawn(B, 5);
  const fit = call(kappaFit, { B, R, RESPONSE: 1 }, inputs);
  for (let b = 0; b < B; b++) {
    if (fit.state![3 * b]! >= 2) continue;
    const sweep = {
      energy: [...parts[b]!.energy],
      potential: new Array(R).fill(0),
      incident: [...parts[b]!.incident],
      exposure: [...parts[b]!.exposure],
    };
    const [k, t] = [fit.solution![3 * b]!, fit.solution![3 * b + 1]!];
    const at = (kappa: number, lg: number) => slowDeviance(sweep, kappa, lg, true, SETTINGS[4]!);
    const found = at(k, t);
    assertClose([fit.deviance![b]!], [found.deviance], 1e-9, "D", 1 + found.deviance);
    assertClose([Math.exp(fit.solution![3 * b + 2]!)], [found.density], 1e-10, "n");
    const least = found.deviance - 1e-9 * (1 + found.deviance);
    for (let i = 0; i <= 20; i++) {
      for (let j = 0; j <= 60; j++) {
        const other = at(2.5 + 3.5 * i / 20, 6 + 2 * j / 60).deviance;
        assert.ok(
          !(other < least),
          `${b}: ${other} < ${found.deviance} at ${2.5 + 3.5 * i / 20}, ${6 + 2 * j / 60}`,
        );
      }
    }
    for (
      const [dk, dt] of [[1e-4, 0], [-1e-4, 0], [0, 1e-5], [0, -1e-5], [1e-4, 1e-5], [-1e-4, -1e-5]] as const
    ) {
      if (k + dk < 2.5 || k + dk > 6 || t + dt < 6 || t + dt > 8) continue;
      assert.ok(at(k + dk, t + dt).deviance >= least);
    }
  }
});

Deno.test("kappa_chisq: rows of missing energy are left out", () => {
  const energy = ENERGY.slice(),
    flux = ENERGY.map((e) => slowFlux({ density: 1e6, kappa: 3, theta: 3e6 }, e));
  energy[4] = NaN;
  energy[14] = 0;
  const weight = new Float64Array(R).fill(8), trial = Float64Array.of(3.3, 6.5, 5, 6.4);
  const { chi2 } = call(kappaChisq, { B: 1, P: 2, R }, {
    energy,
    flux,
    weight,
    density: Float64Array.of(2e6),
    trial,
  });
  for (const p of [0, 1]) {
    const expected = slowKappaChisq([...energy], [...flux], [...weight], 2e6, [
      trial[2 * p]!,
      trial[2 * p + 1]!,
    ]);
    assertClose([chi2![p]!], [expected], 1e-12, "chi2");
  }
});

Deno.test("kappa_fit says why it has no answer, and leaves the neighbours alone", () => {
  const B = 4, { inputs } = drawn(B, 9);
  const whole = call(kappaFit, { B, R, RESPONSE: 1 }, inputs);
  const broken = {
    ...inputs,
    energy: inputs.energy.slice(),
    incident: inputs.incident.slice(),
    exposure: inputs.exposure.slice(),
  };
  broken.energy.fill(NaN, 2, R); // two rows left of the first
  broken.incident.fill(0, R, 2 * R - 1); // one row with counts in the second
  broken.exposure.fill(NaN, 2 * R, 3 * R);
  const fit = call(kappaFit, { B, R, RESPONSE: 1 }, broken);
  assert.deepEqual([0, 1, 2].map((b) => fit.state![3 * b]), [2, 3, 2]);
  for (const b of [0, 1, 2]) assert.ok(rowOf(fit.solution!, b, 3).every(Number.isNaN));
  assert.deepEqual(rowOf(fit.solution!, 3, 3), rowOf(whole.solution!, 3, 3));
});

Deno.test("kappa kernels: empty batches", () => {
  const none = new Float64Array(0), settings = SETTINGS;
  call(kappaFlux, { B: 0, N: 4 }, { energy: none, density: none, kappa: none, theta: none });
  call(kappaResponse, { B: 0, R }, { energy: none });
  call(kappaChisq, { B: 0, P: 2, R }, { energy: none, flux: none, weight: none, density: none, trial: none });
  const theta = simulatedThetas(), C = theta.length;
  const cells = { theta, solid: solidAngles(theta), factor: countFactors(theta) };
  call(kappaPrepare, { B: 0, R, C }, {
    energy: none,
    potential: none,
    phi: none,
    flux: none,
    field: none,
    polarity: none,
    ...cells,
  });
  call(kappaFit, { B: 0, R, RESPONSE: 1 }, {
    energy: none,
    potential: none,
    incident: none,
    exposure: none,
    settings,
  });
});
