/** What extraction writes, opened by astropy; SKIP where the system's Python has none. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { inFolder, twinspec } from "../cli/run_cli.ts";
import { readFrame, request, writeScene } from "../extraction/scene_fixture.ts";

const python = "/usr/bin/python3";
const present = spawnSync(python, ["-c", "import astropy"]).status === 0;

function run(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(python, args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout;
}

/** Reads a frame the way a user of astropy would, and says what it found. */
const READ = `
import json, sys
import numpy as np
from astropy.io import fits
from astropy.table import Table
with fits.open(sys.argv[1]) as hdus:
    flux, head = hdus["FLUX"].data, hdus["FLUX"].header
    fibermap = Table(hdus["FIBERMAP"].data)
    print(json.dumps({
        "names": [hdu.name for hdu in hdus],
        "types": [hdus[name].data.dtype.name for name in ("FLUX", "IVAR", "MASK", "WAVELENGTH", "RESOLUTION", "CHI2PIX")],
        "shapes": [list(hdu.data.shape) for hdu in hdus],
        "sums": [float(np.sum(hdus[name].data, dtype=float)) for name in ("FLUX", "IVAR", "RESOLUTION", "CHI2PIX")],
        "units": [hdus[name].header["BUNIT"] for name in ("FLUX", "IVAR", "WAVELENGTH")],
        "wave": [float(hdus["WAVELENGTH"].data[0]), head["WAVEMIN"], head["WAVESTEP"]],
        "fibres": [int(fibre) for fibre in fibermap["FIBER"]],
        "camera": head["CAMERA"],
    }))
`;

Deno.test({
  name: present
    ? "astropy verifies frames, models, simulated images and their truth, and reads what is in a frame"
    : `SKIP frames in astropy (${python} has none)`,
  ignore: !present,
  fn: () =>
    inFolder(async (folder) => {
      const scene = writeScene(folder, {}, { damage: { cosmics: 5, deadColumns: 1, unmaskedCosmics: 1 } });
      const single = `${folder}/frame.fits`, double = `${folder}/double.fits`;
      const models = [`${folder}/model.fits`, `${folder}/model64.fits`] as const;
      const part = ["-s", "3", "-n", "5"];
      const runs = [
        request(scene, single, ...part, "-m", models[0]),
        request(scene, double, ...part, "-m", models[1], "--float64", "--barycentric-correction"),
      ];
      for (const words of runs) {
        const { code, err } = await twinspec(...words);
        assert.equal(code, 0, err);
      }
      const check = fileURLToPath(new URL("astropy_check.py", import.meta.url));
      run(check, single, double, ...models, scene.image, scene.truth);
      const found = JSON.parse(run("-c", READ, single));
      const frame = readFrame(single), { fibres, bins } = frame;
      const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
      const sums = [frame.flux, frame.ivar, frame.resolution, frame.chi2pix].map(sum);
      found.sums.forEach((value: number, i: number) => {
        assert.ok(Math.abs(value - sums[i]!) < 1e-9 * Math.abs(sums[i]!), `${value}, ${sums[i]}`);
      });
      delete found.sums;
      assert.deepEqual(found, {
        names: ["FLUX", "IVAR", "MASK", "WAVELENGTH", "RESOLUTION", "FIBERMAP", "CHI2PIX"],
        types: ["float32", "float32", "uint32", "float64", "float32", "float32"],
        shapes: [
          ...[[fibres, bins], [fibres, bins], [fibres, bins], [bins], [fibres, 9, bins], [fibres]],
          [fibres, bins],
        ],
        units: ["electron/Angstrom", "(electron/Angstrom)**-2", "Angstrom"],
        wave: [6012, 6012, 0.8],
        fibres: [3, 4, 5, 6, 7],
        camera: "r7",
      });
    }),
});
