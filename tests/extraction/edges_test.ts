/** Fresh simulations anywhere on the CCD: errors are honest, and no bin is lost whose light is on it. */
import assert from "node:assert/strict";
import type { GridRequest } from "../../core/extraction/grid.ts";
import { centroid, type Psf, wavelengthRange } from "../../core/extraction/psf.ts";
import { readPsf } from "../../core/extraction/read_psf.ts";
import type { Tiling } from "../../core/extraction/job.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { dataTest } from "../shared_data.ts";
import { extractEdge, moved } from "./edge_scene.ts";
import { moments } from "./scene.ts";
import { GRID } from "./scene_fixture.ts";
import { smallPsf } from "./psf_fixture.ts";

interface Case {
  readonly where: string;
  readonly psf: Psf;
  readonly firstFibre: number;
  readonly fibres: number;
  readonly grid: GridRequest;
  readonly beyond?: number;
  readonly tiling?: Tiling;
  /** Whether some bins lie off the CCD. */
  readonly over: boolean;
}

/**
 * All pulls of some seeds: none lost; mean and σ within four of their own standard errors, which is within the 0.03 that
 * `bench/extraction_pulls.ts` shows with more.
 */
function assertHonest({ where, over, ...scene }: Case, seeds: readonly number[]): void {
  const pulls: number[] = [];
  let on = 0, off = 0;
  for (const seed of seeds) {
    const found = extractEdge(loadWasmTarget(), { ...scene, seed });
    assert.equal(found.lost, 0, `${where}: bins lost of ${found.on} whose light is on the CCD`);
    pulls.push(...found.pulls);
    [on, off] = [on + found.on, off + found.off];
  }
  assert.ok(on > 500 && (over ? off > 100 : off === 0), `${where}: ${on} on, ${off} off`);
  assert.ok(pulls.length > 0.6 * on, `${where}: ${pulls.length} pulls of ${on} bins`);
  const { mean, sigma } = moments(pulls), n = pulls.length;
  assert.ok(Math.abs(mean) < 4 / Math.sqrt(n), `${where}: mean ${mean} of ${n}`);
  assert.ok(Math.abs(sigma - 1) < 4 / Math.sqrt(2 * n), `${where}: σ ${sigma} of ${n}`);
}

const SHIFTS = [
  ...[["nowhere", 0, 0], ["left", -24, 0], ["right", 28, 0], ["below", 0, -50], ["above", 0, 62]] as const,
  ["left and below", -24, -50],
] as const;

for (const tiling of ["bundle", "reference"] as const) {
  for (const [where, dx, dy] of SHIFTS) {
    Deno.test(`traces that leave a small CCD ${where}, tiling ${tiling}: honest errors, no bin lost`, () => {
      const psf = smallPsf({ dx, dy });
      const case_ = { where, psf, firstFibre: 0, fibres: 10, grid: GRID, beyond: 48, tiling };
      assertHonest({ ...case_, over: dx !== 0 || dy !== 0 }, [1, 2, 3, 4, 5, 6]);
    });
  }
}

/** The middle and the four edges, with 60 Å of 25 fibres. */
function realCases(psf: Psf): Case[] {
  const { min, max } = wavelengthRange(psf), middle = Math.round((min + max) / 2);
  const fibres = 25, last = psf.fibres - fibres, half = fibres * Math.floor(psf.fibres / fibres / 2);
  const grid = (from: number, to = from + 60) => ({ min: Math.ceil(from), max: Math.floor(to), step: 0.8 });
  // the real traces keep away from the left and right edge
  const left = moved(psf, -centroid(psf, 3, middle).x, 0);
  const right = moved(psf, psf.columns - centroid(psf, psf.fibres - 4, middle).x, 0);
  return [
    { where: "middle", psf, firstFibre: half, fibres, grid: grid(middle), over: false },
    { where: "first fibres", psf, firstFibre: 0, fibres, grid: grid(middle), over: false },
    { where: "last fibres", psf, firstFibre: last, fibres, grid: grid(middle), over: false },
    { where: "lower edge", psf, firstFibre: half, fibres, grid: grid(min + 50), over: true },
    { where: "upper edge", psf, firstFibre: half, fibres, grid: grid(max - 60), over: true },
    { where: "left edge", psf: left, firstFibre: 0, fibres, grid: grid(middle), over: true },
    { where: "right edge", psf: right, firstFibre: last, fibres, grid: grid(middle), over: true },
  ];
}

for (const name of ["psf-r0-00051060", "psf-r0-00067784"]) {
  dataTest(
    `fresh scenes through ${name}, in the middle and at four edges: honest errors, no bin lost`,
    [`extraction/${name}.fits`],
    (path) => {
      for (const one of realCases(readPsf(path!))) assertHonest(one, [11]);
    },
  );
}
