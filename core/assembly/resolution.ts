// Resolution matrices in row form, and their action on models.
//
//   R[i, i+m−w] = rows[i, m],   m = 0..W−1,   W odd,   w = (W−1)/2;   entries that refer to pixels outside are 0
//
// DESI stores diagonals: R[j−off_k, j] = D[k, j], off_k = w−k, that is rows[i, m] = D[W−1−m, i+m−w]. Models made with
// templates that already carry a line-spread function of σ₀ need R′ with R = R′ G, G[a, b] = N(a−b; σ₀/Δλ): row by row
// c = r G⁻¹ over the W entries. What then lies outside is dropped, and each of the w rows at either end is scaled so
// that what remains sums to the median row sum. A row of zeros (a dead fibre) stays zeros.
//
// Where a matrix is displaced and row i is centred δ pixels beside pixel i, R′ applies to the template at the displaced
// wavelengths and the row has to be centred. It is a sum of Gaussians there, about as wide as itself: r = q H with
// H[b, a] = N(a−b−δ; s), and the centred row is q H₀. With x = δ/s, N(a−b−δ) = e^{−x²/2} e^{−bx/s} N(a−b) e^{ax/s}, so
// that q = e^{x²/2} · ((r · e^{−ax/s}) H₀⁻¹) · e^{bx/s} and c = q (H₀ G⁻¹): two matrices serve all displacements.
// Twins: gpu/kernels/resolution.cu, core/kernels/resolution.ts.
import { across, at, get, get2, set, set2 } from "./memory";

// @ts-ignore: decorator
@inline
function exchange(p: usize, i: i32, j: i32): void {
  const t = get(p, i);
  set(p, i, get(p, j));
  set(p, j, t);
}

/** Median of n ≥ 1 numbers, which it reorders: the mean of the middle two where n is even; NaN where there is one. */
export function median(n: i32, p: usize): f64 {
  for (let i = 0; i < n; i++) if (isNaN(get(p, i))) return NaN;
  const k = n >> 1;
  let low = 0, high = n - 1;
  while (low < high) {
    // Hoare's selection: afterwards everything left of k is not above it
    exchange(p, low, (low + high) >> 1);
    const pivot = get(p, low);
    let i = low - 1, j = high + 1;
    while (true) {
      do i++; while (get(p, i) < pivot);
      do j--; while (get(p, j) > pivot);
      if (i >= j) break;
      exchange(p, i, j);
    }
    if (k <= j) high = j;
    else low = j + 1;
  }
  const upper = get(p, k);
  if (n & 1) return upper;
  let lower = get(p, 0);
  for (let i = 1; i < k; i++) lower = Math.max(lower, get(p, i));
  return 0.5 * (lower + upper);
}

/** p[m] ·= scale · t^{m−w}, m = 0 … 2w. */
function tilt(w: i32, p: usize, t: f64, scale: f64): void {
  const inverse = 1.0 / t;
  let right = scale, left = scale;
  set(p, w, get(p, w) * scale);
  for (let k = 1; k <= w; k++) {
    right *= t;
    left *= inverse;
    set(p, w + k, get(p, w + k) * right);
    set(p, w - k, get(p, w - k) * left);
  }
}

/** c[m] = Σ_n row[n] matrix[n, m]. */
function multiply(W: i32, row: usize, matrix: usize, c: usize): void {
  let m = 0;
  for (; m + 3 < W; m += 4) {
    let first = f64x2.splat(0), second = f64x2.splat(0);
    for (let n = 0; n < W; n++) {
      const r = v128.load64_splat(at(row, n));
      first = f64x2.add(first, f64x2.mul(r, get2(matrix, n * W + m)));
      second = f64x2.add(second, f64x2.mul(r, get2(matrix, n * W + m + 2)));
    }
    set2(c, m, first);
    set2(c, m + 2, second);
  }
  for (; m < W; m++) {
    let sum: f64 = 0;
    for (let n = 0; n < W; n++) sum += get(row, n) * get(matrix, n * W + m);
    set(c, m, sum);
  }
}

/**
 * Rows (B, P, W) of the matrices D (B, W, P, float32) after deconvolution by the template's line-spread function, centred
 * where a matrix has a displacement. WRAP = 1 keeps what another implementation takes for the pixel before the first:
 * the last pixel's entry.
 */
export function resolution_deconvolve(
  B: i32,
  W: i32,
  P: i32,
  WRAP: i32,
  d: usize,
  inverse: usize,
  displacement: usize,
  spread: usize,
  centring: usize,
  lam: usize,
  rows: usize,
  work: usize,
): void {
  const w = W >> 1;
  const row = work;
  const sum = at(work, W);
  const sums = at(work, 2 * W);
  for (let b = 0; b < B; b++) {
    const diagonals = d + (<usize> b * W * P << 2);
    const out = at(rows, b * P * W);
    const displaced = get(displacement, b);
    const s = get(spread, b);
    const parts = at(centring, 2 * b * W * W);
    for (let i = 0; i < P; i++) {
      for (let n = 0; n < W; n++) {
        let j = i + n - w;
        if (WRAP && j == -1) j = P - 1;
        set(
          row,
          n,
          j < 0 || j >= P ? 0.0 : <f64> load<f32>(diagonals + ((<usize> (W - 1 - n) * P + j) << 2)),
        );
      }
      const c = at(out, i * W);
      if (displaced == 0) multiply(W, row, inverse, c);
      else {
        const x = displaced * get(lam, i) / s;
        const t = Math.exp(x / s);
        tilt(w, row, 1.0 / t, 1);
        multiply(W, row, parts, sum);
        tilt(w, sum, t, Math.exp(0.5 * x * x));
        multiply(W, sum, at(parts, W * W), c);
      }
      let total: f64 = 0;
      for (let m = 0; m < W; m++) {
        const j = i + m - w;
        if (j < 0 || j >= P) set(c, m, 0);
        total += get(c, m);
      }
      set(sums, i, total);
    }
    if (P == 0) continue;
    // the sums of the edge rows are added up anew: the median reorders them
    const middle = median(P, sums);
    for (let i = 0; i < P; i++) {
      if (i == w && P - w > w) i = P - w;
      if (i >= P) break;
      const c = at(out, i * W);
      let total: f64 = 0;
      for (let m = 0; m < W; m++) total += get(c, m);
      if (total == 0) continue;
      const scale = middle / total;
      for (let m = 0; m < W; m++) set(c, m, get(c, m) * scale);
    }
  }
}

/** out = R vec for B matrices of P rows. */
export function resolution_apply(B: i32, W: i32, P: i32, rows: usize, vec: usize, out: usize): void {
  const w = W >> 1;
  for (let b = 0; b < B; b++) {
    const v = at(vec, b * P);
    const to = at(out, b * P);
    for (let i = 0; i < P; i++) {
      const row = at(rows, (b * P + i) * W);
      const begin = i < w ? w - i : 0;
      const end = P - 1 - i < w ? P - i + w : W;
      const from = v + (<usize> ((i - w) << 3));
      let pair = f64x2.splat(0);
      let m = begin;
      for (; m + 1 < end; m += 2) pair = f64x2.add(pair, f64x2.mul(get2(row, m), get2(from, m)));
      let sum = across(pair);
      if (m < end) sum += get(row, m) * get(from, m);
      set(to, i, sum);
    }
  }
}

/**
 * Gaussian matrices: rows[i, m] ∝ exp(−½((λ_{i+m−w} − λ_i)/σ_i)²), of unit sum over the pixels that exist; σ = 0 is
 * the unit matrix.
 */
export function resolution_gaussian(B: i32, W: i32, P: i32, lam: usize, sigma: usize, rows: usize): void {
  const w = W >> 1;
  for (let b = 0; b < B; b++) {
    for (let i = 0; i < P; i++) {
      const row = at(rows, (b * P + i) * W);
      const s = get(sigma, b * P + i);
      let total: f64 = 0;
      for (let m = 0; m < W; m++) {
        const j = i + m - w;
        let weight: f64 = 0;
        if (j >= 0 && j < P) {
          const x = m == w && s == 0 ? 0.0 : (get(lam, j) - get(lam, i)) / s;
          weight = Math.exp(-0.5 * x * x);
        }
        set(row, m, weight);
        total += weight;
      }
      const scale = 1.0 / total;
      for (let m = 0; m < W; m++) set(row, m, get(row, m) * scale);
    }
  }
}
