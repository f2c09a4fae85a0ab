/** The barycentric factor against astropy's, and headers that do not say enough for it. */
import assert from "node:assert/strict";
import { barycentricFactor, factorAt } from "../../core/extraction/barycentric.ts";
import { FitsFile } from "../../core/io/fits_read.ts";
import { Header } from "../../core/io/fits_header.ts";
import { InputError } from "../../core/io/input_error.ts";
import { inFolder, twinspec } from "../cli/run_cli.ts";
import { readFrame, request, rewritten, writeScene } from "./scene_fixture.ts";

const LIGHT = 299792458;

/**
 * MJD (UTC), right ascension, declination, m/s. Made with astropy 5.2.1 and its built-in ephemeris, without downloads:
 *
 *     site = EarthLocation.from_geodetic(-111.59989 * u.deg, 31.96403 * u.deg, 2097 * u.m)
 *     time = Time(mjd, format="mjd", scale="utc", location=site)
 *     SkyCoord(ra * u.deg, dec * u.deg).radial_velocity_correction("barycentric", obstime=time).to_value(u.m / u.s)
 */
const ASTROPY = [
  [58846.13, 150, 2, 24667.8731],
  [58941.25, 210.5, -8.25, 10209.9325],
  [59025.4, 270, 60, -338.6512],
  [59110.33, 333.7, 20.1, -5927.3326],
  [59190.2, 10.68, 41.27, -18850.3796],
  [59248.45, 95.3, -15.6, -14679.1927],
  [60676.125, 45, 33, -21845.0234],
  [61041.3, 150, 2, 23444.0192],
] as const;

Deno.test("barycentric factor: as astropy has it, over the year", () => {
  for (const [mjd, ra, dec, velocity] of ASTROPY) {
    const difference = factorAt(mjd, ra, dec) - (1 + velocity / LIGHT);
    // seen: up to 3.2e-9, or 1 m/s: both ephemerides are truncated series
    assert.ok(Math.abs(difference) < 5e-9, `MJD ${mjd}: ${difference}`);
  }
});

function header(keys: Record<string, number>): Header {
  const out = new Header([], "image.fits[IMAGE]");
  for (const [key, value] of Object.entries(keys)) out.setReal(key, value);
  return out;
}

const TIME = { "MJD-OBS": 59025.3, EXPTIME: 0.2 * 86400 };

Deno.test("barycentric factor: the middle of the exposure, the first pointing that the header has", () => {
  const expected = factorAt(59025.4, 270, 60);
  const close = (keys: Record<string, number>) =>
    assert.ok(Math.abs(barycentricFactor(header(keys)) - expected) < 1e-14, JSON.stringify(keys));
  close({ ...TIME, TARGTRA: 270, TARGTDEC: 60, RA: 10, DEC: -10 });
  close({ ...TIME, SKYRA: 270, SKYDEC: 60, TELRA: 10, TELDEC: -10 });
  close({ ...TIME, TELRA: 270, TELDEC: 60 });
  close({ MJD: 59025.3, EXPTIME: 0.2 * 86400, RA: 270, DEC: 60 });
});

Deno.test("barycentric factor: a header without time or pointing is refused with one sentence", () => {
  const refused = (keys: Record<string, number>, sentence: RegExp) =>
    assert.throws(() => barycentricFactor(header(keys)), (error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, sentence);
      return true;
    });
  refused({ EXPTIME: 900, RA: 1, DEC: 2 }, /has no keyword MJD-OBS, which --barycentric-correction needs/);
  refused({ MJD: 59000, RA: 1, DEC: 2 }, /has no keyword EXPTIME, which --barycentric-correction needs/);
  refused({ ...TIME, TARGTRA: 3, DEC: 2 }, /has no pointing \(TARGTRA\/TARGTDEC, .*RA\/DEC\)/);
});

Deno.test("extract --barycentric-correction: an image that does not say when is refused", () =>
  inFolder(async (folder) => {
    const scene = writeScene(folder);
    const mute = `${folder}/mute.fits`, output = `${folder}/frame.fits`;
    rewritten(scene.image, mute, () => {}, { header: (from) => from.delete("MJD-OBS") });
    const failed = await twinspec(...request({ ...scene, image: mute }, output, "--barycentric-correction"));
    assert.equal(failed.code, 2);
    assert.match(failed.err, /^error: .*mute\.fits.*: has no keyword MJD-OBS.*leave that option out$/m);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
      ...["mute.fits", "preproc.fits", "psf.fits", "truth.fits"],
    ]);
    const plain = await twinspec(...request({ ...scene, image: mute }, output));
    assert.equal(plain.code, 0, plain.err);
    assert.equal(readFrame(output).header.get("HELIOCOR"), 1);
    // what the frame says is what the library of this test says
    const corrected = `${folder}/corrected.fits`;
    const said = await twinspec(...request(scene, corrected, "--barycentric-correction"));
    assert.equal(said.code, 0, said.err);
    using image = FitsFile.open(scene.image);
    assert.equal(
      readFrame(corrected).header.number("HELIOCOR"),
      barycentricFactor(image.hdus[0]!.header),
    );
  }));
