// Symmetric positive definite banded systems, one block a matrix. Twins: core/assembly/banded.ts, band_pair.ts.
//
// Lower bands row by row: element k of row i is column i−H+k, so that (i, k) is at band[i·H + H + k].
#pragma once
#include "common.cuh"

namespace twinspec {

/** Columns that are factored together, rows that are solved together. */
constexpr int PANEL = 8;
constexpr int SOLVED = 32;

/** Doubles of shared memory that blockCholesky and blockSolve want. */
static __host__ __device__ inline int64_t bandedShared(int H) {
  const int64_t panel = static_cast<int64_t>(PANEL) * H;
  return panel > BLOCK ? panel : BLOCK;
}

static __device__ inline double* element(double* band, int H, int i, int k) {
  return band + static_cast<int64_t>(i) * H + H + k;
}

static __device__ inline const double* element(const double* band, int H, int i, int k) {
  return band + static_cast<int64_t>(i) * H + H + k;
}

/**
 * L of A = L Lᵀ in place of A, by panels of columns: what earlier columns do to the panel, then the panel itself. False,
 * in all threads, where a pivot is not positive and finite.
 */
static __device__ inline bool blockCholesky(int N, int H, double* band, double* shared) {
  const int thread = static_cast<int>(threadIdx.x);
#pragma unroll 1
  for (int j0 = 0; j0 < N; j0 += PANEL) {
    const int columns = N - j0 < PANEL ? N - j0 : PANEL;
    // rows of the panel's own, left of it: columns j0−H … j0−1
    for (int t = thread; t < columns * H; t += BLOCK) {
      const int i = j0 + t / H, k = j0 - H + t % H;
      shared[t] = k >= 0 && k >= i - H ? *element(band, H, i, k) : 0.0;
    }
    __syncthreads();
    const int end = j0 + columns - 1 + H < N ? j0 + columns + H : N;
    for (int t = thread; t < (end - j0) * columns; t += BLOCK) {
      const int i = j0 + t / columns, c = t % columns, j = j0 + c;
      if (j > i || i - j > H) continue;
      const double* left = shared + c * H + H - j0;
      const double* row = element(band, H, i, 0);
      double sum = 0;
      for (int k = i - H > 0 ? i - H : 0; k < j0; k++) sum += row[k] * left[k];
      *element(band, H, i, j) -= sum;
    }
    __syncthreads();
#pragma unroll 1
    for (int c = 0; c < columns; c++) {
      const int j = j0 + c;
      const double pivot = *element(band, H, j, j);
      __syncthreads();
      if (!(pivot > 0 && pivot < infinity())) return false;
      const double root = sqrt(pivot), scale = 1.0 / root;
      const int last = j + H < N ? j + H : N - 1;
      for (int i = j + thread; i <= last; i += BLOCK) {
        double* l = element(band, H, i, j);
        *l = i == j ? root : *l * scale;
      }
      __syncthreads();
      const int rest = columns - c - 1;
      for (int t = thread; t < rest * (last - j); t += BLOCK) {
        const int i = j + 1 + t / rest, m = j + 1 + t % rest;
        if (m > i || m > last) continue;
        *element(band, H, i, m) -= *element(band, H, i, j) * *element(band, H, m, j);
      }
      __syncthreads();
    }
  }
  return true;
}

/**
 * L Lᵀ x = b in place of b, from the factor: rows of a panel get what lies outside it from eight threads each, the
 * panel is solved by the first warp.
 */
static __device__ inline void blockSolve(int N, int H, const double* band, double* x, double* shared) {
  const int thread = static_cast<int>(threadIdx.x);
  const int r = thread / 8, q = thread % 8;
  for (int i0 = 0; i0 < N; i0 += SOLVED) {
    const int i = i0 + r;
    double sum = 0;
    if (i < N) {
      for (int k = (i - H > 0 ? i - H : 0) + q; k < i0; k += 8) sum += *element(band, H, i, k) * x[k];
    }
    shared[thread] = sum;
    __syncthreads();
    if (thread < WARP) {
      const int own = i0 + thread;
      double value = own < N ? x[own] : 0.0;
      for (int k = 0; k < 8; k++) value -= shared[8 * thread + k];
      for (int c = 0; c < SOLVED && i0 + c < N; c++) {
        const double solved = __shfl_sync(0xffffffffu, value, c) / *element(band, H, i0 + c, i0 + c);
        if (thread == c) value = solved;
        if (thread > c && own < N && thread - c <= H) value -= *element(band, H, own, i0 + c) * solved;
      }
      if (own < N) x[own] = value;
    }
    __syncthreads();
  }
  for (int i0 = (N - 1) / SOLVED * SOLVED; i0 >= 0; i0 -= SOLVED) {
    const int k = i0 + r;
    double sum = 0;
    if (k < N) {
      const int last = k + H < N ? k + H : N - 1;
      for (int i = i0 + SOLVED + q; i <= last; i += 8) sum += *element(band, H, i, k) * x[i];
    }
    shared[thread] = sum;
    __syncthreads();
    if (thread < WARP) {
      const int own = i0 + thread;
      double value = own < N ? x[own] : 0.0;
      for (int t = 0; t < 8; t++) value -= shared[8 * thread + t];
      for (int c = (N - i0 < SOLVED ? N - i0 : SOLVED) - 1; c >= 0; c--) {
        const double solved = __shfl_sync(0xffffffffu, value, c) / *element(band, H, i0 + c, i0 + c);
        if (thread == c) value = solved;
        if (thread < c && c - thread <= H) value -= *element(band, H, i0 + c, own) * solved;
      }
      if (own < N) x[own] = value;
    }
    __syncthreads();
  }
}

/** Doubles that inverseRow keeps: the rows of the inverse it needs, and a column. */
static __host__ __device__ inline int64_t windowDoubles(int H) {
  return static_cast<int64_t>(H + 1) * (H + 1) + H + 1;
}

/** Element (i, j) of the inverse while the window holds it, |i−j| ≤ H. */
static __device__ inline double* windowElement(double* window, int H, int i, int j) {
  return window + static_cast<int64_t>(i % (H + 1)) * (H + 1) + j % (H + 1);
}

/**
 * Columns i … i+H of row i of A⁻¹, from the factor and the rows below (Takahashi), for i = N−1 … 0 in turn:
 *   Z_ij = −Σ_{k>i} (l_ki / l_ii) Z_kj,   Z_ii = 1/l_ii² − Σ_{k>i} (l_ki / l_ii) Z_ki
 */
static __device__ inline void blockInverseRow(int N, int H, const double* band, double* window, int i) {
  const int thread = static_cast<int>(threadIdx.x);
  double* u = window + static_cast<int64_t>(H + 1) * (H + 1);
  const double scale = 1.0 / *element(band, H, i, i);
  const int n = (i + H < N ? i + H : N - 1) - i;
  for (int t = thread; t < n; t += BLOCK) u[t] = *element(band, H, i + 1 + t, i) * scale;
  __syncthreads();
  for (int t = thread; t < n; t += BLOCK) {
    double sum = 0;
    for (int k = 0; k < n; k++) sum -= u[k] * *windowElement(window, H, i + 1 + t, i + 1 + k);
    *windowElement(window, H, i, i + 1 + t) = sum;
    *windowElement(window, H, i + 1 + t, i) = sum;
  }
  __syncthreads();
  if (thread == 0) {
    double diagonal = scale * scale;
#pragma unroll 1
    for (int k = 0; k < n; k++) diagonal -= u[k] * *windowElement(window, H, i, i + 1 + k);
    *windowElement(window, H, i, i) = diagonal;
  }
  __syncthreads();
}

}  // namespace twinspec
