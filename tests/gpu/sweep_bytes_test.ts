/** Device memory of a batch of sweeps: predicted, and as used. */
import assert from "node:assert/strict";
import { DEFAULT_KAPPA_OPTIONS } from "../../core/losscone/kappa_options.ts";
import { type LossconeJob, openLosscone } from "../../core/losscone/losscone_station.ts";
import { DEFAULT_LOSSCONE_OPTIONS } from "../../core/losscone/options.ts";
import { simulateSweeps } from "../../core/losscone/simulate.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { chooseTargets } from "../../gpu/choose_targets.ts";
import { LOSSCONE } from "../../gpu/losscone_targets.ts";
import { sweepBytes, sweepsPerBatch } from "../../gpu/sweep_bytes.ts";
import { noting } from "./noting_target.ts";

const { batch } = simulateSweeps({ sweeps: 6, seed: 9 });
const JOB: LossconeJob = {
  wanted: "losscone",
  options: DEFAULT_LOSSCONE_OPTIONS,
  kappa: DEFAULT_KAPPA_OPTIONS,
  potential: { kind: "input" },
  theta: batch.theta,
  polarity: null,
  ephemeris: null,
};
const jobs: readonly (readonly [string, LossconeJob])[] = [
  ["Halekas", JOB],
  ["Lillis, evolution", { ...JOB, options: { ...JOB.options, method: "lillis", search: "evolution" } }],
  ["kappa", { ...JOB, wanted: "kappa" }],
  ["spacecraft potential", { ...JOB, potential: { kind: "fit" } }],
];

for (const [name, job] of jobs) {
  Deno.test(`bytes a sweep as predicted: ${name}`, () => {
    const target = noting(loadWasmTarget()), n = batch.count;
    openLosscone(target, job)({
      heads: Array.from({ length: n }, (_, i) => ({ specNo: i, rows: 15, path: "simulated" })),
      content: {
        kind: "arrays",
        batch: { ...batch, phi: batch.phi.slice(), flux: batch.flux.slice() },
        utc: new Array(15 * n).fill(""),
        sunlit: new Array(n).fill(1),
      },
    });
    const each = target.most / n, predicted = sweepBytes(job);
    assert.ok(each <= 1.02 * predicted && each > 0.8 * predicted, `${each} bytes, predicted ${predicted}`);
  });
}

Deno.test("a batch of sweeps is no larger than the device has room for", () => {
  const each = sweepBytes(JOB);
  assert.equal(sweepsPerBatch(JOB, each), 1);
  assert.equal(sweepsPerBatch(JOB, 25 * each), 10);
  assert.throws(() => sweepsPerBatch(JOB, each - 1), RangeError);
  const row = { target: "cuda:0", kind: "cuda", name: "small", usable: true, free: 150 * each } as const;
  const chosen = chooseTargets(
    "cuda",
    30_000,
    LOSSCONE,
    () => [{ ...row, memory: 200 * each, reason: null } as never],
  );
  // two workers share a device
  assert.equal(chosen.perBatch!(JOB), 30);
});
