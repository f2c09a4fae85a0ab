import assert from "node:assert/strict";
import { readPsf } from "../../core/extraction/read_psf.ts";
import {
  drawDamage,
  type ImageOptions,
  litBox,
  PIXEL,
  READ_NOISE,
  simulateImage,
  UNDAMAGED,
} from "../../core/extraction/simulate.ts";
import { KINDS, simulateScene } from "../../core/extraction/simulate_spectra.ts";
import { FitsFile } from "../../core/io/fits_read.ts";
import { toFloat64 } from "../../core/io/number_types.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { assertClose } from "../kernels/harness.ts";
import { dataTest } from "../shared_data.ts";
import { smallPsf } from "./psf_fixture.ts";

const WAVE = Float64Array.from({ length: 40 }, (_, i) => 6016 + 0.8 * i);

function options(over: Partial<ImageOptions> = {}): ImageOptions {
  const psf = over.psf ?? smallPsf();
  const scene = simulateScene({ wave: WAVE, firstFibre: 0, fibres: psf.fibres, seed: 3, beyond: 8 });
  return {
    psf,
    firstFibre: 0,
    fibres: psf.fibres,
    wave: scene.wave,
    photons: scene.photons,
    seed: 4,
    ...over,
  };
}

/** All strips as one image. */
function whole(from: ImageOptions) {
  const size = from.psf.rows * from.psf.columns;
  const all = {
    image: new Float32Array(size),
    ivar: new Float32Array(size),
    mask: new Int16Array(size),
    noiseless: new Float64Array(size),
  };
  let next = 0;
  const target = loadWasmTarget();
  for (const strip of simulateImage(target, from)) {
    assert.equal(strip.firstRow, next);
    next += strip.rows;
    const at = strip.firstRow * strip.columns;
    all.image.set(strip.image, at);
    all.ivar.set(strip.ivar, at);
    all.mask.set(strip.mask, at);
    all.noiseless.set(strip.noiseless, at);
  }
  assert.equal(next, from.psf.rows);
  return all;
}

dataTest("the noiseless image of the reference's scene comes out of its photons", [
  "extraction/psf-r0-00051060.fits",
  "extraction/truth-main.fits.gz",
], (psfPath, truthPath) => {
  using truth = FitsFile.open(truthPath!);
  const psf = readPsf(psfPath!);
  const wave = toFloat64(truth.image("WAVELENGTH").data), photons = toFloat64(truth.image("PHOTONS").data);
  const hdu = truth.hdu("NOISELESS"), expected = truth.image(hdu);
  const [y0, x0] = [hdu.header.integer("YLO")!, hdu.header.integer("XLO")!];
  const [rows, columns] = expected.shape as [number, number];
  const target = loadWasmTarget();
  const from = { psf, firstFibre: 250, fibres: 50, wave, photons, seed: 1, noise: false };
  const found = new Float64Array(rows * columns);
  let outside = 0;
  for (const strip of simulateImage(target, from)) {
    for (let r = 0; r < strip.rows; r++) {
      const row = strip.noiseless.subarray(r * psf.columns, (r + 1) * psf.columns);
      const y = strip.firstRow + r - y0;
      if (y < 0 || y >= rows) outside += row.reduce((sum, v) => sum + v, 0);
      else found.set(row.subarray(x0, x0 + columns), y * columns);
    }
  }
  assert.equal(outside, 0);
  for (let i = 0; i < found.length; i++) {
    assert.ok(Math.abs(found[i]! - Number(expected.data[i])) <= 1e-7 * found[i]! + 1e-12, `pixel ${i}`);
  }
});

Deno.test("an image holds all photons whose light is on the CCD, and noise of the right size", () => {
  const from = options();
  const { image, ivar, noiseless, mask } = whole(from);
  const box = litBox(from);
  assert.deepEqual([box.x0, box.y0 >= 0, mask.every((m) => m === 0)], [3, true, true]);
  const total = (values: ArrayLike<number>) => Array.from(values).reduce((sum, v) => sum + v, 0);
  // every spot is on this CCD
  assert.ok(Math.abs(total(noiseless) / total(from.photons) - 1) < 1e-12);
  let chi2 = 0, n = 0;
  noiseless.forEach((mean, i) => {
    const x = i % from.psf.columns, y = Math.floor(i / from.psf.columns);
    const lit = x >= box.x0 && x < box.x0 + box.columns && y >= box.y0 && y < box.y0 + box.rows;
    if (!lit) {
      assert.deepEqual([image[i], ivar[i], mean], [0, 0, 0]);
      return;
    }
    assert.equal(ivar[i], Math.fround(1 / (mean + READ_NOISE ** 2)));
    chi2 += (image[i]! - mean) ** 2 * ivar[i]!;
    n++;
  });
  assert.ok(n > 4000);
  // mean χ² a pixel is 1 ± √(2/n), a little wider for few photons
  assert.ok(Math.abs(chi2 / n - 1) < 5 * Math.sqrt(2.5 / n), `${chi2 / n} over ${n}`);
});

Deno.test("the same seed makes the same image, another seed another; no noise leaves the light alone", () => {
  const [a, b, c] = [options(), options(), options({ seed: 5 })].map(whole);
  assert.deepEqual(a, b);
  assert.notDeepEqual(a!.image, c!.image);
  assert.deepEqual(a!.noiseless, c!.noiseless);
  const { image, noiseless } = whole(options({ noise: false }));
  assert.deepEqual(image, Float32Array.from(noiseless));
});

Deno.test("fibres shine by themselves: light adds up, also over strips", () => {
  const psf = smallPsf({ rows: 700 });
  const wave = Float64Array.from({ length: 400 }, (_, i) => 6010 + 0.8 * i);
  const photons = Float64Array.from({ length: 10 * 400 }, (_, i) => 100 + i % 7);
  const base = { psf, wave, seed: 1, noise: false };
  const { noiseless: all } = whole({ ...base, firstFibre: 0, fibres: 10, photons });
  const one = whole({ ...base, firstFibre: 0, fibres: 4, photons: photons.slice(0, 4 * 400) }).noiseless;
  const other = whole({ ...base, firstFibre: 4, fibres: 6, photons: photons.slice(4 * 400) }).noiseless;
  assertClose(one.map((v, i) => v + other[i]!), all, 1e-13, "light");
  // rows where strips meet hold as much as those between
  const row = (y: number) => all.subarray(y * psf.columns, (y + 1) * psf.columns).reduce((s, v) => s + v, 0);
  for (const y of [255, 256, 511, 512]) assert.ok(Math.abs(row(y) / row(300) - 1) < 0.1, `row ${y}`);
});

Deno.test("light beyond any edge of the CCD is lost, the rest stays", () => {
  for (const [dx, dy] of [[-12, 0], [12, 0], [0, -30], [0, 60]]) {
    const from = options({ psf: smallPsf({ dx: dx!, dy: dy! }) });
    const { noiseless } = whole(from);
    const part = noiseless.reduce((s, v) => s + v, 0) / from.photons.reduce((s, v) => s + v, 0);
    assert.ok(part > 0.3 && part < 0.999, `${dx}, ${dy}: ${part}`);
  }
  const away = whole(options({ psf: smallPsf({ dx: 1000 }) }));
  assert.ok(away.image.every((v) => v === 0) && away.ivar.every((v) => v === 0));
});

Deno.test("damage is where it is said to be, masked or not", () => {
  const from = options();
  const damage = drawDamage(7, litBox(from), {
    cosmics: 3,
    unmaskedCosmics: 2,
    deadColumns: 1,
    deadBlocks: 1,
  });
  assert.deepEqual(
    damage,
    drawDamage(7, litBox(from), { cosmics: 3, unmaskedCosmics: 2, deadColumns: 1, deadBlocks: 1 }),
  );
  assert.equal(damage.marks.length, 4);
  const sound = whole(from), { image, mask, ivar } = whole({ ...from, damage });
  assert.deepEqual(ivar, sound.ivar);
  const [column] = damage.deadColumns as [number], box = litBox(from);
  let masked = 0, changed = 0;
  mask.forEach((bits, i) => {
    const x = i % from.psf.columns, y = Math.floor(i / from.psf.columns);
    if (x === column) assert.equal((bits & PIXEL.DEAD) !== 0, y >= box.y0 && y < box.y0 + box.rows);
    if (bits !== 0) masked++;
    else if (image[i] !== sound.image[i]) changed++;
  });
  assert.ok(masked > box.rows + 100);
  assert.ok(changed > 0 && changed <= 12);
  assert.deepEqual(drawDamage(7, { ...box, columns: 0 }, { cosmics: 3 }), UNDAMAGED);
});

Deno.test("a scene repeats its kinds every five fibres, and a fibre does not depend on the others", () => {
  const scene = simulateScene({ wave: WAVE, firstFibre: 250, fibres: 12, seed: 9 });
  assert.deepEqual(scene.kinds.slice(0, 5), [...KINDS]);
  assert.deepEqual(scene.kinds.slice(5, 10), [...KINDS]);
  assert.equal(scene.before, 75);
  assert.equal(scene.wave.length, WAVE.length + 150);
  assert.ok(Math.abs(scene.wave[75]! - WAVE[0]!) < 1e-9);
  assert.ok(scene.photons.every((v) => v > 0 && Number.isFinite(v)));
  const n = scene.wave.length;
  const later = simulateScene({ wave: WAVE, firstFibre: 255, fibres: 2, seed: 9 });
  assert.deepEqual(later.photons, scene.photons.slice(5 * n, 7 * n));
  const mean = (f: number) => scene.photons.subarray(f * n, (f + 1) * n).reduce((s, v) => s + v, 0) / n;
  assert.ok(mean(4) > 10 * mean(0) && mean(2) > mean(1) && mean(1) > mean(0));
});
