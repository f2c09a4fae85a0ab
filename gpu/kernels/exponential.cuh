// Exponential function. Twin: core/assembly/exponential.ts.
#pragma once
#include "common.cuh"

namespace twinspec {

/**
 * exp(x), relative error < 2 ulp for −700 ≤ x ≤ 700; beyond that the value at the bound; NaN for NaN.
 * Argument reduction to |r| ≤ ln2/2, Taylor series to r^13/13! (remainder < 5e-18).
 */
static __device__ inline double exponential(double x) {
  const double LOG2E = 1.44269504088896338700;          // 0x3FF71547652B82FE
  const double LN2_HIGH = 6.93147180369123816490e-01;   // 0x3FE62E42FEE00000: n·LN2_HIGH is exact for |n| < 2^20
  const double LN2_LOW = 1.90821492927058770002e-10;    // 0x3DEA39EF35793C76
  const double ROUND = 6755399441055744.0;              // 1.5 · 2^52
  x = x < -700.0 ? -700.0 : x > 700.0 ? 700.0 : x;
  const double t = x * LOG2E + ROUND;
  const double n = t - ROUND;
  const double r = (x - n * LN2_HIGH) - n * LN2_LOW;
  const double r2 = r * r;
  const double r4 = r2 * r2;
  const double low = (1.0 + r) + r2 * (0.5 + r * (1.0 / 6.0));
  const double mid = (1.0 / 24.0 + r * (1.0 / 120.0)) + r2 * (1.0 / 720.0 + r * (1.0 / 5040.0));
  const double high =
      (1.0 / 40320.0 + r * (1.0 / 362880.0)) + r2 * (1.0 / 3628800.0 + r * (1.0 / 39916800.0));
  const double top = 1.0 / 479001600.0 + r * (1.0 / 6227020800.0);
  const double p = low + r4 * (mid + r4 * (high + r4 * top));
  const unsigned long long bits = static_cast<unsigned long long>(__double_as_longlong(t));
  const double scale = __longlong_as_double(static_cast<long long>((bits + 1023) << 52));
  return p * scale;
}

}  // namespace twinspec
