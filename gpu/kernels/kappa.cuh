// Kappa distributions: what kappa.cu and currents.cu share. Twin: core/assembly/kappa.ts.
#pragma once
#include "gamma.cuh"

namespace twinspec {

/** m/e of the flux formula, eV s² m⁻², and CODATA's, which speeds and temperatures have. */
constexpr double MASS = 5.685630e-12;
constexpr double MASS_OVER_CHARGE = 9.1093837015e-31 / 1.602176634e-19;
/** 4π · 10⁻⁴. */
constexpr double SPHERE = 1.2566370614359172e-3;
constexpr int WARPS = BLOCK / WARP;

/** ln G(κ). */
static __device__ inline double lnNorm(double kappa) {
  const double LN_PI = 1.14472988584940016388e+00;  // 0x3FF250D048E7A1BD
  return lnGamma(kappa + 1.0) - lnGamma(kappa - 0.5) - 1.5 * (LN_PI + log(kappa));
}

/** J of unit density at v² (m² s⁻²), ln G and ln θ given. */
static __device__ inline double fluxAt(double v2, double kappa, double lnG, double lnTheta, double scale) {
  return SPHERE * v2 / MASS * exp(lnG - 3.0 * lnTheta - (kappa + 1.0) * log1p(v2 * scale));
}

/** Σ over the warp, the same bits in every lane: lanes in halves, each adding its partner's. */
static __device__ inline double warpTotal(double value) {
  for (int half = WARP / 2; half > 0; half /= 2) value += __shfl_xor_sync(0xffffffffu, value, half);
  return value;
}

/** This warp among all of the launch, and this thread in it. */
static __device__ inline int64_t warpIndex() {
  return static_cast<int64_t>(blockIdx.x) * WARPS + static_cast<int>(threadIdx.x) / WARP;
}
static __device__ inline int laneIndex() { return static_cast<int>(threadIdx.x) % WARP; }

/** Blocks for n items, a warp each. */
static inline dim3 blocksOfWarps(int64_t n) { return dim3(static_cast<unsigned>(ceilDivide(n, WARPS))); }

}  // namespace twinspec
