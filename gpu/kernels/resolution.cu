// Resolution matrices in row form, and their action on models.
//
//   R[i, i+m−w] = rows[i, m],   m = 0..W−1,   W odd,   w = (W−1)/2;   entries that refer to pixels outside are 0
//
// Stored as diagonals: rows[i, m] = D[W−1−m, i+m−w]; after deconvolution c = r G⁻¹ row by row over the W entries, and
// each of the w rows at either end scaled so that what remains sums to the median row sum. Rows of a matrix displaced by
// δ pixels are centred first: c = q (H₀ G⁻¹), q = e^{x²/2} · ((r · e^{−ax/s}) H₀⁻¹) · e^{bx/s}, x = δ/s.
// Twins: core/assembly/resolution.ts, core/kernels/resolution.ts.
#include "common.cuh"

namespace twinspec {

namespace {

struct Deconvolve {
  resolution_deconvolve_call c;
  double* sums;
  int64_t b0, spectra;
};

}  // namespace

/** Entry n of row i as stored. */
__device__ inline double stored(const resolution_deconvolve_call& c, const float* diagonals, int i, int n) {
  int j = i + n - c.W / 2;
  if (c.WRAP && j == -1) j = c.P - 1;
  return j < 0 || j >= c.P ? 0.0 : static_cast<double>(diagonals[static_cast<int64_t>(c.W - 1 - n) * c.P + j]);
}

/** Entry m of row i of matrix b, centred and deconvolved. */
__device__ double centred(const resolution_deconvolve_call& c, const float* diagonals, int64_t b, int i, int m) {
  const int W = c.W, w = W / 2;
  const double x = c.displacement[b] * c.lam[i] / c.spread[b];
  const double lean = x / c.spread[b];
  const double step = exp(lean), back = exp(-lean);
  const double* parts = c.centring + 2 * b * W * W;
  const double* onward = parts + static_cast<int64_t>(W) * W;
  double sum = 0, right = exp(0.5 * x * x - w * lean);
  for (int k = 0; k < W; k++, right *= step) {
    double part = 0, left = exp(w * lean);
    for (int n = 0; n < W; n++, left *= back) part += stored(c, diagonals, i, n) * left * parts[n * W + k];
    sum += part * right * onward[k * W + m];
  }
  return sum;
}

/** A thread an entry. */
__global__ void __launch_bounds__(BLOCK) deconvolveKernel(Deconvolve k) {
  const resolution_deconvolve_call& c = k.c;
  const int W = c.W, P = c.P, w = W / 2;
  const int64_t index = globalIndex();
  if (index >= k.spectra * P * W) return;
  const int m = static_cast<int>(index % W);
  const int i = static_cast<int>(index / W % P);
  const int64_t b = k.b0 + index / W / P;
  const int at = i + m - w;
  double sum = 0;
  if (at >= 0 && at < P) {
    const float* diagonals = c.d + b * W * P;
    if (c.displacement[b] == 0) {
      for (int n = 0; n < W; n++) sum += stored(c, diagonals, i, n) * c.inverse[n * W + m];
    } else {
      sum = centred(c, diagonals, b, i, m);
    }
  }
  c.rows[k.b0 * P * W + index] = sum;
}

/** A block a matrix: row sums, their median by rank, the edge rows scaled to it. */
__global__ void __launch_bounds__(BLOCK) deconvolveEdgesKernel(Deconvolve k) {
  TS_DYNAMIC_SHARED(middle);
  const resolution_deconvolve_call& c = k.c;
  const int W = c.W, P = c.P, w = W / 2;
  double* rows = c.rows + (k.b0 + blockIdx.x) * static_cast<int64_t>(P) * W;
  double* sums = k.sums + static_cast<int64_t>(blockIdx.x) * P;
  const int thread = static_cast<int>(threadIdx.x);
  int none = 0;
  for (int i = thread; i < P; i += BLOCK) {
    double total = 0;
    for (int m = 0; m < W; m++) total += rows[static_cast<int64_t>(i) * W + m];
    sums[i] = total;
    none |= isnan(total);
  }
  const bool nan = __syncthreads_or(none) != 0;
  const int upper = P / 2;
  for (int i = thread; i < P; i += BLOCK) {
    const double own = sums[i];
    int rank = 0;
    for (int j = 0; j < P; j++) rank += sums[j] < own || (sums[j] == own && j < i);
    if (rank == upper) middle[1] = own;
    if (rank == upper - 1) middle[0] = own;
  }
  __syncthreads();
  const double median = nan ? notANumber() : P & 1 ? middle[1] : 0.5 * (middle[0] + middle[1]);
  const bool every = P - w <= w;
  const int edges = every ? P : 2 * w;
  for (int e = thread; e < edges; e += BLOCK) {
    const int i = every || e < w ? e : P - 2 * w + e;
    const double total = sums[i];
    if (total == 0) continue;
    const double scale = median / total;
    for (int m = 0; m < W; m++) rows[static_cast<int64_t>(i) * W + m] *= scale;
  }
}

int32_t resolution_deconvolve(Context& context, const resolution_deconvolve_call& c, Work& work) {
  int64_t slots = 0;
  const bool empty = c.P == 0 || c.W == 0;
  if (work.plan(static_cast<int64_t>(c.P) * 8, empty ? 0 : c.B, &slots) || empty) return TS_OK;
  for (int64_t b0 = 0; b0 < c.B; b0 += slots) {
    const int64_t spectra = c.B - b0 < slots ? c.B - b0 : slots;
    const Deconvolve k = {c, reinterpret_cast<double*>(work.address), b0, spectra};
    TS_LAUNCH(deconvolveKernel, blocksFor(spectra * c.P * c.W), 0, k);
    TS_LAUNCH(deconvolveEdgesKernel, dim3(static_cast<unsigned>(spectra)), 2 * sizeof(double), k);
  }
  return TS_OK;
}

__global__ void __launch_bounds__(BLOCK) resolutionApplyKernel(resolution_apply_call c) {
  const int64_t index = globalIndex();
  if (index >= static_cast<int64_t>(c.B) * c.P) return;
  const int W = c.W, w = W / 2;
  const int i = static_cast<int>(index % c.P);
  const double* row = c.rows + index * W;
  const double* from = c.vec + index - w;
  const int begin = i < w ? w - i : 0;
  const int end = c.P - 1 - i < w ? c.P - i + w : W;
  double even = 0, odd = 0;
  int m = begin;
  for (; m + 1 < end; m += 2) {
    even += row[m] * from[m];
    odd += row[m + 1] * from[m + 1];
  }
  double sum = even + odd;
  if (m < end) sum += row[m] * from[m];
  c.out[index] = sum;
}

int32_t resolution_apply(Context& context, const resolution_apply_call& c, Work& work) {
  const int64_t n = static_cast<int64_t>(c.B) * c.P;
  if (work.none() || n == 0) return TS_OK;
  TS_LAUNCH(resolutionApplyKernel, blocksFor(n), 0, c);
  return TS_OK;
}

__global__ void __launch_bounds__(BLOCK) resolutionGaussianKernel(resolution_gaussian_call c) {
  const int64_t index = globalIndex();
  if (index >= static_cast<int64_t>(c.B) * c.P) return;
  const int W = c.W, w = W / 2;
  const int i = static_cast<int>(index % c.P);
  double* row = c.rows + index * W;
  const double s = c.sigma[index];
  double total = 0;
  for (int m = 0; m < W; m++) {
    const int j = i + m - w;
    double weight = 0;
    if (j >= 0 && j < c.P) {
      const double x = m == w && s == 0 ? 0.0 : (c.lam[j] - c.lam[i]) / s;
      weight = exp(-0.5 * x * x);
    }
    row[m] = weight;
    total += weight;
  }
  const double scale = 1.0 / total;
  for (int m = 0; m < W; m++) row[m] *= scale;
}

int32_t resolution_gaussian(Context& context, const resolution_gaussian_call& c, Work& work) {
  const int64_t n = static_cast<int64_t>(c.B) * c.P;
  if (work.none() || n == 0) return TS_OK;
  TS_LAUNCH(resolutionGaussianKernel, blocksFor(n), 0, c);
  return TS_OK;
}

}  // namespace twinspec
