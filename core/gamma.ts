/** The gamma function's logarithm on the host. */

/** Terms B_2j / (2j(2j−1)) of Stirling's series, j = 1 … 7 (Abramowitz & Stegun 6.1.41). */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156] as const;
const HALF_LN_2PI = 0.9189385332046727;

/**
 * ln Γ(x) for x > 0, absolute error below 1e-15 · max(1, |ln Γ|) or so: the argument is raised above 10, where the first
 * term left out of Stirling's series is below 3e-17.
 */
export function lnGamma(x: number): number {
  let product = 1;
  while (x < 10) product *= x++;
  const y = 1 / (x * x);
  let series = 0;
  for (let j = STIRLING.length - 1; j >= 0; j--) series = series * y + STIRLING[j];
  return (x - 0.5) * Math.log(x) - x + HALF_LN_2PI + series / x - Math.log(product);
}
