// Gamma function's logarithm and its derivative. Twin: core/assembly/gamma.ts, whose header has the formulas.
#pragma once
#include "common.cuh"

namespace twinspec {

/** ln Γ(x), absolute error about 1e-15 max(1, |ln Γ|). */
static __device__ inline double lnGamma(double x) {
  const double HALF_LN_2PI = 9.18938533204672669541e-01;  // 0x3FED67F1C864BEB5
  if (!(x > 0)) return notANumber();
  double product = 1;
  while (x < 10) {
    product *= x;
    x += 1;
  }
  const double r = 1.0 / x, y = r * r;
  const double series =
      1.0 / 12.0 +
      y * (-1.0 / 360.0 +
           y * (1.0 / 1260.0 +
                y * (-1.0 / 1680.0 + y * (1.0 / 1188.0 + y * (-691.0 / 360360.0 + y * (1.0 / 156.0))))));
  return (x - 0.5) * log(x) - x + HALF_LN_2PI + series * r - log(product);
}

/** ψ(x) = d ln Γ/dx, absolute error about 1e-15. */
static __device__ inline double digamma(double x) {
  if (!(x > 0)) return notANumber();
  double below = 0;
  while (x < 10) {
    below += 1.0 / x;
    x += 1;
  }
  const double r = 1.0 / x, y = r * r;
  const double series =
      y * (1.0 / 12.0 +
           y * (-1.0 / 120.0 +
                y * (1.0 / 252.0 +
                     y * (-1.0 / 240.0 + y * (1.0 / 132.0 + y * (-691.0 / 32760.0 + y * (1.0 / 12.0)))))));
  return log(x) - 0.5 * r - series - below;
}

}  // namespace twinspec
