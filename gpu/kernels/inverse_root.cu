// Covariances of single fibres, and their inverse square roots, one block a fibre.
// Twins: core/assembly/inverse_root.ts, whose header has the formulas, core/kernels/inverse_root.ts.
#include "banded.cuh"
#include "patch.cuh"

namespace twinspec {

namespace {

/** Side of a tile of a product; a thread has four rows of one column. */
constexpr int TILE = 32;
constexpr int ROWS = TILE * TILE / BLOCK;
/** As in the other twin, where they are explained. */
constexpr int STEPS = 40;
constexpr int SWEEPS = 30;
constexpr double NEAR = 1e-8;
constexpr double ILL = 1e6;
constexpr double ORTHOGONAL = 2.220446049250313e-16;

struct Covariance {
  fibre_covariance_call c;
  double* work;
  int64_t first;  // item of the batch that block 0 has
};

struct InverseRoot {
  inverse_root_call c;
  double* work;
  int64_t first;
};

struct Decorrelate {
  decorrelate_block_call c;
  double* work;
  int64_t first;
};

/** o = A B; or where that is symmetric the lower half and its image; or Aᵀ A. */
enum Product { WHOLE, SYMMETRIC, GRAM };

/** Matrices of N × N; `shared`: two tiles. */
__device__ void blockProduct(int N, const double* a, const double* b, double* o, Product kind, double* shared) {
  const int thread = static_cast<int>(threadIdx.x);
  const int column = thread % TILE, row = thread / TILE;
  double* left = shared;
  double* right = shared + TILE * TILE;
#pragma unroll 1
  for (int i0 = 0; i0 < N; i0 += TILE) {
#pragma unroll 1
    for (int j0 = 0; j0 < (kind == WHOLE ? N : i0 + 1); j0 += TILE) {
      double sum[ROWS] = {};
#pragma unroll 1
      for (int k0 = 0; k0 < N; k0 += TILE) {
        for (int r = row; r < TILE; r += TILE / ROWS) {
          const int i = i0 + r, k = k0 + column;
          left[r * TILE + column] = i < N && k < N ? (kind == GRAM ? a[k * N + i] : a[i * N + k]) : 0.0;
          const int m = k0 + r, j = j0 + column;
          right[r * TILE + column] = m < N && j < N ? b[m * N + j] : 0.0;
        }
        __syncthreads();
        for (int k = 0; k < TILE; k++) {
          const double value = right[k * TILE + column];
          for (int r = 0; r < ROWS; r++) sum[r] += left[(row + r * TILE / ROWS) * TILE + k] * value;
        }
        __syncthreads();
      }
      for (int r = 0; r < ROWS; r++) {
        const int i = i0 + row + r * TILE / ROWS, j = j0 + column;
        if (i >= N || j >= N || (kind != WHOLE && j > i)) continue;
        o[i * N + j] = sum[r];
        if (kind != WHOLE) o[j * N + i] = sum[r];
      }
    }
  }
  __syncthreads();
}

/** An eigenvalue not below the smallest of L Lᵀ, and near it: inverse iteration. v, w: N doubles. */
__device__ double smallest(int N, const double* l, double* v, double* w, double* shared) {
  const int thread = static_cast<int>(threadIdx.x);
#pragma unroll 1
  for (int i = thread; i < N; i += BLOCK) v[i] = 1.0 + static_cast<double>(i * 7 % 11) / 11.0;
  __syncthreads();
  double value = infinity();
#pragma unroll 1
  for (int step = 0; step < 4; step++) {
    double before = 0;
#pragma unroll 1
    for (int i = thread; i < N; i += BLOCK) {
      before += v[i] * v[i];
      w[i] = v[i];
    }
    before = blockSum(before, shared);
    blockSolve(N, N - 1, l, w, shared);
    double both = 0, after = 0;
#pragma unroll 1
    for (int i = thread; i < N; i += BLOCK) {
      both += v[i] * w[i];
      after += w[i] * w[i];
    }
    value = before / blockSum(both, shared);
    const double size = 1.0 / sqrt(blockSum(after, shared));
#pragma unroll 1
    for (int i = thread; i < N; i += BLOCK) v[i] = w[i] * size;
    __syncthreads();
  }
  return value;
}

/** ‖1 − P‖, Frobenius. */
__device__ double distance(int N, const double* p, double* shared) {
  double sum = 0;
#pragma unroll 1
  for (int t = static_cast<int>(threadIdx.x); t < N * N; t += BLOCK) {
    const double value = (t % (N + 1) == 0 ? 1.0 : 0.0) - p[t];
    sum += value * value;
  }
  return sqrt(blockSum(sum, shared));
}

/** A^(−1/2) by products, as in the other twin. */
__device__ const double* byProducts(int N, double least, double* y, double* z, double* p, double* t, double* shared) {
  double m = sqrt(least);
#pragma unroll 1
  for (int step = 0; step < STEPS; step++) {
    const bool first = step == 0;
    if (!first) blockProduct(N, z, y, p, WHOLE, shared);
    const double* from = first ? y : p;
    const double near = distance(N, from, shared);
    if (!(near < infinity())) return nullptr;
    const bool last = near < NEAR;
    const double rho = last ? 1.0 : sqrt(3.0 / (1.0 + m + m * m));
    m = fmin(1.0, 0.5 * rho * m * (3.0 - rho * rho * m * m));
#pragma unroll 1
    for (int k = static_cast<int>(threadIdx.x); k < N * N; k += BLOCK) {
      t[k] = (k % (N + 1) == 0 ? 1.5 * rho : 0.0) - 0.5 * rho * rho * rho * from[k];
    }
    __syncthreads();
    if (last) {
      if (first) return t;
      blockProduct(N, t, z, p, SYMMETRIC, shared);
      return p;
    }
    blockProduct(N, y, t, p, SYMMETRIC, shared);
    double* old = z;
    if (first) {
      z = t;
      t = old;
    } else {
      blockProduct(N, t, z, y, SYMMETRIC, shared);
      z = y;
      y = old;
    }
    old = y;
    y = p;
    p = old;
  }
  return nullptr;
}

/**
 * C^(−1/2) from the factor l (a band of all rows), into o: rows of u are rotated until they are orthogonal, pairs of a
 * round at once, a warp each.
 */
__device__ bool byEigenvectors(int N, const double* l, double* u, double* o, double* shared) {
  const int thread = static_cast<int>(threadIdx.x);
  const int lane = thread % WARP, warp = thread / WARP;
#pragma unroll 1
  for (int t = thread; t < N * N; t += BLOCK) {
    const int i = t / N, j = t % N;
    u[t] = j >= i ? *element(l, N - 1, j, i) : 0.0;
  }
  __syncthreads();
  const double least = ORTHOGONAL * N;
  // a tournament: everybody meets everybody in `players` − 1 rounds
  const int players = N + N % 2;
  bool turning = true;
#pragma unroll 1
  for (int sweep = 0; sweep < SWEEPS && turning; sweep++) {
    bool turned = false;
#pragma unroll 1
    for (int round = 0; round + 1 < players; round++) {
#pragma unroll 1
      for (int pair = warp; pair < players / 2; pair += WARPS) {
        const int first = pair == 0 ? players - 1 : (round + pair) % (players - 1);
        const int second = pair == 0 ? round : (round - pair + players - 1) % (players - 1);
        const int i = first < second ? first : second, j = first < second ? second : first;
        if (j >= N) continue;
        double* ui = u + i * N;
        double* uj = u + j * N;
        double a = 0, b = 0, both = 0;
#pragma unroll 1
        for (int k = lane; k < N; k += WARP) {
          a += ui[k] * ui[k];
          b += uj[k] * uj[k];
          both += ui[k] * uj[k];
        }
        a = warpSum(a);
        b = warpSum(b);
        both = warpSum(both);
        if (!(fabs(both) > least * sqrt(a * b))) continue;
        turned = true;
        const double zeta = (b - a) / (2.0 * both);
        const double t = (zeta < 0 ? -1.0 : 1.0) / (fabs(zeta) + sqrt(1.0 + zeta * zeta));
        const double cosine = 1.0 / sqrt(1.0 + t * t), sine = cosine * t;
#pragma unroll 1
        for (int k = lane; k < N; k += WARP) {
          const double x = ui[k], y = uj[k];
          ui[k] = cosine * x - sine * y;
          uj[k] = sine * x + cosine * y;
        }
      }
      __syncthreads();
    }
    turning = __syncthreads_or(turned) != 0;
  }
  if (turning) return false;
#pragma unroll 1
  for (int i = warp; i < N; i += WARPS) {
    double* row = u + i * N;
    double length = 0;
#pragma unroll 1
    for (int k = lane; k < N; k += WARP) length += row[k] * row[k];
    length = sqrt(warpSum(length));
    const double scale = 1.0 / (length * sqrt(length));
#pragma unroll 1
    for (int k = lane; k < N; k += WARP) row[k] *= scale;
  }
  __syncthreads();
  blockProduct(N, u, u, o, GRAM, shared);
  return true;
}

__host__ __device__ inline int64_t sharedDoubles(int N) {
  const int64_t tiles = 2 * TILE * TILE, banded = bandedShared(N);
  return tiles > banded ? tiles : banded;
}

}  // namespace

/** Columns of C, a thread each: element r of column t at x[r·L + t]. */
__global__ void __launch_bounds__(BLOCK) fibreCovarianceKernel(Covariance k) {
  const fibre_covariance_call& c = k.c;
  const int F = c.F, L = c.L, H = c.H, N = F * L;
  const int64_t b = k.first + blockIdx.x;
  const int which = c.item[b], s = which % F;
  const double* l = c.l + static_cast<int64_t>(which / F) * N * (H + 1);
  double* x = k.work + blockIdx.x * (static_cast<int64_t>(N) * L);
  double* out = c.c + b * L * L;
  for (int t = static_cast<int>(threadIdx.x); t < L; t += BLOCK) {
    const int start = t * F + s;
    for (int i = start; i < N; i++) {
      double value = i == start ? 1.0 : 0.0;
      for (int m = i - H > start ? i - H : start; m < i; m++) {
        value -= *element(l, H, i, m) * x[static_cast<int64_t>(m) * L + t];
      }
      x[static_cast<int64_t>(i) * L + t] = value / *element(l, H, i, i);
    }
    for (int i = N - 1; i >= start; i--) {
      double value = x[static_cast<int64_t>(i) * L + t];
      const int last = i + H < N ? i + H : N - 1;
      for (int m = i + 1; m <= last; m++) value -= *element(l, H, m, i) * x[static_cast<int64_t>(m) * L + t];
      value /= *element(l, H, i, i);
      x[static_cast<int64_t>(i) * L + t] = value;
      if (i % F == s) {
        out[static_cast<int64_t>(i / F) * L + t] = value;
        out[static_cast<int64_t>(t) * L + i / F] = value;
      }
    }
  }
}

int32_t fibre_covariance(Context& context, const fibre_covariance_call& c, Work& work) {
  const int64_t each = static_cast<int64_t>(c.F) * c.L * c.L * 8;
  int64_t slots = 0;
  const int64_t items = c.L == 0 ? 0 : c.B;
  if (work.plan(each, items, &slots) || items == 0) return TS_OK;
  for (int64_t first = 0; first < items; first += slots) {
    const int64_t n = items - first < slots ? items - first : slots;
    const Covariance k = {c, reinterpret_cast<double*>(work.address), first};
    TS_LAUNCH(fibreCovarianceKernel, dim3(static_cast<unsigned>(n)), 0, k);
  }
  return TS_OK;
}

__global__ void __launch_bounds__(BLOCK, 1) inverseRootKernel(InverseRoot k) {
  TS_DYNAMIC_SHARED(shared);
  const int N = k.c.N, thread = static_cast<int>(threadIdx.x);
  const int64_t b = k.first + blockIdx.x;
  const double* c = k.c.c + b * N * N;
  double* y = k.work + blockIdx.x * (5 * static_cast<int64_t>(N) * N + 2 * N);
  double* g = y + N * N;
  double* room = g + N * N;
  double* v = room + 3 * N * N;
  double all = 0;
#pragma unroll 1
  for (int t = thread; t < N * N; t += BLOCK) {
    const int i = t / N, j = t % N;
    y[t] = j <= i ? c[t] : c[j * N + i];
    all += y[t] * y[t];
    if (j <= i) *element(g, N - 1, i, j) = y[t];
  }
  // what is left of the band lies above the matrix
#pragma unroll 1
  for (int t = thread; t < N * N; t += BLOCK) {
    if (t % N < N - 1 - t / N) g[t] = 0;
  }
  all = blockSum(all, shared);
  double widest = 0;
#pragma unroll 1
  for (int i = thread; i < N; i += BLOCK) {
    double sum = 0;
#pragma unroll 1
    for (int j = 0; j < N; j++) sum += fabs(y[j * N + i]);
    widest = fmax(widest, sum);
  }
  const double norm = fmin(blockMost(widest, shared), sqrt(all));
  const double* root = nullptr;
  double scale = 1;
  int how = 0;
  if (blockCholesky(N, N - 1, g, shared)) {
    __syncthreads();
    const double least = smallest(N, g, v, v + N, shared);
    if (norm < ILL * least) {
#pragma unroll 1
      for (int t = thread; t < N * N; t += BLOCK) y[t] *= 1.0 / norm;
      __syncthreads();
      root = byProducts(N, 0.5 * least / norm, y, room, room + N * N, room + 2 * N * N, shared);
      scale = 1.0 / sqrt(norm);
      how = 1;
    }
    if (root == nullptr) {
      root = y;
      scale = 1.0;
      how = byEigenvectors(N, g, room, y, shared) ? 2 : 0;
    }
  }
  __syncthreads();
  if (thread == 0) k.c.method[b] = static_cast<uint8_t>(how);
#pragma unroll 1
  for (int t = thread; t < N * N; t += BLOCK) k.c.q[b * N * N + t] = how == 0 ? notANumber() : scale * root[t];
}

int32_t inverse_root(Context& context, const inverse_root_call& c, Work& work) {
  const int64_t each = (5 * static_cast<int64_t>(c.N) * c.N + 2 * c.N) * 8;
  int64_t slots = 0;
  const int64_t items = c.N == 0 ? 0 : c.B;
  if (work.plan(each, items, &slots) || items == 0) return TS_OK;
  const size_t shared = static_cast<size_t>(sharedDoubles(c.N)) * sizeof(double);
  for (int64_t first = 0; first < items; first += slots) {
    const int64_t n = items - first < slots ? items - first : slots;
    const InverseRoot k = {c, reinterpret_cast<double*>(work.address), first};
    TS_LAUNCH(inverseRootKernel, dim3(static_cast<unsigned>(n)), shared, k);
  }
  return TS_OK;
}

/** A thread a bin. */
__global__ void __launch_bounds__(BLOCK) decorrelateBlockKernel(Decorrelate k) {
  const decorrelate_block_call& c = k.c;
  const int F = c.F, L = c.L, M = c.M, ND = c.ND, bands = 2 * ND + 1;
  const int64_t b = k.first + blockIdx.x;
  const int which = c.item[b], thread = static_cast<int>(threadIdx.x);
  const double* q = c.q + b * L * L;
  const double* x = c.x + static_cast<int64_t>(which / F) * L * F + which % F;
  double* rowsum = k.work + static_cast<int64_t>(blockIdx.x) * L;
  for (int i = thread; i < L; i += BLOCK) {
    double sum = 0;
    for (int j = 0; j < L; j++) sum += q[static_cast<int64_t>(i) * L + j];
    rowsum[i] = sum;
  }
  __syncthreads();
  for (int w = thread; w < M; w += BLOCK) {
    const int bin = c.FIRST + w;
    const double total = rowsum[bin];
    double sum = 0;
    for (int j = 0; j < L; j++) sum += q[static_cast<int64_t>(bin) * L + j] * x[static_cast<int64_t>(j) * F];
    c.flux[b * M + w] = sum / total;
    c.ivar[b * M + w] = total * total;
    for (int d = 0; d < bands; d++) {
      const int i = bin - ND + d;
      c.resolution[(b * bands + d) * M + w] = i >= 0 && i < L ? q[static_cast<int64_t>(i) * L + bin] / rowsum[i] : 0.0;
    }
  }
}

int32_t decorrelate_block(Context& context, const decorrelate_block_call& c, Work& work) {
  const int64_t items = c.L == 0 ? 0 : c.B;
  int64_t slots = 0;
  if (work.plan(static_cast<int64_t>(c.L) * 8, items, &slots) || items == 0) return TS_OK;
  for (int64_t first = 0; first < items; first += slots) {
    const int64_t n = items - first < slots ? items - first : slots;
    const Decorrelate k = {c, reinterpret_cast<double*>(work.address), first};
    TS_LAUNCH(decorrelateBlockKernel, dim3(static_cast<unsigned>(n)), 0, k);
  }
  return TS_OK;
}

}  // namespace twinspec
