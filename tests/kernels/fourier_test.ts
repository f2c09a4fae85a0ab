import assert from "node:assert/strict";
import { fourierTwiddles, irfft, rfft } from "../../core/kernels/fourier.ts";
import { slowSeries, slowSpectrum } from "../reference/fourier.ts";
import { random, uniform } from "../reference/random.ts";
import { assertClose, call } from "./harness.ts";

function table(N: number): Float64Array {
  return call(fourierTwiddles, { N }, {}).twiddles;
}

Deno.test("fourier_twiddles are the roots of unity, exact at quarter turns", () => {
  for (const N of [4, 8, 64, 4096]) {
    const w = table(N);
    for (let k = 0; k < 3 * N / 4; k++) {
      assert.ok(Math.abs(w[2 * k] - Math.cos(2 * Math.PI * k / N)) < 1e-15);
      assert.ok(Math.abs(w[2 * k + 1] - Math.sin(2 * Math.PI * k / N)) < 1e-15);
    }
    assert.deepEqual([...w.subarray(N / 2, N / 2 + 2)].map(Math.abs), [0, 1]);
  }
});

for (const N of [2, 4, 8, 16, 64, 128, 1024, 2048]) {
  Deno.test(`rfft and irfft agree with a slow transform, N = ${N}`, () => {
    const B = 3;
    const twiddles = table(N);
    const x = uniform(B * N, random(N));
    const spectra = call(rfft, { B, N }, { twiddles, x }).out;
    const loose = uniform(B * (N + 2), random(N + 1)); // not the spectrum of anything: the ends have imaginary parts
    const series = call(irfft, { B, N }, { twiddles, spectrum: loose }).out;
    for (let b = 0; b < B; b++) {
      const spectrum = (a: Float64Array) => a.subarray(b * (N + 2), (b + 1) * (N + 2));
      const row = (a: Float64Array) => a.subarray(b * N, (b + 1) * N);
      assertClose(spectrum(spectra), slowSpectrum(row(x)), 1e-13, "rfft");
      assertClose(row(series), slowSeries(spectrum(loose)), 1e-13, "irfft");
    }
  });
}

for (const N of [64, 8192, 32768, 65536]) {
  Deno.test(`irfft undoes rfft to 1e-15 of the largest value, N = ${N}`, () => {
    const twiddles = table(N);
    const x = uniform(N, random(5));
    const spectrum = call(rfft, { B: 1, N }, { twiddles, x }).out;
    assertClose(call(irfft, { B: 1, N }, { twiddles, spectrum }).out, x, 2e-15);
  });
}

Deno.test("rfft of a pure wave of 65536 points has one line", () => {
  const N = 65536, k0 = 12345;
  const x = Float64Array.from({ length: N }, (_, j) => Math.sin(2 * Math.PI * ((j * k0) % N) / N));
  const expected = new Float64Array(N + 2);
  expected[2 * k0 + 1] = -N / 2;
  assertClose(call(rfft, { B: 1, N }, { twiddles: table(N), x }).out, expected, 1e-15);
});

Deno.test("rfft, irfft: empty batch, NaN stays in its row, bit-identical on repeat", () => {
  const N = 128, B = 3;
  const twiddles = table(N);
  assert.equal(call(rfft, { B: 0, N }, { twiddles, x: new Float64Array(0) }).out.length, 0);
  assert.equal(call(irfft, { B: 0, N }, { twiddles, spectrum: new Float64Array(0) }).out.length, 0);
  const x = uniform(B * N, random(1));
  const whole = call(rfft, { B, N }, { twiddles, x }).out;
  assert.deepEqual(call(rfft, { B, N }, { twiddles, x }).out, whole);
  x[N + 7] = NaN;
  const out = call(rfft, { B, N }, { twiddles, x }).out;
  for (const b of [0, 2]) {
    assert.deepEqual(
      out.subarray(b * (N + 2), (b + 1) * (N + 2)),
      whole.subarray(b * (N + 2), (b + 1) * (N + 2)),
    );
  }
  assert.ok(Number.isNaN(out[N + 2]));
  const back = call(irfft, { B, N }, { twiddles, spectrum: out }).out;
  assert.ok(back.subarray(N, 2 * N).every(Number.isNaN));
  assertClose(back.subarray(2 * N), x.subarray(2 * N), 1e-15);
});
