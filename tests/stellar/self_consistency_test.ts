/** Spectra without noise that the library itself made: fitted with it, they come back as they were made. */
import assert from "node:assert/strict";
import type { FitJob } from "../../core/stellar/batch.ts";
import { makeFitter } from "../../core/stellar/fitter.ts";
import { importLibrary } from "../../core/templates/import_library.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { dataTest } from "../shared_data.ts";
import {
  gaussian,
  integrated,
  matrices,
  type Profile,
  throughContinuousSpread,
  throughMatrices,
} from "./displaced_matrices.ts";
import { modelSpectra, simulatedJob, starAtNode, withoutNoise } from "./simulated_job.ts";

const SN = 300;
// from here, far kinks once held the fit
const KINKED = [30, 95, 253];
// nodes inside the grid and on its border, cool and hot; of 102 and 77 the aliased detail weighs most
const NODES = [77, 102, 186, 233, 391];

Deno.test("a library spectrum fitted with itself is at rest", () => {
  const job = simulatedJob();
  const nodes = [...NODES, ...KINKED];
  const truths = nodes.map((node) => starAtNode(job, node, SN));
  const batch = withoutNoise(job, truths, modelSpectra(job, truths, null), [null, null, null]);
  makeFitter(loadWasmTarget(), job).fit(batch).stars.forEach(({ vrad }, k) =>
    assert.ok(Math.abs(vrad) < 1e-4, `node ${nodes[k]}: ${vrad} km/s`)
  );
});

interface Case {
  readonly vsini?: number;
  readonly profile?: Profile;
  /** km/s to the red: of the matrices that make the spectra, and of those that go with them. */
  readonly made: number;
  readonly stored: number;
}

/** Velocities of spectra that matrices of the library's nodes made. */
function velocities(
  job: FitJob,
  nodes: readonly number[],
  { vsini = 0, profile = gaussian, made, stored }: Case,
) {
  const truths = nodes.map((node) => starAtNode(job, node, SN, vsini));
  const spectra = throughMatrices(job, truths, made, profile);
  const batch = withoutNoise(job, truths, spectra, matrices(nodes.length, stored, profile));
  return makeFitter(loadWasmTarget(), job).fit(batch).stars.map(({ vrad }) => vrad);
}

/** Asserts that every velocity is one of ±1 km/s. */
function assertDisplaced(
  found: readonly number[],
  nodes: readonly number[],
  expected: number,
  within: number,
) {
  found.forEach((v, k) =>
    assert.ok(Math.abs(v - expected) < within, `node ${nodes[k]}: ${v}, not ${expected}`)
  );
}

/** Matrices at rest and displaced by 1 km/s either way go with spectra at rest. */
function storedMatrices(job: FitJob, nodes: readonly number[], vsini: number, profile: Profile): void {
  const still = velocities(job, nodes, { vsini, profile, made: 0, stored: 0 });
  assertDisplaced(still, nodes, 0, 1e-4);
  for (const stored of [1, -1]) {
    assertDisplaced(velocities(job, nodes, { vsini, profile, made: 0, stored }), nodes, stored, 0.01);
  }
}

for (
  const [vsini, profile, what] of [
    [0, gaussian, "Gaussian rows"],
    [30, gaussian, "Gaussian rows, a star that rotates"],
    [0, integrated, "rows integrated over the pixel"],
  ] as const
) {
  Deno.test(`a spectrum whose resolution matrix is displaced by 1 km/s returns 1 ± 0.01 km/s: ${what}`, () => {
    storedMatrices(simulatedJob({ resolutionMatrix: true }), NODES, vsini, profile);
  });
}

Deno.test("a displaced resolution matrix tells in a wide range, and beyond a quarter of a pixel nearly", () => {
  const job = simulatedJob({ resolutionMatrix: true });
  // 30 km/s are half a pixel
  for (const [stored, within] of [[0.1, 0.005], [5, 0.01], [-8, 0.02], [30, 1.5]] as const) {
    assertDisplaced(velocities(job, NODES, { made: 0, stored }), NODES, stored, within);
  }
});

dataTest(
  "the same with the reference's library, with and without the band limit",
  ["stellar/reference/library"],
  (path) => {
    const library = importLibrary(path!);
    // the smallest and the largest shares of all nodes in a product with a displaced matrix
    for (const bandLimit of [false, true]) {
      storedMatrices(simulatedJob({ resolutionMatrix: true, bandLimit }, library), [348, 390], 0, gaussian);
    }
  },
);

/**
 * Here nothing but the fit samples at the pixels: the spectra are what a continuous line spread would give. They are not
 * the fit's own model, so that they are not at rest to the last digit; what a displaced line spread adds is its shift.
 */
Deno.test("a continuous line spread displaced by 1 km/s gives 1 ± 0.01 km/s more", () => {
  const job = simulatedJob({ resolutionMatrix: true });
  const fitter = makeFitter(loadWasmTarget(), job);
  const truths = NODES.map((node) => starAtNode(job, node, SN));
  const [still, displaced] = [0, 1].map((shift) => {
    const batch = withoutNoise(
      job,
      truths,
      throughContinuousSpread(job, truths, shift),
      matrices(NODES.length, 0, gaussian),
    );
    return fitter.fit(batch).stars.map(({ vrad }) => vrad);
  });
  NODES.forEach((node, k) => {
    assert.ok(Math.abs(still![k]!) < 0.05, `node ${node}: ${still![k]} km/s`);
    assert.ok(
      Math.abs(displaced![k]! - still![k]! + 1) < 0.01,
      `node ${node}: ${displaced![k]! - still![k]!} km/s`,
    );
  });
});

/**
 * A product of a displaced matrix with a template that is sampled once a pixel (0.8 Å) is not quite a displaced spectrum
 * where a star does not rotate: detail finer than two pixels is aliased and moves the wrong way. Fitted with a matrix
 * that is not displaced, up to 2.5 % of the shift are missing; --band-limit takes that detail out of the templates.
 */
for (const [bandLimit, within] of [[false, 0.025], [true, 0.01]] as const) {
  Deno.test(`spectra that displaced matrices made are displaced ± ${within}${bandLimit ? ", band-limited" : ""}`, () => {
    const job = simulatedJob({ resolutionMatrix: true, bandLimit });
    for (const made of [1, -1]) {
      assertDisplaced(velocities(job, NODES, { made, stored: 0 }), NODES, -made, within);
    }
  });
}
