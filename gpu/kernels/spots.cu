// Spots of a Gauss-Hermite PSF, a warp a spot. Twins: core/assembly/spots.ts, whose header has the formulas,
// core/kernels/spots.ts.
#include "common.cuh"
#include "erf.cuh"
#include "exponential.cuh"

namespace twinspec {

namespace {

constexpr int WARPS = BLOCK / WARP;
constexpr int TAILS = 5;
constexpr double ROOT_HALF = 0.70710678118654752440;
constexpr double INVERSE_ROOT_2PI = 0.39894228040143267794;

/** Doubles of shared memory of one warp. */
int64_t sharedOfSpot(const psf_spots_call& c) {
  return int64_t{2} + c.GX * c.GY + TAILS + int64_t{c.GX} * c.SX + int64_t{c.GY} * c.SY + int64_t{c.GX} * c.SY +
      int64_t{c.SX} * c.SY;
}

}  // namespace

/** Σ_k c_k P_k(u). */
static __device__ inline double legendreSeries(int K, const double* c, double u) {
  double before = 0, p = 1;
  double sum = c[0];
  for (int k = 1; k < K; k++) {
    const double n = k;
    const double after = ((2.0 * n - 1.0) * u * p - (n - 1.0) * before) * (1.0 / n);
    before = p;
    p = after;
    sum += c[k] * p;
  }
  return sum;
}

static __device__ inline double scaledWave(double wave, double min, double max) {
  return 2.0 * (wave - min) / (max - min) - 1.0;
}

/** Offset of a centroid from the middle of its pixel, [−½, ½). */
static __device__ inline double pixelOffset(double x) {
  const double shifted = x + 0.5;
  return shifted - floor(shifted) - 0.5;
}

/** First pixel of a spot of S pixels; far outside for what no pixel can be. */
static __device__ inline int32_t spotCorner(double x, int half) {
  const double first = floor(x - static_cast<double>(half) + 0.5);
  return first > -1e9 && first < 1e9 ? static_cast<int32_t>(first) : -1000000000;
}

/** H(e) = ∓½ erfc(|e|/√2); g = exp(−e²/2). */
static __device__ inline double beyondEdge(double e, double g) {
  const double q = 0.5 * g * erfcx(fabs(e) * ROOT_HALF);
  return e >= 0 ? -q : q;
}

/** Pixel k of all g_m, m < G, on S pixels; out: [G][S]. */
static __device__ inline void pixelBases(int G, int S, int k, double d, double sigma, double* out) {
  const double inverse = 1.0 / sigma;
  const double p = static_cast<double>(k) - static_cast<double>(S >> 1) - 0.5 - d;
  const double left = p * inverse, right = (p + 1.0) * inverse;
  const double gLeft = exponential(left * left * -0.5), gRight = exponential(right * right * -0.5);
  out[k] = beyondEdge(right, gRight) - beyondEdge(left, gLeft) + (left < 0 && right >= 0 ? 1.0 : 0.0);
  double a = gLeft * INVERSE_ROOT_2PI, b = gRight * INVERSE_ROOT_2PI;
  double aLast = 0, bLast = 0;
  for (int m = 1; m < G; m++) {
    out[m * S + k] = a - b;
    const double order = m - 1;
    const double aNext = left * a - order * aLast, bNext = right * b - order * bLast;
    aLast = a;
    bLast = b;
    a = aNext;
    b = bNext;
  }
}

static __device__ inline double tailAt(const double* tail, double h, double v) {
  h *= tail[2];
  v *= tail[3];
  const double r2 = h * h + v * v;
  return tail[0] * r2 / pow(tail[1] * tail[1] + r2, 1.0 + 0.5 * tail[4]);
}

__global__ void __launch_bounds__(BLOCK) psfSpotsKernel(psf_spots_call c) {
  TS_DYNAMIC_SHARED(shared);
  const int lane = static_cast<int>(threadIdx.x) % WARP, warp = static_cast<int>(threadIdx.x) / WARP;
  const int64_t index = static_cast<int64_t>(blockIdx.x) * WARPS + warp;
  if (index >= static_cast<int64_t>(c.B) * c.L) return;
  const int GX = c.GX, GY = c.GY, SX = c.SX, SY = c.SY, size = SX * SY;
  const int P = 2 + GX * GY + TAILS;
  double* params = shared + warp * (P + GX * SX + GY * SY + GX * SY + size);
  double* gx = params + P;
  double* gy = gx + GX * SX;
  double* t = gy + GY * SY;
  double* image = t + GX * SY;
  const int64_t b = index / c.L;
  const double wave = c.wave[index];
  const double u = scaledWave(wave, c.domains[0], c.domains[1]);
  const double* trace = c.trace + 2 * b * c.KT;
  const double x = legendreSeries(c.KT, trace, u), y = legendreSeries(c.KT, trace + c.KT, u);
  const double v = scaledWave(wave, c.domains[2], c.domains[3]);
  const double* shape = c.shape + b * P * c.KP;
  for (int p = lane; p < P; p += WARP) params[p] = legendreSeries(c.KP, shape + p * c.KP, v);
  __syncwarp();
  const double dx = pixelOffset(x), dy = pixelOffset(y);
  for (int k = lane; k < SX + SY; k += WARP) {
    if (k < SX) pixelBases(GX, SX, k, dx, params[0], gx);
    else pixelBases(GY, SY, k - SX, dy, params[1], gy);
  }
  __syncwarp();
  // t_i[y] = Σ_j GH[i][j] gy_j[y], stored [y][i]
  for (int at = lane; at < GX * SY; at += WARP) {
    const int r = at / GX, i = at % GX;
    double sum = 0;
    for (int j = 0; j < GY; j++) sum += params[2 + i * GY + j] * gy[j * SY + r];
    t[at] = sum;
  }
  __syncwarp();
  const double* tail = params + 2 + GX * GY;
  double sum = 0;
  for (int at = lane; at < size; at += WARP) {
    const int r = at / SX, column = at % SX;
    double value = 0;
    for (int i = 0; i < GX; i++) value += t[r * GX + i] * gx[i * SX + column];
    if (tail[0] != 0) value += tailAt(tail, (column - (SX >> 1)) - dx, (r - (SY >> 1)) - dy);
    value = value < 0 ? 0.0 : value;
    image[at] = value;
    sum += value;
  }
  for (int half = WARP / 2; half > 0; half /= 2) sum += __shfl_down_sync(0xffffffffu, sum, half);
  sum = __shfl_sync(0xffffffffu, sum, 0);
  const double scale = sum == 0 ? 0.0 : 1.0 / sum;
  double* out = c.spots + index * size;
  for (int at = lane; at < size; at += WARP) out[at] = image[at] * scale;
  if (lane == 0) {
    c.xc[index] = spotCorner(x, SX >> 1);
    c.yc[index] = spotCorner(y, SY >> 1);
  }
}

int32_t psf_spots(Context& context, const psf_spots_call& c, Work& work) {
  const int64_t n = static_cast<int64_t>(c.B) * c.L;
  if (work.none() || n == 0) return TS_OK;
  const size_t shared = static_cast<size_t>(WARPS * sharedOfSpot(c)) * sizeof(double);
  TS_LAUNCH(psfSpotsKernel, dim3(static_cast<unsigned>(ceilDivide(n, WARPS))), shared, c);
  return TS_OK;
}

}  // namespace twinspec
