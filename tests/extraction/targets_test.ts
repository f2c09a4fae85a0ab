/** A whole bundle of 25 fibres through the command, on WASM and on the emulated device. */
import assert from "node:assert/strict";
import { FRAME_MASK } from "../../core/extraction/frame.ts";
import { inFolder, twinspec } from "../cli/run_cli.ts";
import { emulatedTest } from "../gpu/emulated.ts";
import { type FrameArrays, readFrame, rewritten, writeScene } from "./scene_fixture.ts";

/** First bin, last bin, step; rows 53 to 75 of the CCD. */
const GRID = "6024,6036,0.8";

/** Largest differences of two frames: flux in σ, apart where the weak prior has a hand in it; ivar; resolution. */
function differences(a: FrameArrays, b: FrameArrays) {
  const found = { flux: 0, besidePrior: 0, ivar: 0, resolution: 0, held: 0 };
  const held = (i: number) => (a.mask[i]! & (FRAME_MASK.REGULARISED | FRAME_MASK.ALLBADPIX)) !== 0;
  a.flux.forEach((v, i) => {
    if (held(i)) found.held++;
    if (a.ivar[i] === 0) return;
    const f = Math.floor(i / a.bins), w = i % a.bins;
    // light is shared by neighbours of two fibres and some ten bins
    let beside = false;
    for (let g = Math.max(0, f - 2); g <= Math.min(a.fibres - 1, f + 2); g++) {
      for (let u = Math.max(0, w - 10); u <= Math.min(a.bins - 1, w + 10); u++) {
        beside ||= held(g * a.bins + u);
      }
    }
    const which = beside ? "besidePrior" : "flux";
    found[which] = Math.max(found[which], Math.abs(v - b.flux[i]!) * Math.sqrt(a.ivar[i]!));
    if (!beside) found.ivar = Math.max(found.ivar, Math.abs(b.ivar[i]! / a.ivar[i]! - 1));
  });
  a.resolution.forEach((v, i) =>
    found.resolution = Math.max(found.resolution, Math.abs(v - b.resolution[i]!))
  );
  return found;
}

for (const tiling of ["bundle", "reference"]) {
  emulatedTest(
    `extract: a bundle of 25 fibres is alike on WASM and the emulated device, tiling ${tiling}`,
    () =>
      inFolder(async (folder) => {
        const { image, psf } = writeScene(folder, { fibres: 25, columns: 205 });
        const input = `${folder}/damaged.fits`;
        rewritten(image, input, ({ mask, columns }) => {
          const dead = ([x0, x1]: [number, number], [y0, y1]: [number, number]) => {
            for (let y = y0; y < y1; y++) mask.fill(1, y * columns + x0, y * columns + x1);
          };
          // of fibre 8 all; of fibre 14 all but the outer wing; single pixels of others
          dead([56, 82], [55, 85]);
          dead([106, 118], [55, 85]);
          for (let k = 0; k < 40; k++) dead([140 + k, 141 + k], [50 + k * 7 % 30, 51 + k * 7 % 30]);
        });
        const frames: FrameArrays[] = [];
        for (const target of ["wasm", "emulated"]) {
          const output = `${folder}/${target}.fits`;
          const { code, err } = await twinspec(
            ...["extract", "-i", input, "-p", psf, "-o", output, "-w", GRID, "--tiling", tiling],
            ...["--nwavestep", "10", "--float64", "--target", target, "--workers", "1"],
          );
          assert.equal(code, 0, err);
          frames.push(readFrame(output));
        }
        const [wasm, emulated] = frames as [FrameArrays, FrameArrays];
        assert.deepEqual([wasm.fibres, wasm.bins], [25, 16]);
        assert.deepEqual(emulated.mask, wasm.mask);
        const bits = (bit: number) => wasm.mask.filter((v) => (v & bit) !== 0).length;
        assert.ok(bits(FRAME_MASK.ALLBADPIX) > 3 && bits(FRAME_MASK.REGULARISED) > 3, `${[...wasm.mask]}`);
        const found = differences(wasm, emulated);
        assert.ok(found.held < wasm.flux.length / 4, JSON.stringify(found));
        assert.ok(found.flux < 1e-8 && found.besidePrior < 1e-5, JSON.stringify(found));
        // R is written as float32: one unit in the last place where rounding falls otherwise
        assert.ok(found.ivar < 1e-8 && found.resolution < 1.2e-7, JSON.stringify(found));
      }),
  );
}
