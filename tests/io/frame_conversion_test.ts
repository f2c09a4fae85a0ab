import assert from "node:assert/strict";
import fc from "fast-check";
import { airToVacuum, vacuumToAir } from "../../core/io/frame_conversion.ts";

Deno.test("air to vacuum inverts vacuum to air to 1e-15", () => {
  fc.assert(fc.property(fc.double({ min: 2000, max: 30000, noNaN: true }), (lam) => {
    const [back] = airToVacuum(vacuumToAir([lam]));
    assert.ok(Math.abs(back / lam - 1) < 1e-15, `${lam} ${back}`);
  }));
});

Deno.test("Hα, Hβ and the calcium triplet lie where the tables say, to 1e-6", () => {
  const vacuum = [6564.614, 4862.683, 8544.438];
  const air = [6562.801, 4861.325, 8542.091];
  vacuumToAir(vacuum).forEach((lam, i) => assert.ok(Math.abs(lam / air[i] - 1) < 1e-6, `${lam} ${air[i]}`));
});
