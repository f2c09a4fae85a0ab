// Exponential function, two lanes at a time.
import { at } from "./memory";

const LOG2E: f64 = reinterpret<f64>(0x3FF71547652B82FE); // 1.44269504088896338700
/** ln 2, the upper 33 bits and the rest: n·LN2_HIGH is exact for |n| < 2^20. */
const LN2_HIGH: f64 = reinterpret<f64>(0x3FE62E42FEE00000); // 6.93147180369123816490e-01
const LN2_LOW: f64 = reinterpret<f64>(0x3DEA39EF35793C76); // 1.90821492927058770002e-10
/** 1.5 · 2^52: adding it leaves the nearest integer in the low bits. */
const ROUND: f64 = 6755399441055744.0;

/**
 * exp(x), relative error < 2 ulp for −700 ≤ x ≤ 700; beyond that the value at the bound; NaN for NaN.
 * Argument reduction to |r| ≤ ln2/2, Taylor series to r^13/13! (remainder < 5e-18).
 */
// @ts-ignore: decorator
@inline
export function exp2lanes(x: v128): v128 {
  // pmin and pmax are one instruction each, and in this order keep NaN
  x = f64x2.pmin(f64x2.pmax(x, f64x2.splat(-700.0)), f64x2.splat(700.0));
  const t = f64x2.add(f64x2.mul(x, f64x2.splat(LOG2E)), f64x2.splat(ROUND));
  const n = f64x2.sub(t, f64x2.splat(ROUND));
  const r = f64x2.sub(
    f64x2.sub(x, f64x2.mul(n, f64x2.splat(LN2_HIGH))),
    f64x2.mul(n, f64x2.splat(LN2_LOW)),
  );
  const r2 = f64x2.mul(r, r);
  const r4 = f64x2.mul(r2, r2);
  // even and odd parts side by side shorten the dependency chain
  const low = f64x2.add(
    f64x2.add(f64x2.splat(1.0), r),
    f64x2.mul(r2, f64x2.add(f64x2.splat(0.5), f64x2.mul(r, f64x2.splat(1.0 / 6.0)))),
  );
  const mid = f64x2.add(
    f64x2.add(f64x2.splat(1.0 / 24.0), f64x2.mul(r, f64x2.splat(1.0 / 120.0))),
    f64x2.mul(r2, f64x2.add(f64x2.splat(1.0 / 720.0), f64x2.mul(r, f64x2.splat(1.0 / 5040.0)))),
  );
  const high = f64x2.add(
    f64x2.add(f64x2.splat(1.0 / 40320.0), f64x2.mul(r, f64x2.splat(1.0 / 362880.0))),
    f64x2.mul(r2, f64x2.add(f64x2.splat(1.0 / 3628800.0), f64x2.mul(r, f64x2.splat(1.0 / 39916800.0)))),
  );
  const top = f64x2.add(f64x2.splat(1.0 / 479001600.0), f64x2.mul(r, f64x2.splat(1.0 / 6227020800.0)));
  const p = f64x2.add(
    low,
    f64x2.mul(r4, f64x2.add(mid, f64x2.mul(r4, f64x2.add(high, f64x2.mul(r4, top))))),
  );
  const scale = i64x2.shl(i64x2.add(t, i64x2.splat(1023)), 52);
  return f64x2.mul(p, scale);
}

/** exp in place over n float64s; the last vector may reach one element past an odd n. */
export function exponentiate(n: i32, x: usize): void {
  for (let i = 0; i < n; i += 2) v128.store(at(x, i), exp2lanes(v128.load(at(x, i))));
}

/** exp(x) of one number, as in exp2lanes. */
// @ts-ignore: decorator
@inline
export function exponential(x: f64): f64 {
  return f64x2.extract_lane(exp2lanes(f64x2.splat(x)), 0);
}
