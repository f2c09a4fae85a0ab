import assert from "node:assert/strict";
import { airToVacuum } from "../../core/io/frame_conversion.ts";
import { atmosphere } from "../../core/templates/builtin_atmosphere.ts";
import { BUILTIN_AXES, BUILTIN_SIGMA, builtinLibrary } from "../../core/templates/builtin_library.ts";
import { BALMER_PASCHEN, LINES } from "../../core/templates/builtin_line_opacity.ts";
import { Synthesiser } from "../../core/templates/builtin_synthesis.ts";
import { FitsFile } from "../../core/io/fits_read.ts";
import { toFloat64 } from "../../core/io/number_types.ts";
import { dataTest } from "../shared_data.ts";

const DLNLAM = 2e-5;
const PIXELS = Float64Array.from({ length: 51000 }, (_, i) => 3550 * Math.exp(i * DLNLAM));
const synthesiser = new Synthesiser(PIXELS, 0.3);

function spectrum(teff: number, logg: number, feh = 0, alpha = 0): Float32Array {
  const out = new Float32Array(PIXELS.length);
  synthesiser.spectrum(teff, logg, { feh, alpha }, out);
  return out;
}

const pixelAt = (lam: number) => Math.round(Math.log(lam / PIXELS[0]) / DLNLAM);

/** Equivalent width, Å, of what lies within `half` Å, against the straight line through the ends. */
function width(lnflux: Float32Array, lam: number, half: number): number {
  const first = pixelAt(lam - half), last = pixelAt(lam + half);
  const left = Math.exp(lnflux[first]), right = Math.exp(lnflux[last]);
  let sum = 0;
  for (let i = first; i < last; i++) {
    const continuum = left + (right - left) * (i - first) / (last - first);
    sum += (1 - Math.exp(lnflux[i]) / continuum) * PIXELS[i] * DLNLAM;
  }
  return sum;
}

/** How much fainter than a band near by, in ln flux: for features too wide for an equivalent width. */
function index(
  lnflux: Float32Array,
  line: readonly [number, number],
  band: readonly [number, number],
): number {
  const mean = ([from, to]: readonly [number, number]) => {
    const part = lnflux.subarray(pixelAt(from), pixelAt(to));
    return part.reduce((sum, x) => sum + x, 0) / part.length;
  };
  return mean(band) - mean(line);
}

const caK = (lnflux: Float32Array) => index(lnflux, [3930, 3940], [4150, 4180]);
const mgB = (lnflux: Float32Array) => index(lnflux, [5164, 5190], [5110, 5140]);

/** Wavelength of the lowest flux near a wavelength, by a parabola. */
function minimum(lnflux: ArrayLike<number>, lam: number, within: number): number {
  let best = pixelAt(lam - within);
  for (let i = best; i <= pixelAt(lam + within); i++) if (lnflux[i] < lnflux[best]) best = i;
  const [a, b, c] = [lnflux[best - 1], lnflux[best], lnflux[best + 1]];
  return PIXELS[best] * Math.exp(DLNLAM * 0.5 * (a - c) / (a - 2 * b + c));
}

Deno.test("the Sun's atmosphere has the pressures of published models within a factor 1.5", () => {
  const [layer] = atmosphere(5777, 4.44, { feh: 0, alpha: 0 }, [0.6]);
  assert.ok(Math.abs(Math.log10(layer.pg) - 5.05) < 0.18, `log Pg ${Math.log10(layer.pg)}`);
  assert.ok(Math.abs(Math.log10(layer.pe) - 1.2) < 0.18, `log Pe ${Math.log10(layer.pe)}`);
});

Deno.test("strong lines lie at their laboratory wavelengths in vacuum", () => {
  const sun = spectrum(5777, 4.44);
  const air = [4383.545, 6122.217, 5183.604, 5889.951, 6439.075, 6562.801, 8542.091, 8806.757];
  for (const lam of airToVacuum(air)) {
    const found = minimum(sun, lam, 1);
    assert.ok(Math.abs(found - lam) < 0.03, `${lam} found at ${found}`);
  }
  assert.ok(Math.abs(airToVacuum([6562.801])[0] - 6564.614) < 0.01);
});

Deno.test("H alpha is weak in cool stars and strong at 8000 K, Ca II K the other way round", () => {
  const widths = [4500, 5500, 6500, 8000].map((teff) => {
    const lnflux = spectrum(teff, 4);
    return [width(lnflux, 6564.61, 30), caK(lnflux)];
  });
  for (let i = 1; i < 4; i++) {
    assert.ok(widths[i][0] > widths[i - 1][0], `H alpha ${widths.map((w) => w[0].toFixed(2))}`);
    assert.ok(widths[i][1] < widths[i - 1][1], `Ca K ${widths.map((w) => w[1].toFixed(2))}`);
  }
});

Deno.test("lines grow with metallicity, those of alpha elements with alpha, iron not", () => {
  const spectra = [-2.5, -1, 0, 0.5].map((feh) => spectrum(5500, 4, feh));
  for (
    const feature of [
      caK,
      mgB,
      (s: Float32Array) => width(s, 5271.4, 4),
      (s: Float32Array) => width(s, 8544.4, 8),
    ]
  ) {
    const strengths = spectra.map(feature);
    for (let i = 1; i < 4; i++) assert.ok(strengths[i] > strengths[i - 1], `${strengths}`);
  }
  const plain = spectrum(5500, 4, -1), rich = spectrum(5500, 4, -1, 0.4);
  assert.ok(width(rich, 5185.05, 2) > 1.1 * width(plain, 5185.05, 2), "Mg b");
  assert.ok(width(rich, 6440.85, 1.5) > 1.1 * width(plain, 6440.85, 1.5), "Ca I 6439");
  // Alpha elements give electrons, hence continuous opacity: iron weakens a little.
  const iron = [plain, rich].map((s) => width(s, 5416.7, 1.5));
  assert.ok(Math.abs(iron[1] / iron[0] - 1) < 0.15, `Fe I 5415: ${iron}`);
});

Deno.test("gravity shows in Mg b of cool stars and in the Balmer wings of hot ones", () => {
  assert.ok(mgB(spectrum(4500, 5)) > 1.2 * mgB(spectrum(4500, 2)));
  const hBeta = (s: Float32Array) => index(s, [4850, 4875], [4930, 4950]);
  assert.ok(hBeta(spectrum(8000, 5)) > 1.15 * hBeta(spectrum(8000, 2)));
});

Deno.test("the line table is read whole, and no line stands twice", () => {
  assert.ok(LINES.length > 600);
  for (const line of LINES) {
    assert.ok(line.lam > 3500 && line.lam < 10100 && line.excitation >= 0 && line.excitation < 12);
    assert.ok(line.loggf > -6 && line.loggf < 1);
  }
  const names = LINES.map((line) => `${line.element}${line.ion} ${line.lam.toFixed(3)}`);
  assert.equal(new Set(names).size, names.length);
  assert.equal(BALMER_PASCHEN.length, 28);
});

Deno.test("the built-in library is finite, smooth between nodes, and the same every time", () => {
  const library = builtinLibrary();
  const [arm] = library.builds[0].arms;
  assert.deepEqual([library.axes, library.templates, arm.medium], [BUILTIN_AXES, 400, "vacuum"]);
  assert.deepEqual(arm.lsf, { kind: "sigma", angstrom: BUILTIN_SIGMA });
  assert.ok(arm.lnflux.every((x) => x > -8 && x < 3));
  assert.ok(library.idgrid.every((id, i) => id === i));
  assert.equal(builtinLibrary().checksum, library.checksum);
  // Half-way between nodes in feh the interpolated ln flux is near the computed one.
  const pixels = Float64Array.from({ length: arm.npix }, (_, i) => arm.lam0 * Math.exp(i * arm.dlnlam));
  const own = new Float32Array(arm.npix);
  new Synthesiser(pixels, BUILTIN_SIGMA).spectrum(5500, 4, { feh: 0.25, alpha: 0 }, own);
  const at = (feh: number) => ((3 * 5 + 3) * 5 + feh) * 2 * arm.npix;
  let square = 0;
  for (let i = 0; i < arm.npix; i++) {
    square += (own[i] - 0.5 * (arm.lnflux[at(3) + i] + arm.lnflux[at(4) + i])) ** 2;
  }
  assert.ok(Math.sqrt(square / arm.npix) < 0.01, `${Math.sqrt(square / arm.npix)}`);
});

dataTest(
  "the lines of redrock's synthetic G stars lie where the table says, to 0.5 km/s",
  ["stellar/templates/rrtemplate-STAR-G-v0.1.fits"],
  (path) => {
    using file = FitsFile.open(path);
    const basis = toFloat64(file.image("BASIS_VECTORS").data), coefficients = toFloat64(file.image(1).data);
    const n = basis.length / 5;
    const flux = Float64Array.from({ length: n }, (_, i) => {
      let sum = 0;
      for (let k = 0; k < 5; k++) sum += coefficients[5 * 700 + k] * basis[k * n + i];
      return sum;
    });
    const shifts: number[] = [];
    for (const { lam } of LINES) {
      let best = Math.round((lam - 3000) / 0.1) - 3;
      const centre = best + 3;
      for (let i = best; i <= centre + 3; i++) if (flux[i] < flux[best]) best = i;
      if (Math.abs(best - centre) === 3) continue;
      const [a, b, c] = [flux[best - 1], flux[best], flux[best + 1]];
      const found = 3000 + 0.1 * (best + 0.5 * (a - c) / (a - 2 * b + c));
      shifts.push((found / lam - 1) * 299792.458);
    }
    shifts.sort((x, y) => x - y);
    assert.ok(shifts.length > 400);
    assert.ok(Math.abs(shifts[shifts.length >> 1]) < 0.5, `median ${shifts[shifts.length >> 1]} km/s`);
  },
);
