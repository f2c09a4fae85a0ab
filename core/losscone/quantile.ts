/** Δχ² of a confidence set of one parameter. */

/**
 * Quantile of χ² with one degree of freedom: the square of the normal deviate that |z| stays below with probability p.
 * Bisection of the error function's series; p within [0, 1).
 */
export function chi2Quantile(p: number): number {
  if (!(p >= 0 && p < 1)) throw new RangeError(`confidence must be at least 0 and below 1, got ${p}`);
  let low = 0, high = 64;
  for (let i = 0; i < 200 && high - low > 1e-14 * high; i++) {
    const middle = 0.5 * (low + high);
    if (withinDeviate(Math.sqrt(middle)) < p) low = middle;
    else high = middle;
  }
  return 0.5 * (low + high);
}

/** P(|z| < x) of a normal deviate: √(2/π) e^(−x²/2) Σ x^(2n+1)/(1·3·5…(2n+1)). */
function withinDeviate(x: number): number {
  let term = x, sum = x;
  for (let n = 1; n < 400 && term > 1e-17 * sum; n++) {
    term *= x * x / (2 * n + 1);
    sum += term;
  }
  return Math.min(1, Math.sqrt(2 / Math.PI) * Math.exp(-0.5 * x * x) * sum);
}
