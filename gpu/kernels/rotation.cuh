// Rotational broadening on a grid uniform in ln λ. Twin: core/assembly/rotation.ts, whose header has the formulas.
#pragma once
#include "common.cuh"

namespace twinspec {

static __device__ inline double primitive(double a, double b, double x) {
  return a * 0.5 * (x * sqrt(1.0 - x * x) + asin(x)) + b * (x - x * x * x / 3.0);
}

static __device__ inline double firstMoment(double a, double b, double x) {
  const double s2 = 1.0 - x * x;
  return -a * s2 * sqrt(s2) / 3.0 + b * x * x * (0.5 - 0.25 * x * x);
}

static __device__ inline double clip(double x) { return x > 1.0 ? 1.0 : x < -1.0 ? -1.0 : x; }

/** The last k whose weight is not zero, at least 1 and at most H. */
static __device__ inline int rotationHalfWidth(double R, int H) {
  if (!(R > 1)) return H < 1 ? H : 1;
  const double half = ceil(R);
  return half < H ? static_cast<int>(half) : H;
}

/** Weights W_0 … W_H and their derivatives in R for limb darkening eps, by a block. scratch: BLOCK doubles. */
static __device__ inline void rotationWeights(double R, double eps, int H, double* w, double* dw, double* scratch) {
  const double PI = 3.14159265358979323846;
  const int thread = static_cast<int>(threadIdx.x);
  const double a = 2.0 * (1.0 - eps) / (PI * (1.0 - eps / 3.0));
  const double b = eps / (2.0 * (1.0 - eps / 3.0));
  if (R < 1e-9) {
    const double mean = a / 3.0 + b / 4.0;
    const double linear = R < 0 ? R : 0.0;
    for (int k = thread; k <= H; k += BLOCK) {
      w[k] = k == 0 ? 1.0 - 2.0 * mean * linear : k == 1 ? mean * linear : 0.0;
      dw[k] = k == 0 ? -2.0 * mean : k == 1 ? mean : 0.0;
    }
    __syncthreads();
    return;
  }
  double sum = 0, dsum = 0;
  for (int k = thread; k <= H; k += BLOCK) {
    const double kk = k;
    const double x0 = clip((kk - 1.0) / R);
    const double x1 = clip(kk / R);
    const double x2 = clip((kk + 1.0) / R);
    const double m0 = firstMoment(a, b, x0), m1 = firstMoment(a, b, x1), m2 = firstMoment(a, b, x2);
    const double p0 = primitive(a, b, x0), p1 = primitive(a, b, x1), p2 = primitive(a, b, x2);
    const double rise1 = m1 - m0;
    const double fall1 = m2 - m1;
    const double rise0 = p1 - p0;
    const double fall0 = p2 - p1;
    const double value = (1.0 - kk) * rise0 + R * rise1 + (1.0 + kk) * fall0 - R * fall1;
    const double slope = rise1 - fall1;
    w[k] = value;
    dw[k] = slope;
    sum += k == 0 ? value : 2.0 * value;
    dsum += k == 0 ? slope : 2.0 * slope;
  }
  sum = blockSum(sum, scratch);
  dsum = blockSum(dsum, scratch);
  const double scale = 1.0 / sum;
  for (int k = thread; k <= H; k += BLOCK) {
    const double value = w[k] * scale;
    w[k] = value;
    dw[k] = dw[k] * scale - value * dsum * scale;
  }
  __syncthreads();
}

/** Pixel j of y ⊛ w over N pixels, the spectrum zero outside. */
static __device__ inline double convolve(int N, int H, const double* y, const double* w, int j) {
  double sum = w[0] * y[j];
  if (j >= H && j + H < N) {
    for (int k = 1; k <= H; k++) sum += w[k] * (y[j - k] + y[j + k]);
  } else {
    for (int k = 1; k <= H; k++) sum += w[k] * ((j >= k ? y[j - k] : 0.0) + (j + k < N ? y[j + k] : 0.0));
  }
  return sum;
}

}  // namespace twinspec
