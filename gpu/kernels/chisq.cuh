// Likelihood of a spectrum under template × continuum, by a block. Twin: core/assembly/chisq.ts, whose header has the
// formulas. Pixels are worked off in tiles of 128 in shared memory; a thread sums a 4×4 block of a product of rows over
// every so-manieth pixel, and the partial sums are added in order.
#pragma once
#include "cholesky.cuh"

namespace twinspec {

constexpr int TILE = 128;
/** Most continuum coefficients and template columns. */
constexpr int MOST_COEFFICIENTS = 60;
constexpr int MOST_COLUMNS = 32;

static __host__ __device__ inline int fours(int n) { return (n + 3) / 4; }

/** Where things lie in shared memory, in doubles from its start; Q = 0 without derivatives. */
struct ChisqLayout {
  int region;  // rows of a tile, afterwards partial sums
  int matrix, factor, coeff, inverse, cross, solved, own, gradient, curvature, sums, logdet, end;

  __host__ __device__ ChisqLayout(int K, int Q) {
    const int n = 4 * fours(K + 1);
    const int q = 4 * fours(Q);
    const int rows = (n + q + Q + 4) * TILE;
    int at = 0;
    region = at;
    at += rows > 16 * BLOCK ? rows : 16 * BLOCK;
    matrix = at;
    at += n * n;
    factor = at;
    at += K * K;
    coeff = at;
    at += K;
    inverse = at;
    at += Q > 0 ? K * K : 0;
    cross = at;
    at += q * n;
    solved = at;
    at += Q * K;
    own = at;
    at += q * q;
    gradient = at;
    at += Q;
    curvature = at;
    at += Q * Q;
    sums = at;
    at += BLOCK;
    logdet = at;
    at += 1;
    end = at;
  }
};

inline size_t chisqShared(int K, int Q) { return static_cast<size_t>(ChisqLayout(K, Q).end) * sizeof(double); }

/** Sums a 4×4 block of rowsA rowsBᵀ over pixels first, first + step, … of a tile. */
static __device__ __forceinline__ void blockProduct(const double* rowsA, const double* rowsB, int first, int step, double* acc) {
  for (int i = first; i < TILE; i += step) {
    double a[4], b[4];
#pragma unroll
    for (int k = 0; k < 4; k++) {
      a[k] = rowsA[k * TILE + i];
      b[k] = rowsB[k * TILE + i];
    }
#pragma unroll
    for (int k = 0; k < 16; k++) acc[k] += a[k >> 2] * b[k & 3];
  }
}

/** The 4×4 block of a lower triangle of blocks that has this index. */
static __device__ inline void triangle(int index, int* row, int* column) {
  int i = 0;
  while ((i + 1) * (i + 2) / 2 <= index) i++;
  *row = i;
  *column = index - i * (i + 1) / 2;
}

/** A tile of the design: rows k < K are P_k c0, row K is y, then zeros; c0 = m s. Ends with a barrier. */
static __device__ inline void designTile(int NP, int K, const double* basis, const double* y, const double* s, const double* m,
                                  int stride, int p0, double* rows, double* c0) {
  const int length = NP - p0 < TILE ? NP - p0 : TILE;
  const int n = 4 * fours(K + 1);
  for (int i = static_cast<int>(threadIdx.x); i < TILE; i += BLOCK) {
    c0[i] = i < length ? m[static_cast<int64_t>(p0 + i) * stride] * s[p0 + i] : 0.0;
  }
  __syncthreads();
  for (int index = static_cast<int>(threadIdx.x); index < n * TILE; index += BLOCK) {
    const int k = index / TILE;
    const int i = index % TILE;
    double value = 0;
    if (i < length && k < K) value = basis[static_cast<int64_t>(k) * NP + p0 + i] * c0[i];
    if (i < length && k == K) value = y[p0 + i];
    rows[index] = value;
  }
  __syncthreads();
}

/**
 * Normal equations and their solution for one spectrum; `m` has `stride` doubles between pixels. Leaves coefficients and
 * factor in shared memory; returns ln det N, the coefficients then NaN where that is NaN.
 */
static __device__ inline double marginalise(int NP, int K, const double* basis, const double* y, const double* s, const double* m,
                                     int stride, const ChisqLayout& at, double* shared) {
  const int thread = static_cast<int>(threadIdx.x);
  const int n4 = fours(K + 1);
  const int n = 4 * n4;
  double* rows = shared + at.region;
  double* c0 = rows + n * TILE;
  const int blocks = n4 * (n4 + 1) / 2;
  const int subsets = BLOCK / blocks;
  const int block = thread / subsets;
  const int subset = thread % subsets;
  int bi = 0, bj = 0;
  if (block < blocks) triangle(block, &bi, &bj);
  double acc[16] = {};
  for (int p0 = 0; p0 < NP; p0 += TILE) {
    designTile(NP, K, basis, y, s, m, stride, p0, rows, c0);
    if (block < blocks) blockProduct(rows + 4 * bi * TILE, rows + 4 * bj * TILE, subset, subsets, acc);
    __syncthreads();
  }
  double* partial = rows;
  if (block < blocks) {
    for (int k = 0; k < 16; k++) partial[(block * 16 + k) * subsets + subset] = acc[k];
  }
  __syncthreads();
  double* matrix = shared + at.matrix;
  for (int index = thread; index < blocks * 16; index += BLOCK) {
    double sum = 0;
    for (int k = 0; k < subsets; k++) sum += partial[index * subsets + k];
    triangle(index / 16, &bi, &bj);
    const int row = 4 * bi + (index % 16 >> 2), column = 4 * bj + (index % 16 & 3);
    matrix[row * n + column] = sum;
    if (bi != bj) matrix[column * n + row] = sum;
  }
  __syncthreads();
  double* factor = shared + at.factor;
  double* coeff = shared + at.coeff;
  for (int index = thread; index < K * K; index += BLOCK) factor[index] = matrix[index / K * n + index % K];
  for (int k = thread; k < K; k += BLOCK) coeff[k] = matrix[K * n + k];
  __syncthreads();
  if (thread == 0) {
    const double logdet = cholesky(K, factor, factor);
    if (isnan(logdet)) {
      for (int k = 0; k < K; k++) coeff[k] = notANumber();
    } else {
      forwardSolve(K, factor, coeff, coeff);
      backSolve(K, factor, coeff, coeff);
    }
    shared[at.logdet] = logdet;
  }
  __syncthreads();
  return shared[at.logdet];
}

/** Continuum c = aᵀP at pixel i. */
static __device__ inline double continuumAt(int NP, int K, const double* basis, const double* coeff, int i) {
  double c = 0;
  for (int k = 0; k < K; k++) c += coeff[k] * basis[static_cast<int64_t>(k) * NP + i];
  return c;
}

/** Σ (y − c m s)², and the model c m into `model` where that is not null. */
static __device__ inline double residual(int NP, int K, const double* basis, const double* y, const double* s, const double* m,
                                  double* model, const ChisqLayout& at, double* shared) {
  double sum = 0;
  for (int i = static_cast<int>(threadIdx.x); i < NP; i += BLOCK) {
    const double value = continuumAt(NP, K, basis, shared + at.coeff, i) * m[i];
    const double r = y[i] - value * s[i];
    sum += r * r;
    if (model != nullptr) model[i] = value;
  }
  return blockSum(sum, shared + at.sums);
}

/** Σ (y − model s)² over the pixels with good ≠ 0; each thread reads what it wrote itself in `residual`. */
static __device__ inline double goodResidual(int NP, const double* y, const double* s, const double* model, const uint8_t* good,
                                      const ChisqLayout& at, double* shared) {
  double sum = 0;
  for (int i = static_cast<int>(threadIdx.x); i < NP; i += BLOCK) {
    if (!good[i]) continue;
    const double r = y[i] - model[i] * s[i];
    sum += r * r;
  }
  return blockSum(sum, shared + at.sums);
}

/** h_i = P_iᵀ N⁻¹ P_i at pixel i. */
static __device__ inline double leverageAt(int NP, int K, const double* basis, const double* inverse, int i) {
  double h = 0;
  for (int k = 0; k < K; k++) {
    double part = 0;
    for (int l = 0; l < k; l++) part += inverse[k * K + l] * basis[static_cast<int64_t>(l) * NP + i];
    const double own = basis[static_cast<int64_t>(k) * NP + i];
    part = part + part + inverse[k * K + k] * own;
    h += part * own;
  }
  return h;
}

/**
 * −2 ln L without 2Σlnσ, its gradient and Gauss-Newton matrix for a spectrum whose columns stand interleaved at T. The
 * gradient by column, the curvature (Q, Q) and the coefficients are left in shared memory.
 */
static __device__ inline double projectedGradient(int NP, int K, int Q, const double* basis, const double* y, const double* s,
                                           const double* T, const ChisqLayout& at, double* shared) {
  const int thread = static_cast<int>(threadIdx.x);
  const int n4 = fours(K + 1), q4 = fours(Q);
  const int n = 4 * n4, q = 4 * q4;
  double* rows = shared + at.region;        // the design
  double* columns = rows + n * TILE;        // u c
  double* plain = columns + q * TILE;       // u
  double* c0 = plain + Q * TILE;
  double* c = c0 + TILE;
  double* r = c + TILE;  // residual × c
  double* v = r + TILE;  // leverage × m s
  double* coeff = shared + at.coeff;
  double* factor = shared + at.factor;
  double* inverse = shared + at.inverse;

  const double logdet = marginalise(NP, K, basis, y, s, T, Q, at, shared);
  for (int k = thread; k < K; k += BLOCK) {
    double* column = inverse + k * K;
    for (int l = 0; l < K; l++) column[l] = l == k ? 1.0 : 0.0;
    forwardSolve(K, factor, column, column);
    backSolve(K, factor, column, column);
  }
  __syncthreads();

  // blocks of columns × design, then of columns × columns
  const int crossBlocks = q4 * n4;
  const int blocks = crossBlocks + q4 * (q4 + 1) / 2;
  const int subsets = BLOCK / blocks;
  const int block = thread / subsets;
  const int subset = thread % subsets;
  const double* left = columns;
  const double* right = rows;
  if (block < crossBlocks) {
    left = columns + 4 * (block / n4) * TILE;
    right = rows + 4 * (block % n4) * TILE;
  } else if (block < blocks) {
    int bi, bj;
    triangle(block - crossBlocks, &bi, &bj);
    left = columns + 4 * bi * TILE;
    right = columns + 4 * bj * TILE;
  }
  const int lanes = BLOCK / Q;
  const int own = thread / lanes;
  double acc[16] = {};
  double chi = 0, dotR = 0, dotV = 0;
  for (int p0 = 0; p0 < NP; p0 += TILE) {
    const int length = NP - p0 < TILE ? NP - p0 : TILE;
    designTile(NP, K, basis, y, s, T, Q, p0, rows, c0);
    // half of the threads do continuum and residual of a pixel, the other half its leverage
    const int i = thread % TILE;
    if (thread < TILE) {
      const double ci = i < length ? continuumAt(NP, K, basis, coeff, p0 + i) : 0.0;
      const double ri = i < length ? y[p0 + i] - ci * c0[i] : 0.0;
      chi += ri * ri;
      c[i] = ci;
      r[i] = ri * ci;
    } else if (thread < 2 * TILE) {
      v[i] = i < length ? leverageAt(NP, K, basis, inverse, p0 + i) * c0[i] : 0.0;
    }
    __syncthreads();
    for (int index = thread; index < TILE * q; index += BLOCK) {
      const int pixel = index / q;
      const int column = index % q;
      double u = 0;
      if (pixel < length && column < Q) u = T[static_cast<int64_t>(p0 + pixel) * Q + column] * s[p0 + pixel];
      if (column < Q) plain[column * TILE + pixel] = u;
      columns[column * TILE + pixel] = u * c[pixel];
    }
    __syncthreads();
    if (block < blocks) blockProduct(left, right, subset, subsets, acc);
    if (own < Q) {
      for (int k = thread % lanes; k < TILE; k += lanes) {
        dotR += plain[own * TILE + k] * r[k];
        dotV += plain[own * TILE + k] * v[k];
      }
    }
    __syncthreads();
  }
  chi = blockSum(chi, shared + at.sums);

  double* partial = rows;
  if (block < blocks) {
    for (int k = 0; k < 16; k++) partial[(block * 16 + k) * subsets + subset] = acc[k];
  }
  __syncthreads();
  double* cross = shared + at.cross;
  double* products = shared + at.own;
  for (int index = thread; index < blocks * 16; index += BLOCK) {
    double sum = 0;
    for (int k = 0; k < subsets; k++) sum += partial[index * subsets + k];
    const int which = index / 16;
    const int row = index % 16 >> 2, column = index % 16 & 3;
    if (which < crossBlocks) {
      cross[(4 * (which / n4) + row) * n + 4 * (which % n4) + column] = sum;
    } else {
      int bi, bj;
      triangle(which - crossBlocks, &bi, &bj);
      products[(4 * bi + row) * q + 4 * bj + column] = sum;
    }
  }
  __syncthreads();
  partial[thread] = dotV;
  partial[BLOCK + thread] = dotR;
  double* solved = shared + at.solved;
  for (int k = thread; k < Q; k += BLOCK) forwardSolve(K, factor, cross + k * n, solved + k * K);
  __syncthreads();
  double* gradient = shared + at.gradient;
  for (int k = thread; k < Q; k += BLOCK) {
    double sumV = 0, sumR = 0;
    for (int lane = 0; lane < lanes; lane++) {
      sumV += partial[k * lanes + lane];
      sumR += partial[BLOCK + k * lanes + lane];
    }
    gradient[k] = 2.0 * sumV - 2.0 * sumR;
  }
  double* curvature = shared + at.curvature;
  for (int index = thread; index < Q * Q; index += BLOCK) {
    const int i = index / Q, j = index % Q;
    const int high = i > j ? i : j, low = i > j ? j : i;
    double sum = 0;
    for (int k = 0; k < K; k++) sum += solved[high * K + k] * solved[low * K + k];
    curvature[index] = 2.0 * (products[high * q + low] - sum);
  }
  __syncthreads();
  return logdet + chi;
}

/** Whether the block's layout is made for these sizes; else the error of the kernel of that name. */
inline int32_t chisqFits(const char* name, int K, int Q) {
  constexpr size_t MOST_SHARED = 160 * 1024;
  if (K >= 1 && K <= MOST_COEFFICIENTS && Q >= 0 && Q <= MOST_COLUMNS && chisqShared(K, Q) <= MOST_SHARED) return TS_OK;
  return fail(TS_UNSUPPORTED, "%s: K = %d coefficients and %d columns; a block of threads holds up to %d and %d, fewer of both",
              name, K, Q, MOST_COEFFICIENTS, MOST_COLUMNS);
}

}  // namespace twinspec
