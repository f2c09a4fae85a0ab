/** Gaussian line spreads as functions of wavelength. */
import { InputError } from "../io/input_error.ts";
import type { LineSpread } from "../io/spectra.ts";

/** FWHM of a Gaussian in standard deviations. */
export const FWHM_PER_SIGMA = 2 * Math.sqrt(2 * Math.LN2);

/** Standard deviation, Å, at a wavelength, Å. */
export type Sigma = (lam: number) => number;

/** A line spread as a function, and a text that tells it from others. */
export interface SmoothSpread {
  readonly sigma: Sigma;
  /** Equal for equal functions. */
  readonly key: string;
}

/** Degree of the polynomial that stands for a tabulated line spread. */
const DEGREE = 3;
/** Its coefficients are rounded to this, Å: half a per cent of a typical σ, so that many spectra share one. */
const ROUNDING = 0.01;

/**
 * A table of σ becomes a cubic in Chebyshev polynomials over a range of wavelengths, with rounded coefficients.
 *
 * @param lam - wavelengths of the table, Å, shape (npix); not used by the other kinds
 * @param from, to - range of the polynomials, Å: the same for spectra that are to share a preparation
 * @throws InputError where a table has no positive values
 */
export function smoothSpread(
  lsf: LineSpread,
  lam: Float64Array,
  from: number,
  to: number,
  setup: string,
): SmoothSpread {
  switch (lsf.kind) {
    case "fwhm":
      return { sigma: () => lsf.angstrom / FWHM_PER_SIGMA, key: `fwhm ${lsf.angstrom}` };
    case "sigma":
      return { sigma: () => lsf.angstrom, key: `sigma ${lsf.angstrom}` };
    case "resolution":
      return { sigma: (x) => x / lsf.R / FWHM_PER_SIGMA, key: `R ${lsf.R}` };
    case "table": {
      const coefficients = chebyshevFit(lam, lsf.sigma, from, to);
      if (coefficients === null) {
        throw new InputError(`${setup}: the tabulated line spread holds no positive values`);
      }
      const rounded = coefficients.map((c) => Math.round(c / ROUNDING) * ROUNDING);
      // Beyond the data the polynomial goes on as a constant, and never falls to nothing.
      const sigma = (x: number) => {
        const inside = Math.min(Math.max(x, lam[0]), lam[lam.length - 1]);
        return Math.max(ROUNDING, chebyshevSum(rounded, 2 * (inside - from) / (to - from) - 1));
      };
      return { sigma, key: `table ${rounded.map((c) => c.toFixed(2)).join(" ")}` };
    }
  }
}

function chebyshevSum(coefficients: readonly number[], x: number): number {
  let b1 = 0, b2 = 0;
  for (let k = coefficients.length - 1; k > 0; k--) [b1, b2] = [coefficients[k] + 2 * x * b1 - b2, b1];
  return coefficients[0] + x * b1 - b2;
}

/** Least squares by the normal equations, well conditioned in this basis; null where fewer points than coefficients are usable. */
function chebyshevFit(
  lam: Float64Array,
  values: Float64Array,
  from: number,
  to: number,
): number[] | null {
  const n = DEGREE + 1;
  const rows = Array.from({ length: n }, () => new Float64Array(n + 1));
  let used = 0;
  for (let i = 0; i < lam.length; i++) {
    if (!(values[i] > 0) || !Number.isFinite(values[i])) continue;
    used++;
    const x = 2 * (lam[i] - from) / (to - from) - 1;
    const t = [1, x];
    for (let k = 2; k < n; k++) t.push(2 * x * t[k - 1] - t[k - 2]);
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < n; k++) rows[j][k] += t[j] * t[k];
      rows[j][n] += t[j] * values[i];
    }
  }
  if (used < n) return null;
  for (let p = 0; p < n; p++) {
    for (let r = p + 1; r < n; r++) {
      const factor = rows[r][p] / rows[p][p];
      for (let c = p; c <= n; c++) rows[r][c] -= factor * rows[p][c];
    }
  }
  const answer = new Array<number>(n).fill(0);
  for (let r = n - 1; r >= 0; r--) {
    let sum = rows[r][n];
    for (let c = r + 1; c < n; c++) sum -= rows[r][c] * answer[c];
    answer[r] = sum / rows[r][r];
  }
  return answer.every(Number.isFinite) ? answer : null;
}
