import assert from "node:assert/strict";
import { gridWavelengths, lnGrid, resampler } from "../../core/templates/resample.ts";
import { ramp } from "./small_library.ts";

const gauss = (x: number, sigma: number) => Math.exp(-0.5 * (x / sigma) ** 2) / sigma;

Deno.test("lnGrid() stays within its range and steps evenly in ln λ", () => {
  const grid = lnGrid(4000, 4100, 1e-4);
  const lam = gridWavelengths(grid);
  assert.equal(lam[0], 4000);
  assert.ok(lam.at(-1)! <= 4100 && lam.at(-1)! * Math.exp(1e-4) > 4100);
});

Deno.test("resampler() turns a Gaussian line into a wider one, from dense and from coarse samples", () => {
  const to = ramp(5010, 5090, 0.37);
  for (const [step, tolerance] of [[0.1, 1e-5], [0.5, 0.02]]) {
    const from = ramp(5000, 5100, step);
    const out = new Float64Array(to.length);
    resampler(from, to, () => 0.5).apply(from.map((x) => gauss(x - 5050.123, 1.2)), out);
    out.forEach((y, i) => {
      assert.ok(Math.abs(y - gauss(to[i] - 5050.123, 1.3)) < tolerance, `step ${step} at ${to[i]}`);
    });
  }
});

Deno.test("resampler() without a width interpolates linearly, ends included", () => {
  const from = Float64Array.of(1, 2, 4), to = Float64Array.of(1, 1.5, 2, 3, 4), out = new Float64Array(5);
  resampler(from, to, () => 0).apply([10, 20, 60], out);
  assert.deepEqual([...out], [10, 15, 20, 40, 60]);
});

Deno.test("resampler() keeps a constant, at the ends too", () => {
  const from = ramp(5000, 5020, 0.3), out = new Float64Array(50);
  resampler(from, Float64Array.from({ length: 50 }, (_, i) => 5000 + i * 0.4), (x) => x / 5000).apply(
    from.map(() => 3),
    out,
  );
  out.forEach((y) => assert.ok(Math.abs(y - 3) < 1e-12));
});
