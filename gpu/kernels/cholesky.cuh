// Symmetric positive definite systems, one thread a system. Twin: core/assembly/cholesky.ts.
#pragma once
#include "common.cuh"

namespace twinspec {

/** Σ_{k<n} p_k q_k, even and odd terms apart. */
static __device__ inline double dot(int n, const double* p, const double* q) {
  double even = 0, odd = 0;
  int k = 0;
  for (; k + 1 < n; k += 2) {
    even += p[k] * q[k];
    odd += p[k + 1] * q[k + 1];
  }
  const double pairs = even + odd;
  return k < n ? pairs + p[k] * q[k] : pairs;
}

/** Factors n into l (which may be n itself); ln det N, or NaN where N is not positive definite, l then being unusable. */
static __device__ inline double cholesky(int K, const double* n, double* l) {
  double logdet = 0;
  for (int i = 0; i < K; i++) {
    double* li = l + i * K;
    const double* ni = n + i * K;
    for (int j = 0; j < i; j++) {
      const double* lj = l + j * K;
      li[j] = (ni[j] - dot(j, li, lj)) / lj[j];
    }
    const double pivot = ni[i] - dot(i, li, li);
    if (!(pivot > 0 && pivot < infinity())) return notANumber();
    const double root = sqrt(pivot);
    li[i] = root;
    for (int j = i + 1; j < K; j++) li[j] = 0;
    logdet += log(root);
  }
  return 2.0 * logdet;
}

/** L x = b; x may be b. */
static __device__ inline void forwardSolve(int K, const double* l, const double* b, double* x) {
  for (int i = 0; i < K; i++) {
    const double* li = l + i * K;
    x[i] = (b[i] - dot(i, li, x)) / li[i];
  }
}

/** Lᵀ x = b; x may be b. Row by row of L, from the last. */
static __device__ inline void backSolve(int K, const double* l, const double* b, double* x) {
  if (x != b) {
    for (int i = 0; i < K; i++) x[i] = b[i];
  }
  for (int i = K - 1; i >= 0; i--) {
    const double* li = l + i * K;
    const double value = x[i] / li[i];
    x[i] = value;
    for (int j = 0; j < i; j++) x[j] -= li[j] * value;
  }
}

}  // namespace twinspec
