// Symmetric positive definite systems by Cholesky's factorisation.
//
//   N = L Lᵀ,   l_ij = (n_ij − Σ_{k<j} l_ik l_jk) / l_jj  (j < i),   l_ii = √(n_ii − Σ_{k<i} l_ik²)
//   ln det N = 2 Σ ln l_ii,   L y = b,   Lᵀ a = y
//
// Row-major K×K, only the lower triangle of N is read, the upper triangle of L is zero. A pivot that is not a
// positive finite number makes every output of that system NaN. Sums run in pairs of columns, even lane first.
// Twins: gpu/kernels/cholesky.cu, core/kernels/cholesky.ts.
import { across, at, get, get2, set, set2 } from "./memory";

/** Σ_{k<n} p_k q_k. */
// @ts-ignore: decorator
@inline
function dot(n: i32, p: usize, q: usize): f64 {
  let sum = f64x2.splat(0);
  let k = 0;
  for (; k + 1 < n; k += 2) sum = f64x2.add(sum, f64x2.mul(get2(p, k), get2(q, k)));
  const pairs = across(sum);
  return k < n ? pairs + get(p, k) * get(q, k) : pairs;
}

/** Factors n into l (which may be n itself); ln det N, or NaN where N is not positive definite, l then being unusable. */
export function cholesky(K: i32, n: usize, l: usize): f64 {
  let logdet: f64 = 0;
  for (let i = 0; i < K; i++) {
    const li = at(l, i * K);
    const ni = at(n, i * K);
    for (let j = 0; j < i; j++) {
      const lj = at(l, j * K);
      set(li, j, (get(ni, j) - dot(j, li, lj)) / get(lj, j));
    }
    const pivot = get(ni, i) - dot(i, li, li);
    if (!(pivot > 0 && pivot < Infinity)) return NaN;
    const root = Math.sqrt(pivot);
    set(li, i, root);
    for (let j = i + 1; j < K; j++) set(li, j, 0);
    logdet += Math.log(root);
  }
  return 2.0 * logdet;
}

/** L x = b; x may be b. */
export function forwardSolve(K: i32, l: usize, b: usize, x: usize): void {
  for (let i = 0; i < K; i++) {
    const li = at(l, i * K);
    set(x, i, (get(b, i) - dot(i, li, x)) / get(li, i));
  }
}

/** Lᵀ x = b; x may be b. Row by row of L, from the last. */
export function backSolve(K: i32, l: usize, b: usize, x: usize): void {
  if (x != b) memory.copy(x, b, (<usize> K) << 3);
  for (let i = K - 1; i >= 0; i--) {
    const li = at(l, i * K);
    const value = get(x, i) / get(li, i);
    set(x, i, value);
    const both = f64x2.splat(value);
    let j = 0;
    for (; j + 1 < i; j += 2) set2(x, j, f64x2.sub(get2(x, j), f64x2.mul(get2(li, j), both)));
    if (j < i) set(x, j, get(x, j) - get(li, j) * value);
  }
}

/** Factors, solutions and ln det of B systems N a = b. */
export function cholesky_solve(B: i32, K: i32, n: usize, b: usize, l: usize, a: usize, logdet: usize): void {
  for (let s = 0; s < B; s++) {
    const ls = at(l, s * K * K);
    const as_ = at(a, s * K);
    const value = cholesky(K, at(n, s * K * K), ls);
    set(logdet, s, value);
    if (isNaN(value)) {
      for (let i = 0; i < K * K; i++) set(ls, i, NaN);
      for (let i = 0; i < K; i++) set(as_, i, NaN);
      continue;
    }
    forwardSolve(K, ls, at(b, s * K), as_);
    backSolve(K, ls, as_, as_);
  }
}
