// Inverse square roots of covariances from their inverses, one block a fibre: sums over poles of banded inverses.
// Twins: core/assembly/root.ts, whose header has the formulas, core/kernels/root.ts.
#include "banded.cuh"
#include "patch.cuh"

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

/** Doubles of a warp's own: a factor, a window of its inverse, two solutions and what becomes of them, sums over its poles. */
__host__ __device__ inline int64_t poleDoubles(int L, int H, int ND) {
  return static_cast<int64_t>(L) * (H + 1) + windowDoubles(H) + static_cast<int64_t>(L) * (4 + 2 + ND + 1);
}

/** L of A = L Lᵀ in place of A, by one warp, column by column; false, in all lanes, where a pivot is not positive. */
__device__ inline bool warpCholesky(int N, int H, double* a) {
  const int lane = static_cast<int>(threadIdx.x) % WARP;
#pragma unroll 1
  for (int j = 0; j < N; j++) {
    const int last = j + H < N ? j + H : N - 1;
    const double* lj = element(a, H, j, 0);
    double scale = 0;
#pragma unroll 1
    for (int i0 = j; i0 <= last; i0 += WARP) {
      const int i = i0 + lane;
      double value = 0;
      if (i <= last) {
        const double* li = element(a, H, i, 0);
        value = li[j];
#pragma unroll 1
        for (int k = i - H > 0 ? i - H : 0; k < j; k++) value -= li[k] * lj[k];
      }
      if (i0 == j) {
        const double pivot = __shfl_sync(0xffffffffu, value, 0);
        if (!(pivot > 0 && pivot < infinity())) return false;
        scale = 1.0 / sqrt(pivot);
      }
      if (i <= last) *element(a, H, i, j) = i == j ? sqrt(value) : value * scale;
    }
    __syncwarp();
  }
  return true;
}

/** L Lᵀ x = b for two right-hand sides u and v, which become their own rests, by one warp; x, y: the solutions. */
__device__ inline void warpSolve(int N, int H, const double* a, double* u, double* v, double* x, double* y) {
  const int lane = static_cast<int>(threadIdx.x) % WARP;
#pragma unroll 1
  for (int i = 0; i < N; i++) {
    const double scale = 1.0 / *element(a, H, i, i), p = u[i] * scale, q = v[i] * scale;
    const int last = i + H < N ? i + H : N - 1;
#pragma unroll 1
    for (int m = i + 1 + lane; m <= last; m += WARP) {
      u[m] -= *element(a, H, m, i) * p;
      v[m] -= *element(a, H, m, i) * q;
    }
    if (lane == 0) {
      x[i] = p;
      y[i] = q;
    }
    __syncwarp();
  }
#pragma unroll 1
  for (int i = N - 1; i >= 0; i--) {
    const double scale = 1.0 / *element(a, H, i, i), p = x[i] * scale, q = y[i] * scale;
#pragma unroll 1
    for (int m = i - 1 - lane; m >= 0 && m >= i - H; m -= WARP) {
      x[m] -= *element(a, H, i, m) * p;
      y[m] -= *element(a, H, i, m) * q;
    }
    if (lane == 0) {
      u[i] = p;
      v[i] = q;
    }
    __syncwarp();
  }
}

/** As blockInverseRow, by one warp. */
__device__ inline void warpInverseRow(int N, int H, const double* a, double* window, int i) {
  const int lane = static_cast<int>(threadIdx.x) % WARP;
  const double scale = 1.0 / *element(a, H, i, i);
  const int n = (i + H < N ? i + H : N - 1) - i;
#pragma unroll 1
  for (int t = lane; t < n; t += WARP) {
    double sum = 0;
#pragma unroll 1
    for (int k = 0; k < n; k++) sum -= *element(a, H, i + 1 + k, i) * *windowElement(window, H, i + 1 + t, i + 1 + k);
    *windowElement(window, H, i, i + 1 + t) = sum * scale;
    *windowElement(window, H, i + 1 + t, i) = sum * scale;
  }
  __syncwarp();
  if (lane == 0) {
    double diagonal = scale;
#pragma unroll 1
    for (int k = 0; k < n; k++) diagonal -= *element(a, H, i + 1 + k, i) * *windowElement(window, H, i, i + 1 + k);
    *windowElement(window, H, i, i) = diagonal * scale;
  }
  __syncwarp();
}

/**
 * A block a fibre, a warp a pole at a time; sums over the poles of a warp, then over warps. One block a multiprocessor is
 * asked for, lest registers be kept back and spilled.
 */
__global__ void __launch_bounds__(BLOCK, 1) bandRootKernel(Root k) {
  const band_root_call& c = k.c;
  const int F = c.F, L = c.L, H = c.H, P = c.P, ND = c.ND;
  const int64_t m = k.first + blockIdx.x, size = static_cast<int64_t>(L) * (H + 1), each = poleDoubles(L, H, ND);
  const double* s = c.s + m * size;
  const double* x = c.x + m / F * L * F + m % F;
  const int thread = static_cast<int>(threadIdx.x), lane = thread % WARP, warp = thread / WARP;
  // S·1 and S·x, then every warp's own
  double* s1 = k.work + blockIdx.x * (2 * static_cast<int64_t>(L) + 1 + WARPS * each);
  double* sx = s1 + L;
  double* one = sx + L;
  double* own = one + 1 + warp * each;
  double* window = own + size;
  double* u = window + windowDoubles(H);
  double* v = u + L;
  double* p1 = v + L;
  double* p2 = p1 + L;
  double* sum1 = p2 + L;
  double* sumx = sum1 + L;
  double* sumq = sumx + L;
  if (thread == 0) *one = 1.0;
  __syncthreads();
#pragma unroll 1
  for (int i = thread; i < L; i += BLOCK) {
    s1[i] = product(L, H, s, i, one, 0);
    sx[i] = product(L, H, s, i, x, F);
  }
#pragma unroll 1
  for (int i = lane; i < L * (ND + 3); i += WARP) sum1[i] = 0;
  __syncthreads();
  const int poles = c.count[m];
#pragma unroll 1
  for (int p = warp; p < poles; p += WARPS) {
    const double sigma = c.shift[m * P + p], g = c.weight[m * P + p];
#pragma unroll 1
    for (int64_t i = lane; i < size; i += WARP) own[i] = s[i] + (i % (H + 1) == H ? sigma : 0.0);
#pragma unroll 1
    for (int i = lane; i < L; i += WARP) {
      u[i] = s1[i];
      v[i] = sx[i];
    }
    __syncwarp();
    if (!warpCholesky(L, H, own)) {
#pragma unroll 1
      for (int i = lane; i < L * (ND + 3); i += WARP) sum1[i] = notANumber();
      __syncwarp();
      continue;
    }
    warpSolve(L, H, own, u, v, p1, p2);
#pragma unroll 1
    for (int i = lane; i < L; i += WARP) {
      sum1[i] += g * u[i];
      sumx[i] += g * v[i];
    }
#pragma unroll 1
    for (int i = L - 1; i >= 0; i--) {
      warpInverseRow(L, H, own, window, i);
#pragma unroll 1
      for (int d = lane; d <= ND && d <= H && i + d < L; d += WARP) {
        sumq[static_cast<int64_t>(i + d) * (ND + 1) + ND - d] -= g * sigma * *windowElement(window, H, i, i + d);
      }
      // the next row takes the place of column i + H
      __syncwarp();
    }
  }
  __syncthreads();
  double constant = 0;
#pragma unroll 1
  for (int p = 0; p < poles; p++) constant += c.weight[m * P + p];
  const double* first = sum1 - warp * each;
#pragma unroll 1
  for (int i = thread; i < L * (ND + 3); i += BLOCK) {
    double sum = 0;
#pragma unroll 1
    for (int w = 0; w < WARPS; w++) sum += first[w * each + i];
    if (i < L) c.rowsum[m * L + i] = sum;
    else if (i < 2 * L) c.qx[m * L + i - L] = sum;
    else c.q[m * L * (ND + 1) + i - 2 * L] = sum + ((i - 2 * L) % (ND + 1) == ND ? constant : 0.0);
  }
}

int32_t band_root(Context& context, const band_root_call& c, Work& work) {
  const int64_t each = (2 * static_cast<int64_t>(c.L) + 1 + WARPS * poleDoubles(c.L, c.H, c.ND)) * 8;
  const int64_t fibres = static_cast<int64_t>(c.B) * c.F;
  int64_t slots = 0;
  if (work.plan(each, c.L == 0 ? 0 : fibres, &slots) || c.L == 0) return TS_OK;
  for (int64_t first = 0; first < fibres; first += slots) {
    const int64_t n = fibres - first < slots ? fibres - first : slots;
    const Root k = {c, reinterpret_cast<double*>(work.address), first};
    TS_LAUNCH(bandRootKernel, dim3(static_cast<unsigned>(n)), 0, k);
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
