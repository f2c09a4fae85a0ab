// Where a patch of fibres and wavelength bins lies among the spots and on the CCD. Twin: core/assembly/normal_equations.ts.
#pragma once
#include "common.cuh"

namespace twinspec {

constexpr int WARPS = BLOCK / WARP;

/** One row of `place`. */
struct Patch {
  int64_t first;  // spot of its first fibre and bin
  int xmin, ymin, columns, rows;
};

static __device__ inline Patch patchAt(const int32_t* place, int64_t b, int NL) {
  const int32_t* p = place + 6 * b;
  return {static_cast<int64_t>(p[0]) * NL + p[1], p[2], p[3], p[4], p[5]};
}

/** Σ over the lanes of a warp, in halves, the same in every lane. */
static __device__ inline double warpSum(double value) {
  for (int half = WARP / 2; half > 0; half /= 2) value += __shfl_down_sync(0xffffffffu, value, half);
  return __shfl_sync(0xffffffffu, value, 0);
}

}  // namespace twinspec
