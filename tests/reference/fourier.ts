/** Slow reference: the discrete Fourier transform by its definition. Angles are reduced exactly before sin and cos. */

/** Σ_j x_j e^{−2πi jk/N} for k = 0..N/2, (re, im) interleaved. */
export function slowSpectrum(x: ArrayLike<number>): Float64Array {
  const N = x.length;
  const cos = Float64Array.from({ length: N }, (_, j) => Math.cos(2 * Math.PI * j / N));
  const sin = Float64Array.from({ length: N }, (_, j) => Math.sin(2 * Math.PI * j / N));
  const out = new Float64Array(N + 2);
  for (let k = 0; k <= N / 2; k++) {
    for (let j = 0; j < N; j++) {
      out[2 * k] += x[j] * cos[(j * k) % N];
      out[2 * k + 1] -= x[j] * sin[(j * k) % N];
    }
  }
  return out;
}

/** (1/N) Σ_k X_k e^{2πi jk/N} of a real series; imaginary parts at 0 and N/2 ignored. */
export function slowSeries(spectrum: ArrayLike<number>): Float64Array {
  const N = spectrum.length - 2;
  const out = new Float64Array(N);
  for (let j = 0; j < N; j++) {
    for (let k = 0; k <= N / 2; k++) {
      const angle = 2 * Math.PI * ((j * k) % N) / N;
      const ends = k === 0 || k === N / 2;
      out[j] += (ends ? 1 : 2) * spectrum[2 * k] * Math.cos(angle);
      if (!ends) out[j] -= 2 * spectrum[2 * k + 1] * Math.sin(angle);
    }
    out[j] /= N;
  }
  return out;
}
