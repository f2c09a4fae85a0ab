/** `twinspec extract` on small simulated images: what it writes, what it refuses. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { FRAME_MASK } from "../../core/extraction/frame.ts";
import { FitsFile } from "../../core/io/fits_read.ts";
import { openSpectra } from "../../core/io/open_spectra.ts";
import { twinspec } from "../cli/run_cli.ts";
import { inFolder } from "../cli/run_cli.ts";
import { smallPsf, writePsf } from "./psf_fixture.ts";
import {
  GRID,
  GRID_TEXT,
  readFrame,
  readTruth,
  request,
  resolved,
  rewritten,
  type Scene,
  writeScene,
} from "./scene_fixture.ts";

/** Runs a command that is to end with 0. */
async function done(...args: string[]): Promise<{ out: string; err: string }> {
  const { code, out, err } = await twinspec(...args);
  assert.equal(code, 0, err);
  return { out, err };
}

/** Runs a command that is to be refused with one sentence and exit code 2, and leaves no file. */
async function refused(sentence: RegExp, output: string, ...args: string[]): Promise<void> {
  const { code, err } = await twinspec(...args);
  assert.equal(code, 2, err);
  assert.match(err, sentence);
  assert.equal(err.trimEnd().split("\n").filter((line) => line.startsWith("error:")).length, 1, err);
  assert.equal(existsSync(output), false);
}

const withScene = (test: (scene: Scene, folder: string) => Promise<void>, ...made: unknown[]) => () =>
  inFolder((folder) =>
    test(
      writeScene(folder, ...made as Parameters<typeof writeScene> extends [string, ...infer R] ? R : never),
      folder,
    )
  );

Deno.test(
  "extract: flux is the truth seen through the written resolution matrix, within the written errors",
  withScene(async (scene, folder) => {
    const output = `${folder}/frame.fits`;
    await done(...request(scene, output, "--float64"));
    const frame = readFrame(output);
    assert.deepEqual([frame.fibres, frame.bins], [10, 46]);
    const expected = resolved(frame, readTruth(scene.truth, frame.bins));
    const pulls: number[] = [];
    for (let f = 0; f < frame.fibres; f++) {
      for (let w = 5; w < frame.bins - 5; w++) {
        const i = f * frame.bins + w;
        assert.ok(frame.ivar[i]! > 0);
        pulls.push((frame.flux[i]! * GRID.step - expected[i]!) * Math.sqrt(frame.ivar[i]!) / GRID.step);
      }
    }
    const mean = pulls.reduce((a, b) => a + b) / pulls.length;
    const sigma = Math.sqrt(pulls.reduce((a, b) => a + (b - mean) ** 2, 0) / pulls.length);
    // 360 independent pulls: the mean is known to 0.05, σ to 0.04
    assert.ok(Math.abs(mean) < 0.2, `mean ${mean}`);
    assert.ok(sigma > 0.85 && sigma < 1.15, `σ ${sigma}`);
  }),
);

Deno.test(
  "extract: a frame has DESI's layout, the fibres that were asked for, and is read by the fit of stars",
  withScene(async (scene, folder) => {
    const output = `${folder}/frame.fits`, model = `${folder}/model.fits`;
    await done(...request(scene, output, "-m", model, "-s", "3", "-n", "5"));
    using file = FitsFile.open(output);
    assert.deepEqual(file.hdus.map((hdu) => hdu.name), [
      ...["FLUX", "IVAR", "MASK", "WAVELENGTH", "RESOLUTION", "FIBERMAP", "CHI2PIX"],
    ]);
    assert.deepEqual(file.hdu("RESOLUTION").shape, [5, 9, 46]);
    assert.deepEqual([...file.table("FIBERMAP").int32("FIBER")], [3, 4, 5, 6, 7]);
    const { header } = file.hdus[0]!;
    assert.deepEqual(
      ["NSPEC", "FIBERMIN", "WAVEMIN", "WAVESTEP", "BUNIT", "CAMERA"].map((key) => header.get(key)),
      [5, 3, 6012, 0.8, "electron/Angstrom", "r7"],
    );
    const spectra = openSpectra(output);
    assert.deepEqual([spectra.format, spectra.rows, spectra.arms[0]!.arm], ["desi-frame", 5, "r"]);
    assert.equal(spectra.read(0, [0], true).resolution!.length, 9 * 46);
    spectra.close();
    using image = FitsFile.open(model);
    assert.deepEqual(image.hdu("MODEL").shape, [120, 90]);
  }),
);

Deno.test(
  "extract: part of a bundle is what the whole bundle gives, whatever fibres are asked for",
  withScene(async (scene, folder) => {
    const [whole, part] = [`${folder}/whole.fits`, `${folder}/part.fits`];
    await done(...request(scene, whole, "--float64"));
    await done(...request(scene, part, "--float64", "-s", "3", "-n", "4"));
    const a = readFrame(whole), b = readFrame(part);
    assert.deepEqual(b.flux, a.flux.subarray(3 * a.bins, 7 * a.bins));
    assert.deepEqual(b.ivar, a.ivar.subarray(3 * a.bins, 7 * a.bins));
  }),
);

Deno.test(
  "extract: bundles and sub-bundles that do not divide evenly are extracted",
  withScene(async (scene, folder) => {
    for (const tiling of ["bundle", "reference"]) {
      const output = `${folder}/${tiling}.fits`;
      const args = request(scene, output, "--tiling", tiling, "--nsubbundles", "3", "--nwavestep", "20");
      args[args.indexOf("--bundlesize") + 1] = "4";
      await done(...args);
      const frame = readFrame(output);
      assert.equal(frame.fibres, 10);
      assert.ok(frame.ivar.every((v) => v > 0), tiling);
    }
    const { out } = await twinspec("extract", "compare", `${folder}/bundle.fits`, `${folder}/reference.fits`);
    assert.match(out, /flux within 0\.01 σ/);
  }),
);

Deno.test(
  "extract: the pixel model of a noise-free image is that image, not one blurred twice",
  withScene(
    async (scene, folder) => {
      const model = `${folder}/model.fits`;
      await done(...request(scene, `${folder}/frame.fits`, "-m", model, "--float64"));
      using found = FitsFile.open(model), image = FitsFile.open(scene.image);
      const a = found.image("MODEL").data as Float64Array, b = image.image("IMAGE").data as Float32Array;
      let worst = 0, most = 0;
      // rows that only bins of the grid light
      for (let y = 40; y < 75; y++) {
        for (let x = 0; x < 90; x++) {
          most = Math.max(most, b[y * 90 + x]!);
          worst = Math.max(worst, Math.abs(a[y * 90 + x]! - b[y * 90 + x]!));
        }
      }
      assert.ok(most > 20 && worst < 1e-4 * most, `${worst} of ${most}`);
    },
    {},
    { noiseless: true },
  ),
);

Deno.test(
  "extract: bins without unmasked light have ivar 0 and are flagged; a bundle that is masked whole is there",
  withScene(async (scene, folder) => {
    const input = `${folder}/masked.fits`, output = `${folder}/frame.fits`;
    rewritten(scene.image, input, ({ mask, columns }) => {
      // fibres 0 to 4 lie left of column 43
      mask.forEach((_, i) => mask[i] = i % columns < 44 ? 1 : mask[i]!);
    });
    await done(...request({ ...scene, image: input }, output));
    const { flux, ivar, mask, bins } = readFrame(output);
    for (let i = 0; i < 4 * bins; i++) {
      assert.deepEqual([flux[i], ivar[i]], [0, 0]);
      assert.ok((mask[i]! & FRAME_MASK.ALLBADPIX) !== 0);
    }
    for (let i = 6 * bins; i < 10 * bins; i++) assert.ok(ivar[i]! > 0 && mask[i] === 0, `${i}`);
  }),
);

Deno.test(
  "extract: pixels that are NaN with ivar 0 change nothing, and χ² stays finite",
  withScene(async (scene, folder) => {
    const input = `${folder}/nan.fits`, masked = `${folder}/masked.fits`;
    const some = (i: number) => i % 97 === 0;
    rewritten(
      scene.image,
      input,
      ({ image, ivar }) => image.forEach((_, i) => some(i) ? [image[i], ivar[i]] = [NaN, 0] : null),
    );
    rewritten(scene.image, masked, ({ mask }) => mask.forEach((_, i) => mask[i] = some(i) ? 1 : 0));
    const frames = [];
    for (const image of [input, masked]) {
      await done(...request({ ...scene, image }, `${image}.frame`));
      frames.push(readFrame(`${image}.frame`));
    }
    assert.ok(frames[0]!.chi2pix.every(Number.isFinite));
    assert.deepEqual(frames[0]!.flux, frames[1]!.flux);
    assert.deepEqual(frames[0]!.chi2pix, frames[1]!.chi2pix);
  }),
);

Deno.test(
  "extract: pixels with a negative or infinite ivar count as masked, and the first is named",
  withScene(async (scene, folder) => {
    const input = `${folder}/wrong.fits`, output = `${folder}/frame.fits`;
    rewritten(scene.image, input, ({ ivar, image, columns }) => {
      ivar[50 * columns + 20] = -1;
      ivar[50 * columns + 21] = Infinity;
      image[60 * columns + 30] = NaN;
    });
    const { err } = await done(...request({ ...scene, image: input }, output));
    assert.match(
      err,
      /warning: .*wrong\.fits: 3 pixels have values .* masked, the first at row 50, column 20: IVAR is -1/,
    );
    assert.ok(readFrame(output).ivar.every((v) => v > 0));
  }),
);

Deno.test(
  "extract: the bits of MASK that count are DESI's, or any",
  withScene(async (scene, folder) => {
    const input = `${folder}/noisy.fits`;
    // bit 8, BADREADNOISE, is no reason to leave a pixel out
    rewritten(scene.image, input, ({ mask }) => mask.fill(256));
    await done(...request({ ...scene, image: input }, `${folder}/desi.fits`));
    await done(...request({ ...scene, image: input }, `${folder}/any.fits`, "--mask-bits", "any"));
    assert.ok(readFrame(`${folder}/desi.fits`).ivar.every((v) => v > 0));
    assert.ok(readFrame(`${folder}/any.fits`).ivar.every((v) => v === 0));
  }),
);

Deno.test(
  "extract --barycentric-correction: bins are where the corrected light falls, and the factor is in the header",
  withScene(async (scene, folder) => {
    const [plain, corrected] = [`${folder}/plain.fits`, `${folder}/corrected.fits`];
    await done(...request(scene, plain));
    await done(...request(scene, corrected, "--barycentric-correction"));
    const a = readFrame(plain), b = readFrame(corrected);
    assert.deepEqual(b.wave, a.wave);
    const factor = b.header.number("HELIOCOR")!;
    assert.ok(factor !== 1 && Math.abs(factor - 1) < 1.1e-4, `${factor}`);
    assert.deepEqual([a.header.get("HELIOCOR"), a.header.get("SPECSYS")], [1, "TOPOCENT"]);
    assert.equal(b.header.get("SPECSYS"), "BARYCENT");
    assert.notDeepEqual(b.flux, a.flux);
    const frames = [plain, corrected].map((path) => {
      const spectra = openSpectra(path);
      spectra.close();
      return spectra.arms[0]!.frame;
    });
    assert.deepEqual(frames, ["topocentric", "barycentric"]);
  }),
);

Deno.test(
  "extract: several images in one run, each with its own frame",
  withScene(async (scene, folder) => {
    const other = `${folder}/other.fits`;
    rewritten(scene.image, other, ({ image }) => image.forEach((_, i) => image[i]! *= 2));
    const [first, ...rest] = request(scene, `${folder}/a.fits`);
    await done(first!, ...rest, "-i", other, "-o", `${folder}/b.fits`);
    await done(...request({ ...scene, image: other }, `${folder}/alone.fits`));
    assert.deepEqual(readFrame(`${folder}/b.fits`).flux, readFrame(`${folder}/alone.fits`).flux);
    assert.notDeepEqual(readFrame(`${folder}/a.fits`).flux, readFrame(`${folder}/b.fits`).flux);
  }),
);

Deno.test(
  "extract: an image whose own fault shows late is refused by name, exit 2; the others are extracted",
  withScene(async (scene, folder) => {
    const timeless = `${folder}/timeless.fits`, last = `${folder}/last.fits`;
    rewritten(scene.image, timeless, () => {}, { header: (keywords) => keywords.delete("MJD-OBS") });
    rewritten(scene.image, last, ({ image }) => image.forEach((_, i) => image[i]! *= 2));
    const of = (names: string[]) =>
      names.flatMap((n) => ["-o", `${folder}/${n}.fits`, "-m", `${folder}/${n}-m.fits`]);
    const corrected = (images: string[], names: string[], ...more: string[]) => {
      const [, , , ...rest] = request(scene, "");
      rest.splice(rest.indexOf("-o"), 2);
      return [
        "extract",
        ...images.flatMap((i) => ["-i", i]),
        ...rest,
        ...of(names),
        "--barycentric-correction",
        ...more,
      ];
    };
    const sentence =
      /^error: .*timeless\.fits.*has no keyword MJD-OBS, which --barycentric-correction needs/gm;
    // whichever of them is read first
    for (const [i, images] of [[timeless, scene.image, last], [scene.image, last, timeless]].entries()) {
      const names = images.map((_, k) => `frame-${i}${k}`);
      const { code, out, err } = await twinspec(...corrected(images, names, "--json"));
      assert.equal(code, 2, err);
      assert.equal(err.match(/^error:/gm)?.length, 1, err);
      assert.equal(err.match(sentence)?.length, 1, err);
      const document = JSON.parse(out);
      assert.equal(document.exitCode, 2);
      assert.deepEqual(document.refused.map(({ input }: { input: string }) => input), [timeless]);
      const good = names.filter((_, k) => images[k] !== timeless);
      assert.equal(document.files.length, 2);
      const written = readdirSync(folder).filter((name) => name.startsWith(`frame-${i}`)).sort();
      assert.deepEqual(written, good.flatMap((name) => [`${name}-m.fits`, `${name}.fits`]).sort());
      for (const name of good) assert.ok(readFrame(`${folder}/${name}.fits`).ivar.every((v) => v > 0));
    }
    // nothing done: as for a single image
    const { code, out, err } = await twinspec(...corrected([timeless], ["none"], "--json"));
    assert.deepEqual([code, out, err.match(sentence)?.length], [2, "", 1]);
    assert.ok(!readdirSync(folder).some((name) => /^none|\.tmp-|\.journal$|\.lock$/.test(name)));
  }),
);

Deno.test(
  "extract: what is wrong with the input is said in one sentence, before any work",
  withScene(async (scene, folder) => {
    const output = `${folder}/frame.fits`;
    const broken = (name: string, write: (path: string) => void) => {
      const path = `${folder}/${name}`;
      write(path);
      return path;
    };
    const small = smallPsf();
    const psfs: [RegExp, string][] = [
      [
        /of type GAUSS-HERMITE2; only GAUSS-HERMITE can be read/,
        broken("p1", (p) =>
          writePsf(p, small, {
            primary: { PSFTYPE: "GAUSS-HERMITE2" },
            table: { PSFTYPE: "GAUSS-HERMITE2" },
          })),
      ],
      [
        /PSFVER is 9, expected 3/,
        broken("p2", (p) => writePsf(p, small, { primary: { PSFVER: 9 }, table: { PSFVER: "9" } })),
      ],
      [/has no HDU YTRACE/, broken("p3", (p) => writePsf(p, small, { without: "YTRACE" }))],
      [
        /120 × 90 pixels, but the PSF .*p4 is made for a CCD of 120 × 400/,
        broken("p4", (p) => writePsf(p, { ...small, columns: 400 })),
      ],
    ];
    for (const [sentence, psf] of psfs) {
      await refused(sentence, output, ...request({ ...scene, psf }, output));
    }
    const images: [RegExp, string][] = [
      [/no such file|cannot be read|is missing|not found|does not exist/i, `${folder}/nowhere.fits`],
      [/has no HDU IVAR/, broken("i1", (p) => rewritten(scene.image, p, () => {}, { without: "IVAR" }))],
      [/has no HDU MASK/, broken("i2", (p) => rewritten(scene.image, p, () => {}, { without: "MASK" }))],
      [
        /100 × 90 pixels, but the PSF/,
        broken("i3", (p) => rewritten(scene.image, p, () => {}, { rows: 100 })),
      ],
      [/not.*FITS/i, broken("i4", (p) => writeFileSync(p, "this is a text"))],
      [
        /cut off|truncated|damaged|ends/i,
        broken("i5", (p) => {
          const packed = gzipSync(readFileSync(scene.image));
          writeFileSync(p, packed.subarray(0, packed.length >> 1));
        }),
      ],
    ];
    for (const [sentence, image] of images) {
      await refused(sentence, output, ...request({ ...scene, image }, output));
    }
    const words = (replace: Record<string, string>, ...more: string[]) => {
      const args = request(scene, output, ...more);
      for (const [option, value] of Object.entries(replace)) args[args.indexOf(option) + 1] = value;
      return args;
    };
    await refused(
      /reaches beyond the traces of .*psf\.fits, which are defined from 6000 to 6064 Å/,
      output,
      ...words({ "-w": "6010,6100,0.8" }),
    );
    await refused(
      /the PSF has the fibres 0 to 9; ask for some of them/,
      output,
      ...words({}, "-s", "8", "-n", "5"),
    );
    await refused(/Expected FIRST,LAST,STEP/, output, ...words({ "-w": "6010,6000,0.8" }));
    await refused(/1 image but 2 outputs/, output, ...words({}, "-o", `${folder}/second.fits`));
    await refused(/is an input; write the output elsewhere/, output, ...words({ "-o": scene.psf }));
    assert.ok(!readdirSync(folder).some((name) => /\.tmp-|\.journal$|\.lock$/.test(name)));
  }),
);

Deno.test(
  "extract: existing output is left alone, and replaced only with --overwrite; leftovers of a killed run are harmless",
  withScene(async (scene, folder) => {
    const output = `${folder}/frame.fits`;
    writeFileSync(output, "precious");
    const { code, err } = await twinspec(...request(scene, output));
    assert.equal(code, 2);
    assert.match(err, /frame\.fits: exists already; give --overwrite/);
    assert.equal(readFileSync(output, "utf8"), "precious");
    writeFileSync(`${output}.tmp-1-0`, "half a frame");
    writeFileSync(`${output}.journal`, "no journal at all");
    await done(...request(scene, output, "--overwrite"));
    assert.equal(readFrame(output).fibres, 10);
    assert.ok(!readdirSync(folder).some((name) => /\.tmp-|\.journal$|\.lock$/.test(name)));
  }),
);

Deno.test(
  "extract compare: equal, agree and differ are told apart, with exit codes",
  withScene(async (scene, folder) => {
    const [a, b, c] = ["a", "b", "c"].map((name) => `${folder}/${name}.fits`) as [string, string, string];
    await done(...request(scene, a));
    await done(...request(scene, b, "--float64"));
    const other = `${folder}/other.fits`;
    rewritten(scene.image, other, ({ image }) => image.forEach((_, i) => image[i]! *= 1.5));
    await done(...request({ ...scene, image: other }, c));
    const equal = await twinspec("extract", "compare", a, b);
    assert.deepEqual([equal.code, /The frames are equal/.test(equal.out)], [0, true]);
    const differ = await twinspec("extract", "compare", a, c, "--json");
    assert.equal(differ.code, 1);
    const document = JSON.parse(differ.out);
    assert.equal(document.verdict, "differ");
    assert.ok(document.pull.largest > 0.5);
    const wrong = await twinspec("extract", "compare", a, scene.image);
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /has no HDU FLUX; expected a frame/);
  }),
);

Deno.test("extract simulate writes an image and its truth, the same for the same seed", () =>
  inFolder(async (folder) => {
    const psf = `${folder}/psf.fits`;
    writePsf(psf, smallPsf());
    const bytes = [];
    for (const name of ["a", "b"]) {
      await done(
        ...[
          "extract",
          "simulate",
          "-p",
          psf,
          "--out",
          `${folder}/${name}.fits`,
          "--truth",
          `${folder}/${name}-t.fits`,
        ],
        ...["--seed", "4", "-w", GRID_TEXT, "-n", "10", "--cosmics", "3", "--dead-columns", "1"],
      );
      bytes.push(readFileSync(`${folder}/${name}.fits`));
    }
    assert.ok(bytes[0]!.equals(bytes[1]!));
    using file = FitsFile.open(`${folder}/a.fits`);
    assert.deepEqual(file.hdus.map((hdu) => hdu.name), ["IMAGE", "IVAR", "MASK", "READNOISE", "FIBERMAP"]);
    assert.ok((file.image("MASK").data as Int16Array).some((bits) => bits !== 0));
    const again = await twinspec(
      ...["extract", "simulate", "-p", psf, "--out", `${folder}/a.fits`, "--truth", `${folder}/a-t.fits`],
    );
    assert.equal(again.code, 2);
    assert.match(again.err, /is there already; give --overwrite/);
  }));

Deno.test(
  "extract --plot draws every bundle",
  withScene(async (scene, folder) => {
    await done(...request(scene, `${folder}/frame.fits`, "--plot", `${folder}/pictures`));
    const pictures = readdirSync(`${folder}/pictures`).sort();
    assert.deepEqual(pictures, ["fig_frame_000.png", "fig_frame_005.png"]);
    for (const name of pictures) {
      assert.deepEqual([...readFileSync(`${folder}/pictures/${name}`).subarray(1, 4)], [0x50, 0x4e, 0x47]);
    }
  }),
);
