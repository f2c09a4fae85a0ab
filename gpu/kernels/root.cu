// Inverse square roots of covariances from their inverses, one block a fibre: sums over poles of banded inverses.
// Twins: core/assembly/root.ts, whose header has the formulas, core/kernels/root.ts.
#include "banded.cuh"

namespace twinspec {

namespace {

struct Extent {
  band_extent_call c;
  double* work;
  int64_t first;
};

struct Root {
  band_root_call c;
  double* work;
  int64_t first;
};

/** S + shift. */
__device__ inline void shifted(int L, int H, const double* s, double shift, double* a) {
  for (int64_t i = threadIdx.x; i < static_cast<int64_t>(L) * (H + 1); i += BLOCK) {
    a[i] = s[i] + (i % (H + 1) == H ? shift : 0.0);
  }
  __syncthreads();
}

/** Σ_j S_ij v_j. */
__device__ inline double product(int L, int H, const double* s, int i, const double* v, int64_t stride) {
  double sum = 0;
  for (int k = i - H > 0 ? i - H : 0; k <= i; k++) sum += *element(s, H, i, k) * v[k * stride];
  const int last = i + H < L ? i + H : L - 1;
  for (int k = i + 1; k <= last; k++) sum += *element(s, H, k, i) * v[k * stride];
  return sum;
}

}  // namespace

/** Largest row sum of |S|, one block a fibre. */
__global__ void __launch_bounds__(BLOCK) bandHighKernel(band_extent_call c) {
  TS_DYNAMIC_SHARED(shared);
  const int L = c.L, H = c.H;
  const double* s = c.s + blockIdx.x * (static_cast<int64_t>(L) * (H + 1));
  double most = 0;
  for (int i = static_cast<int>(threadIdx.x); i < L; i += BLOCK) {
    double sum = 0;
    for (int j = i - H > 0 ? i - H : 0; j <= i; j++) sum += fabs(*element(s, H, i, j));
    const int last = i + H < L ? i + H : L - 1;
    for (int j = i + 1; j <= last; j++) sum += fabs(*element(s, H, j, i));
    if (!(sum <= most)) most = isnan(most) ? most : sum;
  }
  most = blockMost(most, shared);
  if (threadIdx.x == 0) c.high[blockIdx.x] = most;
}

/** 1 over the largest row sum of |S⁻¹| within the band. */
__global__ void __launch_bounds__(BLOCK) bandLowKernel(Extent k) {
  TS_DYNAMIC_SHARED(shared);
  const int L = k.c.L, H = k.c.H;
  const int64_t m = k.first + blockIdx.x, size = static_cast<int64_t>(L) * (H + 1);
  double* a = k.work + blockIdx.x * (size + windowDoubles(H) + L);
  double* window = a + size;
  double* sums = window + windowDoubles(H);
  const int thread = static_cast<int>(threadIdx.x);
  shifted(L, H, k.c.s + m * size, 0.0, a);
  const bool sound = blockCholesky(L, H, a, shared);
  for (int i = thread; i < L; i += BLOCK) sums[i] = 0;
  __syncthreads();
  if (!sound) {
    if (thread == 0) k.c.low[m] = notANumber();
    return;
  }
#pragma unroll 1
  for (int i = L - 1; i >= 0; i--) {
    blockInverseRow(L, H, a, window, i);
    const int last = i + H < L ? i + H : L - 1;
#pragma unroll 1
    for (int j = i + 1 + thread; j <= last; j += BLOCK) sums[j] += fabs(*windowElement(window, H, i, j));
    if (thread == 0) {
      double sum = 0;
#pragma unroll 1
      for (int j = i; j <= last; j++) sum += fabs(*windowElement(window, H, i, j));
      sums[i] += sum;
    }
    __syncthreads();
  }
  double widest = 0;
  for (int i = thread; i < L; i += BLOCK) {
    if (!(sums[i] <= widest)) widest = isnan(widest) ? widest : sums[i];
  }
  widest = blockMost(widest, shared);
  if (thread == 0) k.c.low[m] = 1.0 / widest;
}

int32_t band_extent(Context& context, const band_extent_call& c, Work& work) {
  const int64_t each = (static_cast<int64_t>(c.L) * (c.H + 1) + windowDoubles(c.H) + c.L) * 8;
  const int64_t fibres = static_cast<int64_t>(c.B) * c.F;
  int64_t slots = 0;
  if (work.plan(each, fibres, &slots) || fibres == 0) return TS_OK;
  TS_LAUNCH(bandHighKernel, dim3(static_cast<unsigned>(fibres)), BLOCK * sizeof(double), c);
  for (int64_t first = 0; first < fibres; first += slots) {
    const int64_t n = fibres - first < slots ? fibres - first : slots;
    const Extent k = {c, reinterpret_cast<double*>(work.address), first};
    TS_LAUNCH(bandLowKernel, dim3(static_cast<unsigned>(n)), static_cast<size_t>(bandedShared(c.H)) * 8, k);
  }
  return TS_OK;
}

__global__ void __launch_bounds__(BLOCK) bandRootKernel(Root k) {
  TS_DYNAMIC_SHARED(shared);
  const band_root_call& c = k.c;
  const int F = c.F, L = c.L, H = c.H, P = c.P, ND = c.ND;
  const int64_t m = k.first + blockIdx.x, size = static_cast<int64_t>(L) * (H + 1);
  const double* s = c.s + m * size;
  const double* x = c.x + m / F * L * F + m % F;
  double* a = k.work + blockIdx.x * (size + windowDoubles(H) + 4 * static_cast<int64_t>(L) + 1);
  double* window = a + size;
  double* s1 = window + windowDoubles(H);
  double* sx = s1 + L;
  double* u = sx + L;
  double* v = u + L;
  double* one = v + L;
  double* q = c.q + m * L * (ND + 1);
  double* rowsum = c.rowsum + m * L;
  double* qx = c.qx + m * L;
  const int thread = static_cast<int>(threadIdx.x);
  if (thread == 0) *one = 1.0;
  __syncthreads();
  const int poles = c.count[m];
  double constant = 0;
  for (int p = 0; p < poles; p++) constant += c.weight[m * P + p];
  for (int i = thread; i < L; i += BLOCK) {
    s1[i] = product(L, H, s, i, one, 0);
    sx[i] = product(L, H, s, i, x, F);
    rowsum[i] = 0;
    qx[i] = 0;
    for (int d = 0; d < ND; d++) q[static_cast<int64_t>(i) * (ND + 1) + d] = 0;
    q[static_cast<int64_t>(i) * (ND + 1) + ND] = constant;
  }
  for (int p = 0; p < poles; p++) {
    const double sigma = c.shift[m * P + p], g = c.weight[m * P + p];
    shifted(L, H, s, sigma, a);
    const bool sound = blockCholesky(L, H, a, shared);
    __syncthreads();
    if (!sound) {
      for (int i = thread; i < L; i += BLOCK) {
        rowsum[i] = notANumber();
        qx[i] = notANumber();
        for (int d = 0; d <= ND; d++) q[static_cast<int64_t>(i) * (ND + 1) + d] = notANumber();
      }
      return;
    }
    for (int i = thread; i < L; i += BLOCK) {
      u[i] = s1[i];
      v[i] = sx[i];
    }
    __syncthreads();
#pragma unroll 1
    for (int side = 0; side < 2; side++) blockSolve(L, H, a, side == 0 ? u : v, shared);
    for (int i = thread; i < L; i += BLOCK) {
      rowsum[i] += g * u[i];
      qx[i] += g * v[i];
    }
    for (int i = L - 1; i >= 0; i--) {
      blockInverseRow(L, H, a, window, i);
      if (thread <= ND && thread <= H && i + thread < L) {
        q[static_cast<int64_t>(i + thread) * (ND + 1) + ND - thread] -=
            g * sigma * *windowElement(window, H, i, i + thread);
      }
      __syncthreads();
    }
  }
}

int32_t band_root(Context& context, const band_root_call& c, Work& work) {
  const int64_t each = (static_cast<int64_t>(c.L) * (c.H + 1) + windowDoubles(c.H) + 4 * static_cast<int64_t>(c.L) + 1) * 8;
  const int64_t fibres = static_cast<int64_t>(c.B) * c.F;
  int64_t slots = 0;
  if (work.plan(each, c.L == 0 ? 0 : fibres, &slots) || c.L == 0) return TS_OK;
  if (c.ND >= BLOCK) return fail(TS_INVALID, "band_root: %d diagonals, fewer than %d are needed", c.ND, BLOCK);
  for (int64_t first = 0; first < fibres; first += slots) {
    const int64_t n = fibres - first < slots ? fibres - first : slots;
    const Root k = {c, reinterpret_cast<double*>(work.address), first};
    TS_LAUNCH(bandRootKernel, dim3(static_cast<unsigned>(n)), static_cast<size_t>(bandedShared(c.H)) * 8, k);
  }
  return TS_OK;
}

/** A thread a bin. */
__global__ void __launch_bounds__(BLOCK) decorrelateKernel(decorrelate_call c) {
  const int64_t index = globalIndex();
  if (index >= static_cast<int64_t>(c.B) * c.M) return;
  const int L = c.L, M = c.M, ND = c.ND, bands = 2 * ND + 1;
  const int64_t b = index / M;
  const int j = static_cast<int>(index % M), bin = c.FIRST + j;
  const double* q = c.q + b * L * (ND + 1);
  const double* rowsum = c.rowsum + b * L;
  const double total = rowsum[bin];
  c.flux[index] = c.qx[b * L + bin] / total;
  c.ivar[index] = total * total;
  for (int k = 0; k < bands; k++) {
    const int i = bin - ND + k;
    double value = 0;
    if (i >= 0 && i < L) {
      const int low = i < bin ? i : bin, high = i < bin ? bin : i;
      value = q[static_cast<int64_t>(high) * (ND + 1) + ND - high + low] / rowsum[i];
    }
    c.resolution[(b * bands + k) * M + j] = value;
  }
}

int32_t decorrelate(Context& context, const decorrelate_call& c, Work& work) {
  const int64_t n = static_cast<int64_t>(c.B) * c.M;
  if (work.none() || n == 0) return TS_OK;
  TS_LAUNCH(decorrelateKernel, blocksFor(n), 0, c);
  return TS_OK;
}

}  // namespace twinspec
