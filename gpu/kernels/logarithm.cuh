// Natural logarithm of one number, the same operations in the same order on both targets.
// Twin: core/assembly/logarithm.ts.
#pragma once
#include "common.cuh"

namespace twinspec {

/** ln x, error < 1 ulp, for normal positive x; nothing is promised of any other. Coefficients: fdlibm. */
static __device__ inline double logarithm(double x) {
  const double LN2_HIGH = 6.93147180369123816490e-01;  // 0x3FE62E42FEE00000
  const double LN2_LOW = 1.90821492927058770002e-10;   // 0x3DEA39EF35793C76
  const double L1 = 6.666666666666735130e-01, L2 = 3.999999999940941908e-01, L3 = 2.857142874366239149e-01;
  const double L4 = 2.222219843214978396e-01, L5 = 1.818357216161805012e-01, L6 = 1.531383769920937332e-01;
  const double L7 = 1.479819860511658591e-01;
  const long long HALF_ROOT = 0x3FE6A09E667F3BCDLL;  // √½: the mantissa is brought to [√½, √2)
  const long long bits = __double_as_longlong(x) - HALF_ROOT;
  const double k = static_cast<double>(bits >> 52);
  const double f = __longlong_as_double((bits & 0x000FFFFFFFFFFFFFLL) + HALF_ROOT) - 1.0;
  const double s = f / (2.0 + f);
  const double z = s * s;
  const double w = z * z;
  const double even = w * (L2 + w * (L4 + w * L6));
  const double odd = z * (L1 + w * (L3 + w * (L5 + w * L7)));
  const double half = 0.5 * f * f;
  return s * (half + (even + odd)) + k * LN2_LOW - half + f + k * LN2_HIGH;
}

}  // namespace twinspec
