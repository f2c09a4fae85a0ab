// Multilinear interpolation of ln flux in one cell of a regular grid. Twin: core/assembly/interpolate.ts.
#pragma once
#include "exponential.cuh"

namespace twinspec {

/** Most axes of a grid. */
constexpr int MOST_AXES = 6;

/**
 * Value and slopes in t_d … t_{D−1} at one pixel, corners c and those that differ from it in axes d and above: the
 * highest axis is folded first, as in the twin; every fold by a + t(b−a), the new slope b−a.
 */
template <int D, int d>
struct Fold {
  static __device__ __forceinline__ double run(const float* pixel, int64_t N, const int32_t* corners, int c,
                                               const double* t, double* slope) {
    double above[D];
    const double low = Fold<D, d + 1>::run(pixel, N, corners, c, t, slope);
    const double high = Fold<D, d + 1>::run(pixel, N, corners, c | 1 << d, t, above);
    const double step = high - low;
    slope[d] = step;
#pragma unroll
    for (int e = d + 1; e < D; e++) slope[e] = slope[e] + t[d] * (above[e] - slope[e]);
    return low + t[d] * step;
  }
};

template <int D>
struct Fold<D, D> {
  static __device__ __forceinline__ double run(const float* pixel, int64_t N, const int32_t* corners, int c,
                                               const double*, double*) {
    return static_cast<double>(pixel[corners[c] * N]);
  }
};

/** Flux at pixel j into out[0] and, if derivatives, ∂m/∂t_d into out[(1+d)·stride]. */
template <int D>
static __device__ inline void interpolatePixel(const float* templates, int64_t N, int64_t j, const int32_t* corners,
                                        const double* t, double* out, int64_t stride, bool derivatives) {
  double slope[D > 0 ? D : 1];
  const double flux = exponential(Fold<D, 0>::run(templates + j, N, corners, 0, t, slope));
  out[0] = flux;
  if (!derivatives) return;
#pragma unroll
  for (int d = 0; d < D; d++) out[(1 + d) * stride] = flux * slope[d];
}

}  // namespace twinspec

/** Runs `TS_LAUNCH(kernel<D>, …)` for the D at hand. */
#define TS_LAUNCH_AXES(D, kernel, grid, shared, argument)                                           \
  switch (D) {                                                                                      \
    case 0: TS_LAUNCH(kernel<0>, grid, shared, argument); break;                                    \
    case 1: TS_LAUNCH(kernel<1>, grid, shared, argument); break;                                    \
    case 2: TS_LAUNCH(kernel<2>, grid, shared, argument); break;                                    \
    case 3: TS_LAUNCH(kernel<3>, grid, shared, argument); break;                                    \
    case 4: TS_LAUNCH(kernel<4>, grid, shared, argument); break;                                    \
    case 5: TS_LAUNCH(kernel<5>, grid, shared, argument); break;                                    \
    case 6: TS_LAUNCH(kernel<6>, grid, shared, argument); break;                                    \
    default: return fail(TS_UNSUPPORTED, #kernel ": %d grid axes, at most %d", D, MOST_AXES);       \
  }
