// Fourier transforms of real series whose length is a power of two.
//
//   rfft:   X_k = Σ_{j<N} x_j e^{−2πi jk/N},  k = 0..N/2          irfft:  x_j = (1/N) Σ_{k<N} X_k e^{+2πi jk/N}
//
// Complex numbers are interleaved (re, im): one v128 each. The complex transform is Stockham's, decimation in
// frequency, radix 4 with one last radix-2 pass where log₂ n is odd: it sorts itself, and every pass reads one array
// and writes another. A real series of N travels as N/2 complex numbers. Roots of unity come from the table
// e^{2πi k/N}, k < 3N/4, of `fourier_twiddles`; a transform of n points uses every (N/n)-th of them. The error grows
// as ε log n.
// Twins: gpu/kernels/fourier.cu, core/kernels/fourier.ts.
import { set } from "./memory";

/** Address of complex number i. */
// @ts-ignore: decorator
@inline
function point(p: usize, i: i32): usize {
  return p + ((<usize> i) << 4);
}

/** (im, re). */
// @ts-ignore: decorator
@inline
function swap(z: v128): v128 {
  return v128.shuffle<f64>(z, z, 1, 0);
}

/** z · (re + i im · direction), where `turn` = (−im, im) · direction. */
// @ts-ignore: decorator
@inline
function times(z: v128, re: v128, turn: v128): v128 {
  return f64x2.add(f64x2.mul(z, re), f64x2.mul(swap(z), turn));
}

/** e^{2πi k/N} for k < 3N/4, shape (3N/4, 2); each from an angle of at most π/4. */
export function fourier_twiddles(N: i32, twiddles: usize): void {
  const count = (3 * N) >> 2;
  for (let k = 0; k < count; k++) {
    // quarter turns, then the nearer axis
    const quarter = 4 * k / N;
    const rest = 4 * k - quarter * N;
    const mirrored = 2 * rest > N;
    const angle = (Math.PI / 2.0) * <f64> (mirrored ? N - rest : rest) / <f64> N;
    const c = mirrored ? Math.sin(angle) : Math.cos(angle);
    const s = mirrored ? Math.cos(angle) : Math.sin(angle);
    const w = point(twiddles, k);
    set(w, 0, quarter == 0 ? c : quarter == 1 ? -s : -c);
    set(w, 1, quarter == 0 ? s : quarter == 1 ? c : -s);
  }
}

/** Passes of a transform of n points. */
export function passes(n: i32): i32 {
  return (32 - clz(n)) >> 1;
}

/**
 * `columns` interleaved transforms of n points (a power of two): Σ_j x_j e^{direction · 2πi jk/n}, direction ±1, not
 * normalised. Element j of column q is complex number q + stride·j of `source` and, afterwards, q + columns·j of
 * `target`; `spare` is scratch of the same size. With an even number of passes source may be target, with an odd
 * number it may be spare. `roots`: table of a multiple of n points, `every` = that multiple.
 */
export function transform(
  n: i32,
  columns: i32,
  stride: i32,
  direction: f64,
  roots: usize,
  every: i32,
  source: usize,
  target: usize,
  spare: usize,
): void {
  const sign = f64x2.replace_lane(f64x2.splat(direction), 0, -direction);
  const count = passes(n);
  if (count == 0) {
    if (source != target) memory.copy(target, source, (<usize> columns) << 4);
    return;
  }
  let from = source;
  let gap = stride; // between elements j and j+1 of a column that is still to be transformed
  let s = columns;
  let left = n;
  for (let pass = 0; pass < count; pass++) {
    const to = ((count - 1 - pass) & 1) ? spare : target;
    if (left >= 4) {
      const m = left >> 2;
      const quarterIn = (<usize> m * gap) << 4;
      const quarterOut = (<usize> s) << 4;
      for (let p = 0; p < m; p++) {
        const k = p * every;
        const w1 = point(roots, k);
        const w2 = point(roots, 2 * k);
        const w3 = point(roots, 3 * k);
        const re1 = v128.load64_splat(w1), turn1 = f64x2.mul(v128.load64_splat(w1, 8), sign);
        const re2 = v128.load64_splat(w2), turn2 = f64x2.mul(v128.load64_splat(w2, 8), sign);
        const re3 = v128.load64_splat(w3), turn3 = f64x2.mul(v128.load64_splat(w3, 8), sign);
        let read = point(from, p * gap);
        let write = point(to, 4 * p * s);
        const end = read + quarterOut;
        for (; read < end; read += 16, write += 16) {
          const a = v128.load(read);
          const b = v128.load(read + quarterIn);
          const c = v128.load(read + 2 * quarterIn);
          const d = v128.load(read + 3 * quarterIn);
          const sum = f64x2.add(a, c), difference = f64x2.sub(a, c);
          const other = f64x2.add(b, d), turned = f64x2.mul(swap(f64x2.sub(b, d)), sign);
          v128.store(write, f64x2.add(sum, other));
          const y1 = f64x2.add(difference, turned);
          const y2 = f64x2.sub(sum, other);
          const y3 = f64x2.sub(difference, turned);
          if (p == 0) {
            v128.store(write + quarterOut, y1);
            v128.store(write + 2 * quarterOut, y2);
            v128.store(write + 3 * quarterOut, y3);
          } else {
            v128.store(write + quarterOut, times(y1, re1, turn1));
            v128.store(write + 2 * quarterOut, times(y2, re2, turn2));
            v128.store(write + 3 * quarterOut, times(y3, re3, turn3));
          }
        }
      }
      left = m;
      s <<= 2;
      every <<= 2;
    } else {
      for (let q = 0; q < s; q++) {
        const a = v128.load(point(from, q));
        const b = v128.load(point(from, q + gap));
        v128.store(point(to, q), f64x2.add(a, b));
        v128.store(point(to, q + s), f64x2.sub(a, b));
      }
      left = 1;
    }
    from = to;
    gap = s;
  }
}

/** Spectra of B real series of N = 2H points: out (B, H+1) complex; work (N). */
export function rfft(B: i32, N: i32, twiddles: usize, x: usize, out: usize, work: usize): void {
  const H = N >> 1;
  const half = f64x2.splat(0.5);
  const conjugate = f64x2.replace_lane(f64x2.splat(1), 1, -1);
  const byMinusI = conjugate; // after a swap: (re, im) → (im, −re)
  for (let b = 0; b < B; b++) {
    const X = point(out, b * (H + 1));
    transform(H, 1, 1, -1, twiddles, 2, point(x, b * H), X, work);
    // z = even + i odd series; E = (Z_k + Z*_{H−k})/2, iO = (Z_k − Z*_{H−k})/2, X_k = E + e^{−2πik/N} O
    const first = v128.load(X);
    const total = f64x2.add(first, swap(first));
    const alternating = f64x2.sub(first, swap(first));
    v128.store(X, f64x2.replace_lane(total, 1, 0));
    v128.store(point(X, H), f64x2.replace_lane(alternating, 1, 0));
    for (let k = 1; k <= H >> 1; k++) {
      const near = v128.load(point(X, k));
      const far = f64x2.mul(v128.load(point(X, H - k)), conjugate);
      const even = f64x2.mul(f64x2.add(near, far), half);
      const odd = f64x2.mul(swap(f64x2.mul(f64x2.sub(near, far), half)), byMinusI);
      const w = point(twiddles, k);
      const turned = times(odd, v128.load64_splat(w), f64x2.mul(v128.load64_splat(w, 8), conjugate));
      v128.store(point(X, k), f64x2.add(even, turned));
      v128.store(point(X, H - k), f64x2.mul(f64x2.sub(even, turned), conjugate));
    }
  }
}

/** B real series of N = 2H points from their spectra (B, H+1), 1/N included; imaginary parts at 0 and H are ignored. */
export function irfft(B: i32, N: i32, twiddles: usize, spectrum: usize, out: usize, work: usize): void {
  const H = N >> 1;
  const scale = f64x2.splat(1.0 / <f64> N);
  const conjugate = f64x2.replace_lane(f64x2.splat(1), 1, -1);
  const byI = f64x2.replace_lane(f64x2.splat(1), 0, -1); // after a swap: (re, im) → (−im, re)
  for (let b = 0; b < B; b++) {
    const X = point(spectrum, b * (H + 1));
    const series = point(out, b * H);
    const Z = passes(H) & 1 ? work : series;
    const head = f64x2.extract_lane(v128.load(X), 0);
    const tail = f64x2.extract_lane(v128.load(point(X, H)), 0);
    v128.store(Z, f64x2.mul(f64x2.replace_lane(f64x2.splat(head + tail), 1, head - tail), scale));
    for (let k = 1; k <= H >> 1; k++) {
      const near = v128.load(point(X, k));
      const far = f64x2.mul(v128.load(point(X, H - k)), conjugate);
      const even = f64x2.mul(f64x2.add(near, far), scale);
      const w = point(twiddles, k);
      const odd = times(
        f64x2.mul(f64x2.sub(near, far), scale),
        v128.load64_splat(w),
        f64x2.mul(v128.load64_splat(w, 8), byI),
      );
      const turned = f64x2.mul(swap(odd), byI);
      v128.store(point(Z, k), f64x2.add(even, turned));
      v128.store(point(Z, H - k), f64x2.mul(f64x2.sub(even, turned), conjugate));
    }
    transform(H, 1, 1, 1, twiddles, 2, Z, series, work);
  }
}
