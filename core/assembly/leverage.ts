// Leverages h_i = P_iᵀ N⁻¹ P_i of the pixels of a spectrum under a basis P of K functions: what a pixel's weight does to
// ln det N.
import { at, get, set, set2 } from "./memory";

/**
 * The quadratic form P_iᵀ N⁻¹ P_i = Σ_k P_k Σ_{l≤k} w_kl P_l, w_kl = 2 N⁻¹_kl below the diagonal: per pair of rows k,
 * k+1 the weights (w_kl, w_{k+1,l}) for l = 0 … k+1, zero where there is none.
 */
export function leveragePairs(K: i32, inverse: usize, pairs: usize): void {
  for (let k = 0; k < K; k += 2) {
    for (let l = 0; l <= k + 1; l++) {
      for (let row = k; row <= k + 1; row++) {
        const w = row >= K || l > row ? 0.0 : get(inverse, row * K + l);
        store<f64>(pairs, l < row ? w + w : w);
        pairs += 8;
      }
    }
  }
}

/** h_i = P_iᵀ N⁻¹ P_i at pixels p0 … p0+n−1. */
export function leverageTile(K: i32, NP: i32, basis: usize, pairs: usize, p0: i32, n: i32, h: usize): void {
  const row = <usize> NP << 3;
  const zero = f64x2.splat(0);
  let i = 0;
  for (; i + 7 < n; i += 8) {
    let h0 = zero, h1 = zero, h2 = zero, h3 = zero;
    const p = at(basis, p0 + i);
    let weight = pairs;
    for (let k = 0; k < K; k += 2) {
      let a0 = zero, a1 = zero, a2 = zero, a3 = zero;
      let b0 = zero, b1 = zero, b2 = zero, b3 = zero;
      let pl = p;
      const last = k + 1 < K ? k + 1 : k;
      for (let l = 0; l <= last; l++) {
        const wa = v128.load64_splat(weight);
        const wb = v128.load64_splat(weight, 8);
        let x = v128.load(pl);
        a0 = f64x2.add(a0, f64x2.mul(wa, x));
        b0 = f64x2.add(b0, f64x2.mul(wb, x));
        x = v128.load(pl, 16);
        a1 = f64x2.add(a1, f64x2.mul(wa, x));
        b1 = f64x2.add(b1, f64x2.mul(wb, x));
        x = v128.load(pl, 32);
        a2 = f64x2.add(a2, f64x2.mul(wa, x));
        b2 = f64x2.add(b2, f64x2.mul(wb, x));
        x = v128.load(pl, 48);
        a3 = f64x2.add(a3, f64x2.mul(wa, x));
        b3 = f64x2.add(b3, f64x2.mul(wb, x));
        pl += row;
        weight += 16;
      }
      const pk = p + row * k;
      h0 = f64x2.add(h0, f64x2.mul(a0, v128.load(pk)));
      h1 = f64x2.add(h1, f64x2.mul(a1, v128.load(pk, 16)));
      h2 = f64x2.add(h2, f64x2.mul(a2, v128.load(pk, 32)));
      h3 = f64x2.add(h3, f64x2.mul(a3, v128.load(pk, 48)));
      if (k + 1 < K) {
        const next = pk + row;
        h0 = f64x2.add(h0, f64x2.mul(b0, v128.load(next)));
        h1 = f64x2.add(h1, f64x2.mul(b1, v128.load(next, 16)));
        h2 = f64x2.add(h2, f64x2.mul(b2, v128.load(next, 32)));
        h3 = f64x2.add(h3, f64x2.mul(b3, v128.load(next, 48)));
      }
    }
    set2(h, i, h0);
    set2(h, i + 2, h1);
    set2(h, i + 4, h2);
    set2(h, i + 6, h3);
  }
  for (; i < n; i++) {
    let sum: f64 = 0;
    let weight = pairs;
    for (let k = 0; k < K; k += 2) {
      let a: f64 = 0, b: f64 = 0;
      const last = k + 1 < K ? k + 1 : k;
      for (let l = 0; l <= last; l++) {
        const x = get(basis, l * NP + p0 + i);
        a += load<f64>(weight) * x;
        b += load<f64>(weight, 8) * x;
        weight += 16;
      }
      sum += a * get(basis, k * NP + p0 + i);
      if (k + 1 < K) sum += b * get(basis, (k + 1) * NP + p0 + i);
    }
    set(h, i, sum);
  }
}
