/** Without noise the lowest minimum is the truth, where χ² vanishes; another one is hundreds above it and more. */
import assert from "node:assert/strict";
import type { FitJob } from "../../core/stellar/batch.ts";
import { makeFitter } from "../../core/stellar/fitter.ts";
import { DEFAULT_OPTIONS } from "../../core/stellar/options.ts";
import type { Truth } from "../../core/stellar/simulate.ts";
import { SIMULATED_ARMS } from "../../core/stellar/simulate_arms.ts";
import { makeEvaluate } from "../../core/stellar/simulate_evaluate.ts";
import { builtinLibraryPath } from "../../core/templates/builtin_path.ts";
import { openLibrary } from "../../core/templates/library_file.ts";
import { prepareArm } from "../../core/templates/prepare.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";

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
  const options = DEFAULT_OPTIONS;
  const library = openLibrary(builtinLibraryPath());
  const job: FitJob = {
    options,
    library,
    arms: SIMULATED_ARMS.map(({ arm, setup, lam, fwhm, ndiag }) => {
      const grid = { setup, lam, medium: "vacuum" as const, lsf: { kind: "fwhm" as const, angstrom: fwhm } };
      const prepared = prepareArm(library, { ...grid, resolutionMatrix: false, maxVel: options.maxVel });
      return { arm, frame: "barycentric" as const, ndiag, prepared, ...grid };
    }),
  };
  const truths = STARS.map((star): Truth => ({ star: 0, targetid: 1n, ...star }));
  const spectra = makeEvaluate(loadWasmTarget(), library, job.arms, options.maxVsini)(truths, null);
  const { stars } = makeFitter(loadWasmTarget(), job).fit({
    rows: STARS.map((_, k) => [k]),
    sn: STARS.map(({ sn }) => job.arms.map(() => sn)),
    pixels: spectra.map((all) => ({
      flux: Float32Array.from(all),
      ivar: Float32Array.from(all, (f, i) => (STARS[Math.floor(i * STARS.length / all.length)]!.sn / f) ** 2),
      mask: new Int32Array(all.length),
      resolution: null,
    })),
  });
  stars.forEach(({ chisq }, k) => {
    const sum = chisq.reduce((a, b) => a + b, 0);
    assert.ok(sum < 0.1, `star ${k}: χ² of ${sum}`);
  });
});
