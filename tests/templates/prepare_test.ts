import assert from "node:assert/strict";
import { vacuumToAir } from "../../core/io/frame_conversion.ts";
import { InputError } from "../../core/io/input_error.ts";
import type { LineSpread } from "../../core/io/spectra.ts";
import { importLibrary } from "../../core/templates/import_library.ts";
import { coversRequest, preparationKey, prepareArm } from "../../core/templates/prepare.ts";
import type { PreparationRequest, PreparedArm } from "../../core/templates/prepared.ts";
import { dataTest } from "../shared_data.ts";
import { lineFlux, ramp, smallLibrary } from "./small_library.ts";

function request(change: Partial<PreparationRequest> = {}): PreparationRequest {
  return {
    setup: "desi_b",
    lam: ramp(5000, 5300, 0.8),
    medium: "vacuum",
    lsf: { kind: "fwhm", angstrom: 1.55 },
    resolutionMatrix: false,
    maxVel: 500,
    ...change,
  };
}

function wavelengths({ lam0, dlnlam, npix }: PreparedArm): Float64Array {
  return Float64Array.from({ length: npix }, (_, i) => lam0 * Math.exp(i * dlnlam));
}

/** Largest difference from the lines of the small library at a line spread, template 4, away from the ends. */
function worst(arm: PreparedArm, sigma: (lam: number) => number, lamOf = (x: number) => x): number {
  const lam = wavelengths(arm);
  let most = 0;
  for (let i = 60; i < arm.npix - 60; i++) {
    const x = lamOf(lam[i]);
    most = Math.max(most, Math.abs(Math.exp(arm.lnflux[4 * arm.npix + i]) - lineFlux(x, sigma(lam[i]), 0.5)));
  }
  return most;
}

const message = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    return error.message;
  }
  throw new Error("did not fail");
};

Deno.test("spectra made for the set-up at its line spread are taken as they are", () => {
  const library = smallLibrary();
  const arm = prepareArm(library, request());
  assert.equal(arm.lnflux, library.builds[1].arms[0].lnflux);
  assert.equal(arm.npix, library.builds[1].arms[0].npix);
  assert.ok(Number.isNaN(arm.sigma0));
});

Deno.test("others are convolved to the data's line spread, whatever its kind", () => {
  const lam = ramp(5000, 5300, 0.8);
  const spreads: [LineSpread, (lam: number) => number][] = [
    [{ kind: "fwhm", angstrom: 2.5 }, () => 2.5 / 2.35482],
    [{ kind: "sigma", angstrom: 0.9 }, () => 0.9],
    [{ kind: "resolution", R: 1800 }, (x) => x / 1800 / 2.35482],
    [
      { kind: "table", sigma: lam.map((x) => 1 + (x - 5000) / 600) },
      (x) => 1 + (Math.min(Math.max(x, 5000), 5300) - 5000) / 600,
    ],
  ];
  for (const [lsf, sigma] of spreads) {
    const arm = prepareArm(smallLibrary(), request({ setup: "lamost", lsf }));
    // Averaging over a pixel of FWHM/4 adds 0.6 % to σ; the rounded table up to 0.01 Å.
    assert.ok(worst(arm, sigma) < 6e-3, `${lsf.kind}: ${worst(arm, sigma)}`);
    assert.ok(Number.isNaN(arm.sigma0));
    assert.ok(coversRequest(arm, request()));
    assert.ok(arm.lnflux.buffer instanceof SharedArrayBuffer);
  }
});

Deno.test("the prepared range leaves room for the largest velocity, rotation and warm-up, and no more", () => {
  const arm = prepareArm(smallLibrary(), request({ setup: "other" }));
  const lam = wavelengths(arm), f = 1 + 1000 / 299792.458;
  assert.ok(lam[0] * f < 5000 && lam[0] > 4960, `${lam[0]}`);
  assert.ok(lam.at(-1)! > 5300 * f && lam.at(-1)! < 5345, `${lam.at(-1)}`);
});

Deno.test("with a resolution matrix the sharper spectra stay as they are", () => {
  const library = smallLibrary();
  const arm = prepareArm(library, request({ resolutionMatrix: true }));
  assert.equal(arm.sigma0, 0.5);
  const full = library.builds[0].arms[0];
  const first = Math.round(Math.log(arm.lam0 / full.lam0) / full.dlnlam);
  assert.deepEqual(
    arm.lnflux.slice(arm.npix, 2 * arm.npix),
    full.lnflux.slice(full.npix + first, full.npix + first + arm.npix),
  );
});

Deno.test("data in air get a grid in air", () => {
  const toVacuum = (air: number) => {
    let lam = air;
    for (let i = 0; i < 5; i++) lam += air - vacuumToAir([lam])[0];
    return lam;
  };
  for (const resolutionMatrix of [false, true]) {
    const lsf = { kind: "fwhm", angstrom: 2.5 } as const;
    const arm = prepareArm(smallLibrary(), request({ medium: "air", lsf, resolutionMatrix }));
    assert.equal(arm.medium, "air");
    const sigma = resolutionMatrix ? 0.5 : 2.5 / 2.35482;
    assert.ok(worst(arm, () => sigma, toVacuum) < 6e-3, `${worst(arm, () => sigma, toVacuum)}`);
  }
});

Deno.test("a library that is too short says both ranges and the velocity that would do", () => {
  const text = message(() => prepareArm(smallLibrary(), request({ lam: ramp(4910, 5300, 1), maxVel: 1000 })));
  assert.match(text, /library small covers 4900\.0–5399\.\d Å \(full\)/);
  assert.match(text, /arm desi_b \(4910\.0–5300\.0 Å\) needs 4893\.\d–5317\.\d Å at ±1000 km\/s/);
  const velocity = Number(/--max-vel to (\d+)/.exec(text)?.[1]);
  prepareArm(smallLibrary(), request({ lam: ramp(4910, 5300, 1), maxVel: velocity }));
  assert.throws(() =>
    prepareArm(smallLibrary(), request({ lam: ramp(4910, 5300, 1), maxVel: velocity + 2 }))
  );
  assert.match(
    message(() => prepareArm(smallLibrary(), request({ lam: ramp(4800, 5300, 1) }))),
    /leave the arm out/,
  );
});

Deno.test("a library that is too coarse says both line spreads", () => {
  const coarse = smallLibrary({
    std: [{ setup: "desi_b", from: 4900, to: 5400, dlnlam: 7e-5, lsf: { kind: "fwhm", angstrom: 1.55 } }],
  });
  const text = message(() => prepareArm(coarse, request({ lsf: { kind: "fwhm", angstrom: 1.2 } })));
  assert.match(text, /FWHM at 5150 Å is 1\.55 Å \(std\/desi_b\), that of the data 1\.20 Å/);
  assert.match(message(() => prepareArm(coarse, request({ resolutionMatrix: true }))), /resolution matrix/);
});

Deno.test("a table of line spreads without values is an InputError", () => {
  const lam = ramp(5000, 5300, 0.8);
  const lsf: LineSpread = { kind: "table", sigma: lam.map(() => 0) };
  assert.match(message(() => prepareArm(smallLibrary(), request({ lsf }))), /holds no positive values/);
});

Deno.test("preparationKey() is the same for nearly the same data, and differs where the answer would", () => {
  const library = smallLibrary();
  const table = (noise: number) => {
    const lam = ramp(5002, 5298, 0.8);
    const sigma = lam.map((x, i) => 1.204 + (x - 5150) / 1500 + noise * Math.sin(7 * i));
    return preparationKey(library, request({ setup: "sdss", lam, lsf: { kind: "table", sigma } }));
  };
  assert.equal(table(0), table(0.003));
  const base = preparationKey(library, request());
  assert.equal(base, preparationKey(library, request({ lam: ramp(5000, 5300, 1) })));
  for (
    const change of [
      { setup: "desi_r" },
      { lam: ramp(5000, 5311, 1) },
      { medium: "air" },
      { lsf: { kind: "fwhm", angstrom: 1.6 } },
      { resolutionMatrix: true },
      { maxVel: 600 },
    ] satisfies Partial<PreparationRequest>[]
  ) {
    assert.notEqual(base, preparationKey(library, request(change)));
  }
  assert.notEqual(base, preparationKey({ ...library, checksum: "other" }, request()));
});

dataTest(
  "the reference's sharp product, convolved, is its ordinary one",
  ["stellar/reference/library"],
  (folder) => {
    const library = importLibrary(folder);
    const sharp = { ...library, builds: [library.builds.find((b) => b.name === "resolmat")!] };
    const lam = ramp(5760, 7620, 0.8);
    const wanted = { setup: "desi_r", lam, medium: "vacuum", resolutionMatrix: false, maxVel: 900 } as const;
    const lsf = { kind: "fwhm", angstrom: 1.55 } as const;
    const exact = prepareArm(library, { ...wanted, lsf });
    const made = prepareArm(sharp, { ...wanted, lsf });
    const at = wavelengths(made);
    let square = 0, mean = 0;
    const differences: number[] = [];
    for (let i = 200; i < made.npix - 200; i++) {
      const x = Math.log(at[i] / exact.lam0) / exact.dlnlam, k = Math.floor(x);
      const row = 211 * exact.npix + k;
      const expected = exact.lnflux[row] + (x - k) * (exact.lnflux[row + 1] - exact.lnflux[row]);
      differences.push(made.lnflux[211 * made.npix + i] - expected);
    }
    // The products differ in level and in tilt, which is a line in λ.
    const n = differences.length;
    const places = Array.from({ length: n }, (_, i) => at[200 + i]!);
    const middle = places.reduce((a, b) => a + b) / n;
    let slope = 0, spread = 0;
    for (const d of differences) mean += d / n;
    differences.forEach((d, i) => {
      slope += (d - mean) * (places[i]! - middle);
      spread += (places[i]! - middle) ** 2;
    });
    differences.forEach((d, i) => square += (d - mean - slope / spread * (places[i]! - middle)) ** 2 / n);
    assert.ok(Math.sqrt(square) < 2e-3, `${Math.sqrt(square)}`);
  },
);
