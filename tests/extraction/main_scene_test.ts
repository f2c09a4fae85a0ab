/** The main scene of the development data through the command: frames in double precision, and the pixel model. */
import assert from "node:assert/strict";
import { FRAME_MASK } from "../../core/extraction/frame.ts";
import { FitsFile } from "../../core/io/fits_read.ts";
import { readNpz } from "../../core/io/npy.ts";
import { toFloat64 } from "../../core/io/number_types.ts";
import { inFolder, twinspec } from "../cli/run_cli.ts";
import { dataTest } from "../shared_data.ts";
import { type FrameArrays, readFrame, resolved } from "./scene_fixture.ts";

const NEEDS = ["preproc-sim-main.fits.gz", "psf-r0-00051060.fits", "truth-main.fits.gz"].map((name) =>
  `extraction/${name}`
);
const FIRST_FIBRE = 250, FIBRES = 50, BINS = 251, STEP = 0.8;
/** Rows of the frame whose bundle has the block without data. */
const DAMAGED = 25;

/** Extracts the scene with every masked pixel left out, as spex does. */
async function frameOf(folder: string, image: string, psf: string, ...more: string[]): Promise<FrameArrays> {
  const output = `${folder}/frame.fits`;
  const { code, err } = await twinspec(
    ...["extract", "-i", image, "-p", psf, "-o", output, "-s", String(FIRST_FIBRE), "-n", String(FIBRES)],
    ...[
      "-w",
      "6240,6440,0.8",
      "--float64",
      "--mask-bits",
      "any",
      "--target",
      "wasm",
      "--workers",
      "2",
      ...more,
    ],
  );
  assert.equal(code, 0, err);
  const frame = readFrame(output);
  assert.deepEqual([frame.fibres, frame.bins], [FIBRES, BINS]);
  return frame;
}

/** Members of an oracle, as double precision. */
function oracle(path: string): (name: string) => Float64Array {
  const members = readNpz(path);
  return (name) => Float64Array.from(members.get(name)!.data as ArrayLike<number>, Number);
}

/** Largest difference of flux in σ of the oracle, over the bins that `wanted` admits. */
function farthest(
  frame: FrameArrays,
  flux: Float64Array,
  ivar: Float64Array,
  wanted: (i: number) => boolean,
): number {
  let worst = 0;
  frame.flux.forEach((v, i) => {
    if (wanted(i)) worst = Math.max(worst, Math.abs(v - flux[i]!) * Math.sqrt(ivar[i]!));
  });
  return worst;
}

dataTest(
  "extract --tiling reference --float64 writes the frame of spex",
  [...NEEDS.slice(0, 2), "extraction/frame-main-f64.npz"],
  (image, psf, reference) =>
    inFolder(async (folder) => {
      const frame = await frameOf(folder, image!, psf!, "--tiling", "reference");
      const expected = oracle(reference!);
      const [flux, ivar, chi2pix] = [expected("flux"), expected("ivar"), expected("chi2pix")];
      const fraction = expected("pixmask_fraction"), R = expected("resolution");
      assert.ok(frame.wave.every((v, i) => Math.abs(v - expected("wave")[i]!) < 1e-9));
      const pull = farthest(frame, flux, ivar, (i) => fraction[i]! < 0.5);
      assert.ok(pull < 1e-5, `${pull} σ`);
      for (let i = 0; i < flux.length; i++) {
        assert.equal((frame.mask[i]! & FRAME_MASK.SOMEBADPIX) !== 0, fraction[i]! > 0.5, `bin ${i}`);
        // the reference keeps the flux of such bins, up to ±4e4, unmasked
        const none = fraction[i]! >= 1 - 1e-9;
        assert.equal((frame.mask[i]! & FRAME_MASK.ALLBADPIX) !== 0, none, `bin ${i}`);
        assert.equal(frame.ivar[i] === 0, none, `bin ${i}`);
        if (fraction[i]! >= 0.5) continue;
        assert.ok(Math.abs(frame.ivar[i]! / ivar[i]! - 1) < 1e-5, `ivar of bin ${i}`);
        // χ² is written in single precision
        assert.ok(Math.abs(frame.chi2pix[i]! - chi2pix[i]!) < 1e-6 * (1 + chi2pix[i]!), `χ² of bin ${i}`);
        for (let k = 0; k < 11; k++) {
          const at = (Math.floor(i / BINS) * 11 + k) * BINS + i % BINS;
          assert.ok(Math.abs(frame.resolution[at]! - R[at]!) < 1e-6, `R of bin ${i}`);
        }
      }
    }),
);

dataTest(
  "extract --float64 writes the exact solution; its pulls are standard normal deviates, its model is the light",
  [...NEEDS, "extraction/frame-main-global.npz", "extraction/frame-main-f64.npz"],
  (image, psf, truth, reference, tiled) =>
    inFolder(async (folder) => {
      const model = `${folder}/model.fits`;
      const frame = await frameOf(folder, image!, psf!, "-m", model);
      const expected = oracle(reference!), fraction = oracle(tiled!)("pixmask_fraction");
      const [flux, ivar] = [expected("flux"), expected("ivar")];
      const seen = (i: number) => frame.ivar[i]! > 0;
      const row = (i: number) => Math.floor(i / BINS);
      const beside = farthest(frame, flux, ivar, (i) => seen(i) && row(i) < DAMAGED);
      assert.ok(beside < 1e-5, `${beside} σ in the bundle with the dead block`);
      const clean = farthest(frame, flux, ivar, (i) => row(i) >= DAMAGED);
      assert.ok(clean < 1e-6, `${clean} σ`);

      using file = FitsFile.open(truth!);
      const { shape, data } = file.image("PHOTONS"), photons = toFloat64(data);
      const bins = toFloat64(file.image("WAVELENGTH").data);
      const before = bins.findIndex((at) => Math.abs(at - frame.wave[0]!) < 0.01);
      const kept = Float64Array.from(
        { length: FIBRES * BINS },
        (_, i) => photons[row(i) * shape[1]! + before + i % BINS]! / STEP,
      );
      const mean = resolved(frame, kept);
      const pulls: number[] = [];
      for (let i = 0; i < FIBRES * BINS; i++) {
        const good = fraction[i]! < 0.02 && frame.chi2pix[i]! < 3 && i % BINS >= 5 && i % BINS < BINS - 5;
        if (good) pulls.push((frame.flux[i]! - mean[i]!) * Math.sqrt(frame.ivar[i]!));
      }
      assert.ok(pulls.length > 11_000, `${pulls.length} good bins`);
      const average = pulls.reduce((a, b) => a + b) / pulls.length;
      const sigma = Math.sqrt(pulls.reduce((a, b) => a + (b - average) ** 2, 0) / pulls.length);
      assert.ok(Math.abs(average) < 0.03, `mean ${average}`);
      assert.ok(sigma > 0.97 && sigma < 1.03, `σ ${sigma}`);
      assertModel(model, image!, file);
    }),
);

/**
 * The model against image and noiseless truth, on the rows that bins inside the grid light alone. The reference's model,
 * blurred twice, has 8 a pixel.
 */
function assertModel(path: string, imagePath: string, truth: FitsFile): void {
  using modelFile = FitsFile.open(path), imageFile = FitsFile.open(imagePath);
  const [rows, columns] = modelFile.hdu("MODEL").shape as [number, number];
  const model = toFloat64(modelFile.image("MODEL").data), image = toFloat64(imageFile.image("IMAGE").data);
  const ivar = toFloat64(imageFile.image("IVAR").data), mask = toFloat64(imageFile.image("MASK").data);
  const noiseless = truth.hdu("NOISELESS"), light = toFloat64(truth.image(noiseless).data);
  const [x0, y0] = [noiseless.header.integer("XLO")!, noiseless.header.integer("YLO")!];
  const [height, width] = noiseless.shape as [number, number];
  assert.ok(y0 + height <= rows && x0 + width <= columns);
  // cosmic rays that the mask does not know drag the model along
  const cosmics = truth.hdus[0]!.header.keys.filter((key) => /^MARK\d/.test(key)).flatMap((key) => {
    const [, y, x] = /unmasked.* y=(\d+) x=(\d+)/.exec(String(truth.hdus[0]!.header.get(key))) ?? [];
    return y === undefined ? [] : [{ x: Number(x), y: Number(y) }];
  });
  assert.equal(cosmics.length, 5);
  let chi2 = 0, ofTruth = 0, n = 0, worst = 0;
  // the light of 60 Å beyond the grid, and some rows in which the grid ends
  const margin = 150;
  for (let r = margin; r < height - margin; r++) {
    for (let c = 0; c < width; c++) {
      const y = y0 + r, x = x0 + c, at = y * columns + x;
      if (mask[at] !== 0 || ivar[at] === 0) continue;
      if (cosmics.some((hit) => Math.abs(hit.x - x) < 20 && Math.abs(hit.y - y) < 15)) continue;
      const expected = light[r * width + c]!;
      n++;
      chi2 += (image[at]! - model[at]!) ** 2 * ivar[at]!;
      ofTruth += (image[at]! - expected) ** 2 * ivar[at]!;
      worst = Math.max(worst, Math.abs(model[at]! - expected) * Math.sqrt(ivar[at]!));
    }
  }
  [chi2, ofTruth] = [chi2 / n, ofTruth / n];
  // a bin of the fit takes a share of the noise of the pixels
  assert.ok(chi2 > 0.7 && chi2 < 1.02, `χ² a pixel ${chi2}, of the truth ${ofTruth}, ${n} pixels`);
  assert.ok(Math.abs(ofTruth - 1) < 0.05, `the truth itself: ${ofTruth}`);
  assert.ok(worst < 6, `the model is ${worst} σ of a pixel off the truth`);
}
