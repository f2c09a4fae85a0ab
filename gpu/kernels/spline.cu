// Natural cubic splines through values at increasing knots.
//
//   S(x) = (1−u) y_i + u y_{i+1} + h² [ ((1−u)³−(1−u)) z_i + (u³−u) z_{i+1} ],   u = (x − x_i)/h, h = x_{i+1} − x_i
//
// z = S″/6. What a knot does to z decays by 0.268 a step on even knots and no slower than by about a half on others, so
// chunks of knots are solved independently, with 32 knots of warm-up on either side.
// Twins: core/assembly/spline.ts, core/kernels/spline.ts.
#include "spline.cuh"

namespace twinspec {

__global__ void __launch_bounds__(BLOCK) splineFactorKernel(spline_factor_call k) {
  const int64_t a = globalIndex() * CHUNK_KNOTS;
  if (a >= k.N) return;
  const int b = static_cast<int>(a + CHUNK_KNOTS < k.N ? a + CHUNK_KNOTS : k.N);
  double c = 0;
  for (int i = static_cast<int>(a > WARMUP ? a - WARMUP : 0); i < b; i++) {
    const double h = i + 1 < k.N ? k.x[i + 1] - k.x[i] : 0.0;
    double pivot = 0;
    if (i == 0 || i + 1 >= k.N) {
      // z = 0 at both ends
      c = 0;
    } else {
      const double before = k.x[i] - k.x[i - 1];
      pivot = 1.0 / (2.0 * (before + h) - before * c);
      c = h * pivot;
    }
    if (i < a) continue;
    double* row = k.factor + 4 * static_cast<int64_t>(i);
    row[0] = h;
    row[1] = i + 1 < k.N ? 1.0 / h : 0.0;
    row[2] = c;
    row[3] = pivot;
  }
}

int32_t spline_factor(Context& context, const spline_factor_call& c, Work& work) {
  if (work.none() || c.N == 0) return TS_OK;
  TS_LAUNCH(splineFactorKernel, blocksFor(ceilDivide(c.N, CHUNK_KNOTS)), 0, c);
  return TS_OK;
}

__global__ void __launch_bounds__(BLOCK) splineBuildKernel(spline_build_call c) {
  TS_DYNAMIC_SHARED(shared);
  const int chunks = (c.N + CHUNK_KNOTS - 1) / CHUNK_KNOTS;
  const int64_t i = globalIndex();
  if (i >= static_cast<int64_t>(c.B) * chunks) return;
  const int64_t b = i / chunks;
  const int chunk = static_cast<int>(i % chunks);
  splineChunk(c.N, chunk * CHUNK_KNOTS, c.factor, c.y + b * c.N, c.z + b * c.N, 1, shared + threadIdx.x, BLOCK);
}

int32_t spline_build(Context& context, const spline_build_call& c, Work& work) {
  if (work.none() || c.B == 0 || c.N == 0) return TS_OK;
  const int64_t threads = c.B * ceilDivide(c.N, CHUNK_KNOTS);
  TS_LAUNCH(splineBuildKernel, blocksFor(threads), BLOCK * WARMUP * sizeof(double), c);
  return TS_OK;
}

__global__ void __launch_bounds__(BLOCK) splineEvaluateKernel(spline_evaluate_call c) {
  const int64_t index = globalIndex();
  if (index >= static_cast<int64_t>(c.B) * c.P) return;
  const int64_t b = index / c.P;
  const int p = static_cast<int>(index % c.P);
  const double first = c.x[0];
  const double last = c.x[c.N - 1];
  const double origin = c.LOG ? log(first) : first;
  const double step = c.LOG ? log(c.x[1] / first) : c.x[1] - first;
  const double* yb = c.y + b * c.N;
  const double* zb = c.z + b * c.N;
  const double q = dopplerFactor(c.velocity[b]);
  const double point = c.xe[p] * q;
  if (!(point >= first && point <= last)) {
    c.out[index] = notANumber();
    return;
  }
  int i = static_cast<int>(((c.LOG ? log(point) : point) - origin) / step);
  // a point within rounding of a knot may land one interval off, also past the last one
  i = i > c.N - 2 ? c.N - 2 : i < 0 ? 0 : i;
  const double h = c.x[i + 1] - c.x[i];
  const double u = (point - c.x[i]) / h;
  const double v = 1.0 - u;
  c.out[index] = v * yb[i] + u * yb[i + 1] + h * h * ((v * v - 1.0) * v * zb[i] + (u * u - 1.0) * u * zb[i + 1]);
}

int32_t spline_evaluate(Context& context, const spline_evaluate_call& c, Work& work) {
  const int64_t n = static_cast<int64_t>(c.B) * c.P;
  if (work.none() || n == 0) return TS_OK;
  if (c.N < 2) return fail(TS_INVALID, "spline_evaluate: %d knots, at least 2 are needed", c.N);
  TS_LAUNCH(splineEvaluateKernel, blocksFor(n), 0, c);
  return TS_OK;
}

}  // namespace twinspec
