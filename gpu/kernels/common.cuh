// Device functions that several families share.
#pragma once
#include <math.h>
#include <cstdint>

#include "kernel_table.h"

namespace twinspec {

constexpr int WARP = 32;

/** A number that is none, the same bits on host and device. */
static __device__ inline double notANumber() { return __longlong_as_double(0x7ff8000000000000LL); }
static __device__ inline double infinity() { return __longlong_as_double(0x7ff0000000000000LL); }

/** Index of this thread among all of the launch. */
static __device__ inline int64_t globalIndex() {
  return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

/**
 * Σ over the block, the same bits in every thread, in one order always: thread t of the first warp adds t, t+32, …, then
 * lanes in halves. `scratch`: BLOCK doubles of shared memory, free to write on entry, free again on return.
 */
static __device__ inline double blockSum(double value, double* scratch) {
  const int t = static_cast<int>(threadIdx.x);
  scratch[t] = value;
  __syncthreads();
  if (t < WARP) {
    double sum = 0;
    for (int i = t; i < BLOCK; i += WARP) sum += scratch[i];
    for (int half = WARP / 2; half > 0; half /= 2) sum += __shfl_down_sync(0xffffffffu, sum, half);
    if (t == 0) scratch[0] = sum;
  }
  __syncthreads();
  const double total = scratch[0];
  __syncthreads();
  return total;
}

/** Largest of the block's values, NaN if any is; `scratch`: BLOCK doubles. */
static __device__ inline double blockMost(double value, double* scratch) {
  scratch[threadIdx.x] = value;
  __syncthreads();
  double most = 0;
#pragma unroll 1
  for (int t = 0; t < BLOCK; t++) {
    if (!(scratch[t] <= most)) most = isnan(most) ? most : scratch[t];
  }
  __syncthreads();
  return most;
}

}  // namespace twinspec
