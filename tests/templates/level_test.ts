import assert from "node:assert/strict";
import { level } from "../../core/templates/level.ts";

Deno.test("levelled spectra lose level and tilt and keep their lines", () => {
  const npix = 2000;
  const lam = Float64Array.from({ length: npix }, (_, i) => 4000 + i);
  const line = (i: number) => i === 700 || i === 701 ? -0.5 : 0;
  const lnflux = new Float32Array(2 * npix);
  for (let i = 0; i < npix; i++) {
    lnflux[i] = 30 + 2e-4 * (lam[i]! - 4000) + line(i);
    lnflux[npix + i] = -4 - 1e-3 * (lam[i]! - 4000) + line(i);
  }
  level(lnflux, lam);
  for (let i = 0; i < npix; i++) {
    assert.ok(Math.abs(lnflux[i]! - line(i)) < 0.005);
    assert.ok(Math.abs(lnflux[npix + i]! - line(i)) < 0.02);
  }
});
