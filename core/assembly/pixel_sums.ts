// What is added up over the pixels of a patch once its flux is known.
//
//   model[p] = Σ_{kept m} x_m s_m[p]
//   χ²[p] = (p − m)²/((psferr m + 1e-32)² + 1/w) where w > 0, else 0
//   chi2pix_m = Σ s_m χ² / Σ s_m [w > 0],   masked_m = Σ s_m [w = 0],   seen_m = Σ s_m [w > 0]
//
// Spots are cut at the box of the patch. Bins are added fibre by fibre.
// Twins: gpu/kernels/pixel_sums.cu, core/kernels/pixel_sums.ts.
import { across, at, get, set } from "./memory";
import { getInt, patchAt } from "./patch";

/** A x of B patches. */
export function model_image(
  B: i32,
  F: i32,
  L: i32,
  NF: i32,
  NL: i32,
  SX: i32,
  SY: i32,
  NX: i32,
  NY: i32,
  spots: usize,
  xc: usize,
  yc: usize,
  place: usize,
  keep: usize,
  x: usize,
  model: usize,
): void {
  const size = SX * SY;
  for (let b = 0; b < B; b++) {
    const patch = patchAt(place, b);
    const first = patch.fibre * NL + patch.bin;
    const xmin = patch.xmin, ymin = patch.ymin, columns = patch.columns, rows = patch.rows;
    const kept = keep + (<usize> (b * 4) << 2);
    const f1 = getInt(kept, 1), w0 = getInt(kept, 2), w1 = getInt(kept, 3);
    const image = model + (<usize> b * NY * NX << 3);
    memory.fill(image, 0, <usize> NY * NX << 3);
    for (let f = getInt(kept, 0); f < f1; f++) {
      for (let w = w0; w < w1; w++) {
        const index = first + f * NL + w;
        const x0 = getInt(xc, index) - xmin;
        const y0 = getInt(yc, index) - ymin;
        const left = max(0, -x0), right = min(SX, columns - x0);
        const bottom = max(0, -y0), top = min(SY, rows - y0);
        const flux = get(x, b * F * L + w * F + f);
        const both = f64x2.splat(flux);
        const spot = spots + (<usize> index * size << 3);
        for (let r = bottom; r < top; r++) {
          const s = at(spot, r * SX);
          const to = at(image, (y0 + r) * NX + x0);
          let c = left;
          for (; c + 1 < right; c += 2) {
            v128.store(at(to, c), f64x2.add(v128.load(at(to, c)), f64x2.mul(both, v128.load(at(s, c)))));
          }
          if (c < right) set(to, c, get(to, c) + flux * get(s, c));
        }
      }
    }
  }
}

/** χ² of the pixels of a box. */
function pixelChi2(NX: i32, columns: i32, rows: i32, pixels: usize, weights: usize, model: usize, psferr: f64, out: usize): void {
  const zero = f64x2.splat(0), one = f64x2.splat(1);
  const relative = f64x2.splat(psferr);
  const least = f64x2.splat(1e-32);
  for (let r = 0; r < rows; r++) {
    const line = r * NX;
    for (let c = 0; c < columns; c += 2) {
      const here = line + c;
      const single = c + 1 == columns;
      const w = single ? v128.load64_zero(at(weights, here)) : v128.load(at(weights, here));
      const p = single ? v128.load64_zero(at(pixels, here)) : v128.load(at(pixels, here));
      const m = single ? v128.load64_zero(at(model, here)) : v128.load(at(model, here));
      const sigma = f64x2.add(f64x2.mul(relative, m), least);
      const variance = f64x2.add(f64x2.mul(sigma, sigma), f64x2.div(one, w));
      const difference = f64x2.sub(p, m);
      const chi2 = f64x2.div(f64x2.mul(difference, difference), variance);
      const counted = v128.and(chi2, f64x2.gt(w, zero));
      if (single) set(out, here, f64x2.extract_lane(counted, 0));
      else v128.store(at(out, here), counted);
    }
  }
}

/** chi2pix, masked and seen light of all bins of B patches. */
export function pixel_sums(
  B: i32,
  F: i32,
  L: i32,
  NF: i32,
  NL: i32,
  SX: i32,
  SY: i32,
  NX: i32,
  NY: i32,
  spots: usize,
  xc: usize,
  yc: usize,
  place: usize,
  pixels: usize,
  weights: usize,
  model: usize,
  psferr: usize,
  chi2pix: usize,
  masked: usize,
  seen: usize,
  chi2: usize,
): void {
  const size = SX * SY;
  const zero = f64x2.splat(0);
  for (let b = 0; b < B; b++) {
    const patch = patchAt(place, b);
    const first = patch.fibre * NL + patch.bin;
    const xmin = patch.xmin, ymin = patch.ymin, columns = patch.columns, rows = patch.rows;
    const box = <usize> b * NY * NX << 3;
    const weightsOf = weights + box;
    pixelChi2(NX, columns, rows, pixels + box, weightsOf, model + box, get(psferr, b), chi2);
    for (let f = 0; f < F; f++) {
      for (let w = 0; w < L; w++) {
        const index = first + f * NL + w;
        const x0 = getInt(xc, index) - xmin;
        const y0 = getInt(yc, index) - ymin;
        const left = max(0, -x0), right = min(SX, columns - x0);
        const bottom = max(0, -y0), top = min(SY, rows - y0);
        const spot = spots + (<usize> index * size << 3);
        let sum = zero, dark = zero, light = zero;
        for (let r = bottom; r < top; r++) {
          const s = at(spot, r * SX);
          const here = (y0 + r) * NX + x0;
          const q = at(chi2, here);
          const weight = at(weightsOf, here);
          let c = left;
          for (; c < right; c += 2) {
            const single = c + 1 == right;
            const part = single ? v128.load64_zero(at(s, c)) : v128.load(at(s, c));
            const value = single ? v128.load64_zero(at(q, c)) : v128.load(at(q, c));
            const own = single ? v128.load64_zero(at(weight, c)) : v128.load(at(weight, c));
            sum = f64x2.add(sum, f64x2.mul(part, value));
            dark = f64x2.add(dark, v128.and(part, f64x2.eq(own, zero)));
            light = f64x2.add(light, v128.and(part, f64x2.gt(own, zero)));
          }
        }
        const to = b * F * L + w * F + f;
        const total = across(light);
        set(chi2pix, to, total == 0 ? 0 : across(sum) / total);
        set(masked, to, across(dark));
        set(seen, to, total);
      }
    }
  }
}
