/** Tests of the extractor on small scenes: what must hold of any image, and defects of the reference that are not here. */
import assert from "node:assert/strict";
import { makeExtractor } from "../../core/extraction/extractor.ts";
import {
  type BundleResult,
  DEFAULT_EXTRACTION,
  type ExtractionJob,
  FLAG,
} from "../../core/extraction/job.ts";
import { spotCorner } from "../../core/extraction/tiling.ts";
import { centroid } from "../../core/extraction/psf.ts";
import type { Target } from "../../core/target.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { GpuTarget } from "../../gpu/target.ts";
import { emulatedTest } from "../gpu/emulated.ts";
import { assertClose } from "../kernels/harness.ts";
import { type Ccd, cutOut, moments, resolved, type SmallScene, smallScene } from "./scene.ts";

/** Extracts bundles given as [first fibre, fibres]. */
function extract(
  { job, ccd }: { readonly job: ExtractionJob; readonly ccd: Ccd },
  bundles: readonly (readonly [number, number])[] = [[0, job.psf.fibres]],
  target: Target = loadWasmTarget(),
): BundleResult[] {
  return makeExtractor(target, job).extract({
    bundles: bundles.map(([first, fibres]) => cutOut(job, ccd, first, fibres)),
  });
}

/** Masks a rectangle: columns and rows from … to, the ends not. */
function mask({ columns, ivar }: Ccd, [x0, x1]: [number, number], [y0, y1]: [number, number]): void {
  for (let y = y0; y < y1; y++) ivar.fill(0, y * columns + x0, y * columns + x1);
}

const TILINGS = ["bundle", "reference"] as const;

for (const tiling of TILINGS) {
  Deno.test(`without noise the flux is R·truth and the model the image, tiling ${tiling}`, () => {
    const scene = smallScene({ noise: false, options: { tiling, model: true, nwavestep: 20 } });
    const [result] = extract(scene), bins = scene.job.wave.length;
    // what the stored diagonals leave out is up to 4e-4 of a line
    for (let f = 0; f < 10; f++) {
      for (let i = 6; i < bins - 6; i++) {
        const expected = resolved(result!, bins, scene.truth, f, i), found = result!.flux[f * bins + i]!;
        assert.ok(
          Math.abs(found - expected) < 2e-3 * (expected + 20),
          `${f}, ${i}: ${found} against ${expected}`,
        );
      }
    }
    const { cutout, data } = result!.model!;
    let rows = 0;
    for (let r = 0; r < cutout.rows; r++) {
      // rows that only kept bins light
      const y = cutout.y0 + r, at = y * scene.ccd.columns;
      const inside = [0, 9].every((f) =>
        [0, bins - 1].every((i) => {
          const corner = spotCorner(scene.job.psf, f, scene.job.wave[i]!).y;
          return i === 0 ? y >= corner + 16 : y < corner - 8;
        })
      );
      if (!inside) continue;
      rows++;
      const line = scene.ccd.image.subarray(at + cutout.x0, at + cutout.x0 + cutout.columns);
      const own = data.subarray(r * cutout.columns, (r + 1) * cutout.columns);
      assertClose(own, line, tiling === "bundle" ? 1e-5 : 2e-2, `row ${y}`);
    }
    assert.ok(rows > 20);
  });

  Deno.test(`pulls against R·truth are standard normal deviates, tiling ${tiling}`, () => {
    const pulls: number[] = [];
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const scene = smallScene({ seed, options: { tiling } });
      const [result] = extract(scene), bins = scene.job.wave.length;
      for (let f = 0; f < 10; f++) {
        for (let i = 5; i < bins - 5; i++) {
          const at = f * bins + i;
          const expected = resolved(result!, bins, scene.truth, f, i);
          pulls.push((result!.flux[at]! - expected) * Math.sqrt(result!.ivar[at]!));
        }
      }
    }
    const { mean, sigma } = moments(pulls), n = pulls.length;
    assert.ok(Math.abs(mean) < 4 / Math.sqrt(n), `mean ${mean} of ${n}`);
    assert.ok(Math.abs(sigma - 1) < 4 / Math.sqrt(2 * n), `sigma ${sigma} of ${n}`);
  });

  Deno.test(`bundles of any size, one by one or together, tiling ${tiling}`, () => {
    const scene = smallScene({ options: { tiling, nwavestep: 15 } });
    const sizes = [[0, 1], [1, 6], [7, 3]] as const;
    const together = extract(scene, sizes);
    sizes.forEach((size, b) => {
      const [alone] = extract(scene, [size]);
      assert.equal(together[b]!.fibres, size[1]);
      assertClose(together[b]!.flux, alone!.flux, 1e-9, "flux");
      assertClose(together[b]!.resolution, alone!.resolution, 1e-9, "R");
      assert.ok(alone!.ivar.every((v) => v > 0));
    });
    assert.deepEqual(extract(scene, []), []);
    assert.deepEqual(extract(scene, sizes), together, "another answer on repeat");
  });

  Deno.test(`an all-masked bundle gives zeros and flags, and changes nothing of the others, tiling ${tiling}`, () => {
    const scene = smallScene({ options: { tiling } });
    const [, before] = extract(scene, [[0, 4], [6, 4]]);
    // the columns that the first bundle alone sees
    mask(scene.ccd, [0, 44], [0, scene.ccd.rows]);
    const [dark, after] = extract(scene, [[0, 4], [6, 4]]);
    assert.ok(dark!.flux.every((v) => v === 0) && dark!.ivar.every((v) => v === 0));
    assert.ok(dark!.flags.every((f) => (f & FLAG.NO_LIGHT) !== 0));
    assert.ok(dark!.chi2pix.every((v) => v === 0));
    assert.ok(dark!.pixmaskFraction.every((v) => v > 0.999));
    assert.ok(dark!.resolution.every(Number.isFinite));
    // the regularisation of one bundle does not leak into the next
    assert.deepEqual(after!.flux, before!.flux);
    assert.deepEqual(after!.ivar, before!.ivar);
  });

  Deno.test(`masked pixels may hold NaN, tiling ${tiling}`, () => {
    const scene = smallScene({ options: { tiling } });
    mask(scene.ccd, [20, 26], [30, 36]);
    const [zeros] = extract(scene);
    for (let y = 30; y < 36; y++) {
      scene.ccd.image.fill(NaN, y * scene.ccd.columns + 20, y * scene.ccd.columns + 26);
    }
    const [nan] = extract(scene);
    assert.deepEqual(nan, zeros);
    assert.ok(nan!.chi2pix.every((v) => Number.isFinite(v)));
    assert.ok(nan!.chi2pix.some((v) => v > 0));
  });

  Deno.test(`bins without unmasked light have ivar 0 and a flag, regularised ones keep theirs, tiling ${tiling}`, () => {
    const scene = smallScene({ options: { tiling, nwavestep: 20 } }), bins = scene.job.wave.length;
    // fibre 3 wholly; of fibre 7 all but the outer wing
    mask(scene.ccd, [21, 42], [30, 60]);
    mask(scene.ccd, [54, 66], [30, 60]);
    const [result] = extract(scene);
    let dark = 0, weak = 0;
    for (let f = 0; f < 10; f++) {
      for (let i = 0; i < bins; i++) {
        const at = f * bins + i, flags = result!.flags[at]!;
        const none = (flags & FLAG.NO_LIGHT) !== 0;
        assert.equal(none, result!.pixmaskFraction[at]! >= 1 - 1e-9, `${f}, ${i}`);
        assert.equal(result!.ivar[at] === 0, none);
        // the reference leaves flux of ±4e4 with ivar of 1e-10 here
        if (none) assert.equal(result!.flux[at], 0);
        if ((flags & FLAG.REGULARISED) !== 0 && !none) {
          weak++;
          assert.ok(result!.ivar[at]! > 0);
        }
        if (none) dark++;
      }
    }
    assert.ok(dark > 5, `${dark} bins without light`);
    assert.ok(weak > 0, "no bin that is merely regularised");
  });

  Deno.test(`at the edges of the CCD rows are dropped, not patches, tiling ${tiling}`, () => {
    // light of the first and last bins falls off the lower or the upper edge
    for (const [from, bins] of [[5990, 60], [6030, 60]] as const) {
      const scene = smallScene({ from, bins, options: { tiling, nwavestep: 30 } });
      const [result] = extract(scene);
      let on = 0, off = 0;
      for (let f = 0; f < 10; f++) {
        for (let i = 0; i < bins; i++) {
          const { y } = centroid(scene.job.psf, f, scene.job.wave[i]!);
          const at = f * bins + i;
          if (y >= 0 && y <= scene.ccd.rows - 1) {
            on++;
            assert.ok(result!.ivar[at]! > 0, `fibre ${f}, bin ${i}, row ${y} is lost`);
          } else if (y < -6 || y > scene.ccd.rows + 5) {
            off++;
            assert.equal(result!.ivar[at], 0);
            assert.ok((result!.flags[at]! & FLAG.NO_LIGHT) !== 0);
          }
        }
      }
      assert.ok(on > 100 && off > 10, `${on} on, ${off} off the CCD`);
    }
  });

  Deno.test(`light beyond the left and right edges of the CCD costs its own bins only, tiling ${tiling}`, () => {
    const inner = smallScene({ options: { tiling } });
    for (const dx of [-12, 20]) {
      const scene = smallScene({ dx, options: { tiling } }), bins = scene.job.wave.length;
      const [result] = extract(scene), [whole] = extract(inner);
      for (let f = 0; f < 10; f++) {
        const { x } = centroid(scene.job.psf, f, scene.job.wave[20]!);
        const on = x > 0 && x < scene.ccd.columns - 1;
        const part = result!.ivar.subarray(f * bins, (f + 1) * bins);
        if (on) assert.ok(part.every((v) => v > 0), `dx ${dx}, fibre ${f}, column ${x}`);
        else if (x < -8 || x > scene.ccd.columns + 7) assert.ok(part.every((v) => v === 0));
      }
      assert.ok(whole!.ivar.every((v) => v > 0));
    }
  });
}

Deno.test("reference tiling: padding below the stored diagonals, an uneven split, a short last patch", () => {
  const reference = { tiling: "reference", nwavestep: 20 } as const;
  const wide = extract(smallScene({ options: { ...reference, wavepad: 10 } }))[0]!;
  // padding of 4 bins crashes the reference
  const narrow = extract(smallScene({ options: { ...reference, wavepad: 0, wavepadFrac: 0 } }))[0]!;
  const split = extract(smallScene({ options: { ...reference, nsubbundles: 3 } }))[0]!;
  const many = extract(smallScene({ options: { ...reference, nsubbundles: 99 } }))[0]!;
  const exact = extract(smallScene())[0]!;
  for (
    const [name, result, limit] of [["10", wide, 0.1], ["4", narrow, 2], ["3", split, 0.1], [
      "99",
      many,
      0.1,
    ]] as const
  ) {
    const pulls = result.flux.map((v, i) => (v - exact.flux[i]!) * Math.sqrt(exact.ivar[i]!));
    assertClose(pulls, new Float64Array(pulls.length), limit, `flux in σ, ${name}`, 1);
    assert.ok(result.ivar.every((v) => v > 0));
  }
});

for (const [bins, how] of [[40, "dense blocks"], [60, "bands, it is too long for dense blocks"]] as const) {
  Deno.test(`a patch that is the whole bundle gives what the bundle gives: by ${how}`, () => {
    const all = { nsubbundles: 1, nwavestep: bins, wavepad: 40, wavepadFrac: 0, pixpadFrac: 1 };
    const size = { fibres: 6, columns: 64, rows: 160, bins };
    const [whole] = extract(smallScene(size));
    const [patch] = extract(smallScene({ ...size, options: { ...all, tiling: "reference" } }));
    const pulls = patch!.flux.map((v, i) => (v - whole!.flux[i]!) * Math.sqrt(whole!.ivar[i]!));
    assertClose(pulls, new Float64Array(pulls.length), 1e-6, "flux in σ", 1);
    assertClose(patch!.ivar.map((v, i) => v / whole!.ivar[i]!), pulls.map(() => 1), 1e-7, "ivar");
    assertClose(patch!.resolution, whole!.resolution, 1e-7, "R", 1);
  });
}

Deno.test("the last bins of a grid that is no multiple of nwavestep are as those of a whole patch", () => {
  const options = { tiling: "reference", nwavestep: 20 } as const;
  // light goes on beyond the grid
  const whole = smallScene({ bins: 40, rows: 160, options });
  const job = { ...whole.job, wave: whole.job.wave.slice(0, 23) };
  const [cut] = extract({ ...whole, job }), [full] = extract(whole);
  for (let f = 0; f < 10; f++) {
    for (let i = 20; i < 23; i++) {
      const [a, b] = [f * 23 + i, f * 40 + i];
      const pull = (cut!.flux[a]! - full!.flux[b]!) * Math.sqrt(full!.ivar[b]!);
      assert.ok(Math.abs(pull) < 1e-3, `fibre ${f}, bin ${i}: ${pull} σ`);
    }
  }
});

Deno.test("regularize lowers what little light the prior leaves, and only there it matters", () => {
  const scene = smallScene();
  const job = { ...scene.job, options: { ...DEFAULT_EXTRACTION, regularize: 1e-4 } };
  const [plain] = extract(scene), [held] = extract({ ...scene, job });
  const pulls = held!.flux.map((v, i) => (v - plain!.flux[i]!) * Math.sqrt(plain!.ivar[i]!));
  assert.ok(pulls.some((v) => v !== 0));
  assertClose(pulls, new Float64Array(pulls.length), 0.2, "pulls", 1);
});

/** Flux of two targets in σ, ivar and R, worst of all bins that `wanted` admits. */
function differences(a: BundleResult, b: BundleResult, wanted: (i: number) => boolean): number {
  let worst = 0;
  a.flux.forEach((v, i) => {
    if (!wanted(i)) return;
    assert.equal(a.flags[i], b.flags[i]);
    if (b.ivar[i] === 0) return;
    worst = Math.max(
      worst,
      Math.abs(v - b.flux[i]!) * Math.sqrt(b.ivar[i]!),
      Math.abs(a.ivar[i]! / b.ivar[i]! - 1),
    );
  });
  return worst;
}

for (const tiling of TILINGS) {
  emulatedTest(`WASM and the emulated device extract alike, tiling ${tiling}`, (library) => {
    const options = { tiling, nwavestep: 30, model: true };
    const scene: SmallScene = smallScene({ fibres: 6, columns: 64, bins: 40, options });
    const device = new GpuTarget("emulated", { library });
    const bundles = [[0, 4], [4, 2]] as const;
    const clean = extract(scene, bundles), twin = extract(scene, bundles, device);
    clean.forEach((result, b) => {
      const worst = differences(twin[b]!, result, () => true);
      assert.ok(worst < 1e-8, `${worst} σ`);
      assertClose(twin[b]!.resolution, result.resolution, 1e-8, "R");
      assertClose(twin[b]!.model!.data, result.model!.data, 1e-8, "model");
    });
    mask(scene.ccd, [21, 42], [30, 50]);
    const [holed] = extract(scene), [holedTwin] = extract(scene, undefined, device);
    const beside = differences(holedTwin!, holed!, () => true);
    assert.ok(beside < 1e-5, `${beside} σ beside regularised bins`);
    device.close();
  });
}
