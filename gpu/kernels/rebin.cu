// Line-spread function and pixels: a finely sampled spectrum as an instrument would record it. The header of
// core/assembly/rebin.ts has the formulas.
//
//   out_j = Σ_i w_ij F_i,   w_ij = ∫ Λ_i(λ′) K_j(λ′) dλ′,   K_j = [Φ((e_{j+1}−λ′)/σ_j) − Φ((e_j−λ′)/σ_j)] / Δ_j
//
// A thread an output pixel. Twins: core/assembly/rebin.ts, core/kernels/rebin.ts.
#include "erf.cuh"

namespace twinspec {

struct Integrals {
  double first, second;
};

/** f₁ and f₂ at d; σ = 0 gives max(d, 0) and half its square. */
static __device__ inline Integrals integrals(double d, double sigma) {
  const double HALF_ROOT = 0.70710678118654752;    // 1/√2
  const double ROOT_HALF_PI = 1.2533141373155003;  // √(π/2)
  const double DENSITY = 0.3989422804014327;       // 1/√(2π)
  double j1 = 0, j2 = 0;  // σJ₁(−|x|), σ²J₂(−|x|)
  const double x = sigma == 0 ? infinity() : fabs(d) / sigma;
  if (x < 38) {
    const double density = DENSITY * exp(-0.5 * x * x);
    const double beyond = density * ROOT_HALF_PI * erfcx(x * HALF_ROOT);  // Φ(−x)
    j1 = sigma * (density - x * beyond);
    j2 = 0.5 * sigma * sigma * ((x * x + 1.0) * beyond - x * density);
  } else if (x != x) {
    j1 = notANumber();
    j2 = notANumber();
  }
  return {d > 0 ? d + j1 : j1, d > 0 ? 0.5 * (d * d + sigma * sigma) - j2 : j2};
}

/** First knot at or beyond the value; N where there is none. */
static __device__ inline int lowerBound(int N, const double* x, double value) {
  int low = 0, high = N;
  while (low < high) {
    const int middle = (low + high) >> 1;
    if (x[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Edge below pixel j, half-way to its neighbour; the outermost ones by symmetry. */
static __device__ inline double edge(int M, const double* x, int j) {
  if (j == 0) return x[0] - 0.5 * (x[1] - x[0]);
  if (j == M) return x[M - 1] + 0.5 * (x[M - 1] - x[M - 2]);
  return 0.5 * (x[j - 1] + x[j]);
}

/** Width of pixel j: half the distance between its neighbours, the whole one to its neighbour at either end. */
static __device__ inline double pixelWidth(int M, const double* x, int j) {
  if (j == 0) return x[1] - x[0];
  if (j == M - 1) return x[M - 1] - x[M - 2];
  return 0.5 * (x[j + 1] - x[j - 1]);
}

__global__ void __launch_bounds__(BLOCK) rebinWeightsKernel(rebin_weights_call c) {
  const int64_t index = globalIndex();
  if (index >= c.M) return;
  const int j = static_cast<int>(index);
  const int N = c.N, W = c.W;
  double* row = c.weights + static_cast<int64_t>(j) * W;
  for (int i = 0; i < W; i++) row[i] = 0;
  const double centre = c.lam1[j];
  const double s = c.sigma[j];
  const double low = edge(c.M, c.lam1, j);
  const double high = edge(c.M, c.lam1, j + 1);
  const double width = pixelWidth(c.M, c.lam1, j);
  const double reach = 5.0 * s + (width > 2.0 * s ? 0.5 * width : 0.0);
  int begin = lowerBound(N, c.lam0, centre - reach) - 1;
  int end = lowerBound(N, c.lam0, centre + reach) + 1;
  begin = begin < 0 ? 0 : begin;
  end = end > N - 1 ? N - 1 : end;
  if (end > begin + W - 1) end = begin + W - 1;
  c.start[j] = begin < N ? begin : N - 1;

  int known = 0;  // orientation that the values at the left knot were computed for
  double a1 = 0, a2 = 0;
  for (int i = begin; i < end; i++) {
    const double a = c.lam0[i];
    const double b = c.lam0[i + 1];
    const int side = 0.5 * (a + b) > centre ? 1 : -1;
    const double sign = side;
    if (known != side) {
      const Integrals upper = integrals(side > 0 ? high - a : a - low, s);
      const Integrals lower = integrals(side > 0 ? low - a : a - high, s);
      a1 = upper.first - lower.first;
      a2 = upper.second - lower.second;
      known = side;
    }
    const Integrals upper = integrals(side > 0 ? high - b : b - low, s);
    const Integrals lower = integrals(side > 0 ? low - b : b - high, s);
    const double b1 = upper.first - lower.first;
    const double b2 = upper.second - lower.second;
    const double slope = sign * (a2 - b2) / (b - a);
    const int k = i - begin;
    row[k] += (sign * a1 - sign * slope) / width;
    row[k + 1] += (sign * slope - sign * b1) / width;
    a1 = b1;
    a2 = b2;
  }
}

int32_t rebin_weights(Context& context, const rebin_weights_call& c, Work& work) {
  if (work.none() || c.M == 0) return TS_OK;
  if (c.M < 2) return fail(TS_INVALID, "rebin_weights: %d output pixels, at least 2 are needed", c.M);
  TS_LAUNCH(rebinWeightsKernel, blocksFor(c.M), 0, c);
  return TS_OK;
}

/** Σ_i w_i f_i over n knots, four partial sums. */
static __device__ inline double weightedSum(int n, const double* w, const double* f) {
  double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  int i = 0;
  for (; i + 3 < n; i += 4) {
    s0 += w[i] * f[i];
    s1 += w[i + 1] * f[i + 1];
    s2 += w[i + 2] * f[i + 2];
    s3 += w[i + 3] * f[i + 3];
  }
  double total = (s0 + s2) + (s1 + s3);
  for (; i < n; i++) total += w[i] * f[i];
  return total;
}

/** Knots of a pixel that exist. */
static __device__ inline int knotsOf(int N, int W, int begin) { return begin + W > N ? N - begin : W; }

__global__ void __launch_bounds__(BLOCK) rebinApplyKernel(rebin_apply_call c) {
  const int64_t index = globalIndex();
  if (index >= static_cast<int64_t>(c.T) * c.M) return;
  const int64_t t = index / c.M;
  const int64_t j = index % c.M;
  const int begin = c.start[j];
  c.out[index] = weightedSum(knotsOf(c.N, c.W, begin), c.weights + j * c.W, c.flux + t * c.N + begin);
}

int32_t rebin_apply(Context& context, const rebin_apply_call& c, Work& work) {
  const int64_t n = static_cast<int64_t>(c.T) * c.M;
  if (work.none() || n == 0) return TS_OK;
  TS_LAUNCH(rebinApplyKernel, blocksFor(n), 0, c);
  return TS_OK;
}

namespace {

struct Photons {
  rebin_log_call c;
  double* photons;
  int64_t t0, spectra;
};

}  // namespace

__global__ void __launch_bounds__(BLOCK) rebinPhotonsKernel(Photons k) {
  const int64_t index = globalIndex();
  if (index >= k.spectra * k.c.N) return;
  const int64_t i = index % k.c.N;
  k.photons[index] = exp(static_cast<double>(k.c.flux[k.t0 * k.c.N + index])) * k.c.lam0[i];
}

__global__ void __launch_bounds__(BLOCK) rebinLogKernel(Photons k) {
  const rebin_log_call& c = k.c;
  const int64_t index = globalIndex();
  if (index >= k.spectra * c.M) return;
  const int64_t t = index / c.M;
  const int64_t j = index % c.M;
  const int begin = c.start[j];
  const double photons = weightedSum(knotsOf(c.N, c.W, begin), c.weights + j * c.W, k.photons + t * c.N + begin);
  c.out[k.t0 * c.M + index] = static_cast<float>(log(photons / c.lam1[j]));
}

int32_t rebin_log(Context& context, const rebin_log_call& c, Work& work) {
  int64_t slots = 0;
  if (work.plan(static_cast<int64_t>(c.N) * 8, c.T, &slots)) return TS_OK;
  if (c.M == 0) return TS_OK;
  for (int64_t t0 = 0; t0 < c.T; t0 += slots) {
    const int64_t spectra = c.T - t0 < slots ? c.T - t0 : slots;
    const Photons k = {c, reinterpret_cast<double*>(work.address), t0, spectra};
    TS_LAUNCH(rebinPhotonsKernel, blocksFor(spectra * c.N), 0, k);
    TS_LAUNCH(rebinLogKernel, blocksFor(spectra * c.M), 0, k);
  }
  return TS_OK;
}

}  // namespace twinspec
