// Rotational broadening on a grid uniform in ln λ: a block a profile, a thread a pixel.
// Twins: core/assembly/rotation.ts, core/kernels/rotation.ts.
#include "rotation.cuh"

namespace twinspec {

__global__ void __launch_bounds__(BLOCK) rotationWeightsKernel(rotation_weights_call c) {
  TS_DYNAMIC_SHARED(scratch);
  const int64_t b = blockIdx.x;
  const int64_t row = b * (c.H + 1);
  rotationWeights(c.R[b], c.eps[b], c.H, c.w + row, c.dw + row, scratch);
}

int32_t rotation_weights(Context& context, const rotation_weights_call& c, Work& work) {
  if (work.none() || c.B == 0) return TS_OK;
  TS_LAUNCH(rotationWeightsKernel, dim3(static_cast<unsigned>(c.B)), BLOCK * sizeof(double), c);
  return TS_OK;
}

__global__ void __launch_bounds__(BLOCK) rotateKernel(rotate_call c) {
  const int64_t index = globalIndex();
  if (index >= static_cast<int64_t>(c.B) * c.N) return;
  const int64_t b = index / c.N;
  c.out[index] = convolve(c.N, c.H, c.y + b * c.N, c.w + b * (c.H + 1), static_cast<int>(index % c.N));
}

int32_t rotate(Context& context, const rotate_call& c, Work& work) {
  const int64_t n = static_cast<int64_t>(c.B) * c.N;
  if (work.none() || n == 0) return TS_OK;
  TS_LAUNCH(rotateKernel, blocksFor(n), 0, c);
  return TS_OK;
}

}  // namespace twinspec
