// Gamma function's logarithm and its derivative, for arguments above 0.
//
//   ln Γ(x) = (x − ½) ln x − x + ½ ln 2π + Σ_j B_2j/(2j(2j−1)) x^{1−2j}
//   ψ(x)    = ln x − 1/(2x) − Σ_j B_2j/(2j) x^{−2j}
//
// after the argument has been raised above 10, where the first term left out is below 3e-17 (Abramowitz & Stegun
// 6.1.41, 6.3.18). Twin: gpu/kernels/gamma.cuh.

const HALF_LN_2PI: f64 = reinterpret<f64>(0x3FED67F1C864BEB5); // 9.18938533204672669541e-01

/** ln Γ(x), absolute error about 1e-15 max(1, |ln Γ|). */
export function lnGamma(x: f64): f64 {
  if (!(x > 0)) return NaN;
  let product: f64 = 1;
  while (x < 10) {
    product *= x;
    x += 1;
  }
  const r = 1.0 / x, y = r * r;
  const series = 1.0 / 12.0 + y * (-1.0 / 360.0 + y * (1.0 / 1260.0 + y * (-1.0 / 1680.0 + y * (1.0 / 1188.0 +
    y * (-691.0 / 360360.0 + y * (1.0 / 156.0))))));
  return (x - 0.5) * Math.log(x) - x + HALF_LN_2PI + series * r - Math.log(product);
}

/** ψ(x) = d ln Γ/dx, absolute error about 1e-15. */
export function digamma(x: f64): f64 {
  if (!(x > 0)) return NaN;
  let below: f64 = 0;
  while (x < 10) {
    below += 1.0 / x;
    x += 1;
  }
  const r = 1.0 / x, y = r * r;
  const series = y * (1.0 / 12.0 + y * (-1.0 / 120.0 + y * (1.0 / 252.0 + y * (-1.0 / 240.0 + y * (1.0 / 132.0 +
    y * (-691.0 / 32760.0 + y * (1.0 / 12.0)))))));
  return Math.log(x) - 0.5 * r - series - below;
}
