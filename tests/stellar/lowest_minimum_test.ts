/** Without noise the lowest minimum is the truth, where χ² vanishes; another one is hundreds above it and more. */
import assert from "node:assert/strict";
import { makeFitter } from "../../core/stellar/fitter.ts";
import type { Truth } from "../../core/stellar/simulate.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { modelSpectra, simulatedJob, withoutNoise } from "./simulated_job.ts";

/** Stars with a second minimum that a descent from the cross-correlation's template leads to, found among thousands. */
const STARS = [
  // two cells away in temperature and metallicity
  { sn: 300, vrad: -241.9, vsini: 7.56, params: [4149.37, 1.49, -1.67, 0.06] },
  { sn: 100, vrad: -184.62, vsini: 0, params: [4712.72, 1.68, -0.46, 0.11] },
  { sn: 45, vrad: -22.7, vsini: 146.7, params: [4034.43, 1.66, -1.85, 0.07] },
  // behind a face that only the way to it tells of
  { sn: 45, vrad: 206.48, vsini: 0, params: [4097.92, 4, -2.47, 0.22] },
  // in the same cell
  { sn: 300, vrad: -145.61, vsini: 105.12, params: [4062.28, 4.33, -1.78, 0.2] },
  { sn: 100, vrad: -82.15, vsini: 0, params: [4059.36, 4.29, -0.8, 0.11] },
];

Deno.test("the lowest minimum is found where a descent leads to another", () => {
  const job = simulatedJob();
  const truths = STARS.map((star): Truth => ({ star: 0, targetid: 1n, ...star }));
  const batch = withoutNoise(job, truths, modelSpectra(job, truths, null), [null, null, null]);
  const { stars } = makeFitter(loadWasmTarget(), job).fit(batch);
  stars.forEach(({ chisq }, k) => {
    const sum = chisq.reduce((a, b) => a + b, 0);
    assert.ok(sum < 0.1, `star ${k}: χ² of ${sum}`);
  });
});
