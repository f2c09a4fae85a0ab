// Natural cubic splines. Twin: core/assembly/spline.ts.
#pragma once
#include "common.cuh"

namespace twinspec {

/** Speed of light, km/s. */
constexpr double LIGHT = 2.99792458e5;  // 0x41124C41D4FDF3B6

/** Knots that a thread solves, and knots of warm-up on either side: z moves by 0.268^32 = 5e-19 of its size. */
constexpr int CHUNK_KNOTS = 32;
constexpr int WARMUP = 32;

/** Relativistic factor from observed to rest wavelength, √((1−β)/(1+β)). */
static __device__ inline double dopplerFactor(double velocity) {
  const double beta = velocity / LIGHT;
  return sqrt((1.0 - beta) / (1.0 + beta));
}

/**
 * z at knots a ≤ i < a + CHUNK_KNOTS of one column of N knots; `y` and `z` have `step` doubles from knot to knot. The
 * part of the forward sweep right of the chunk is kept in `ahead`, WARMUP values `apart` doubles apart.
 */
static __device__ inline void splineChunk(int N, int a, const double* factor, const double* y, double* z, int64_t step,
                                   double* ahead, int apart) {
  const int b = a + CHUNK_KNOTS < N ? a + CHUNK_KNOTS : N;
  const int first = a - WARMUP > 1 ? a - WARMUP : 1;
  const int last = b + WARMUP < N - 1 ? b + WARMUP : N - 1;  // one beyond the last knot of the sweep
  if (a == 0) z[0] = 0;
  if (b == N) z[(N - 1) * step] = 0;
  if (first >= last) return;
  double here = y[first * step];
  double slope = (here - y[(first - 1) * step]) * factor[4 * (first - 1) + 1];
  double d = 0;
  for (int i = first; i < last; i++) {
    const double* row = factor + 4 * i;
    const double after = y[(i + 1) * step];
    const double next = (after - here) * row[1];
    d = (next - slope - row[-4] * d) * row[3];
    if (i >= b) ahead[(i - b) * apart] = d;
    else if (i >= a) z[i * step] = d;
    slope = next;
    here = after;
  }
  d = 0;
  for (int i = last - 1; i >= b; i--) d = ahead[(i - b) * apart] - factor[4 * i + 2] * d;
  const int top = b < last ? b : last;
  const int bottom = a > 1 ? a : 1;
  for (int i = top - 1; i >= bottom; i--) {
    d = z[i * step] - factor[4 * i + 2] * d;
    z[i * step] = d;
  }
}

}  // namespace twinspec
