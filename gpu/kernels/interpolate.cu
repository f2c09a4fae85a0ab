// Multilinear interpolation of ln flux in one cell of a regular grid, exponentiated, with derivatives in the cell
// fractions t_d:
//
//   m = exp L,  ∂m/∂t_d = m ∂L/∂t_d,  L = Σ_c Π_d (t_d or 1−t_d) · lnflux[corner_c]
//
// A thread a pixel; corner c takes the upper node on axis d where bit d of c is set.
// Twins: core/assembly/interpolate.ts, core/kernels/interpolate.ts.
#include "interpolate.cuh"

namespace twinspec {

template <int D>
__global__ void __launch_bounds__(BLOCK) interpolateKernel(interpolate_call c) {
  const int64_t index = globalIndex();
  if (index >= static_cast<int64_t>(c.E) * c.N) return;
  const int64_t e = index / c.N;
  const int64_t j = index % c.N;
  interpolatePixel<D>(c.templates, c.N, j, c.corners + e * c.C, c.t + e * D, c.out + e * (D + 1) * c.N + j, c.N, true);
}

int32_t interpolate(Context& context, const interpolate_call& c, Work& work) {
  const int64_t n = static_cast<int64_t>(c.E) * c.N;
  if (work.none() || n == 0) return TS_OK;
  if (c.C != 1 << c.D) return fail(TS_INVALID, "interpolate: C = %d is not 2^D, D = %d", c.C, c.D);
  TS_LAUNCH_AXES(c.D, interpolateKernel, blocksFor(n), 0, c);
  return TS_OK;
}

}  // namespace twinspec
