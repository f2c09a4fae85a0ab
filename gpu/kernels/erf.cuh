// The scaled complementary error function. Twin: core/assembly/erf.ts, which says where the series is from.
#pragma once
#include "common.cuh"

namespace twinspec {

/** e^{x²} erfc(x) for finite x ≥ 0; relative error below 4e-16 for x ≤ 28. */
static __device__ inline double erfcx(double x) {
  constexpr int TERMS = 24;
  constexpr double SERIES[TERMS] = {
      1.1775789345674017,      -0.004590054580646478,  -0.08424913336651792,    0.05920993999819189,
      -0.026658668435305753,   0.009074997670705265,   -0.002413163540417608,   0.0004907758365258086,
      -6.916973302501207e-05,  4.13902798607301e-06,   7.74038306619849e-07,    -2.1886401049234397e-07,
      1.076499946567091e-08,   4.521959811218287e-09,  -7.754400208831351e-10,  -6.318088340886684e-11,
      2.86879501093067e-11,    1.9455868545777347e-13, -9.65469674843344e-13,   3.25254814814874e-14,
      3.3478119482868056e-14,  -1.864562880419313e-15, -1.2507950530688648e-15, 7.418235256624044e-17,
  };
  const double u = (x - 3.75) / (x + 3.75);
  const double twice = 2.0 * u;
  double b1 = 0, b2 = 0;
#pragma unroll
  for (int i = TERMS - 1; i > 0; i--) {
    const double b = twice * b1 - b2 + SERIES[i];
    b2 = b1;
    b1 = b;
  }
  return (u * b1 - b2 + SERIES[0]) / (1.0 + 2.0 * x);
}

}  // namespace twinspec
