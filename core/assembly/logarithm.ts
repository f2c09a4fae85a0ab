// Natural logarithm of one number, the same operations in the same order on both targets.
// Twin: gpu/kernels/logarithm.cuh.

const LN2_HIGH: f64 = reinterpret<f64>(0x3FE62E42FEE00000); // 6.93147180369123816490e-01
const LN2_LOW: f64 = reinterpret<f64>(0x3DEA39EF35793C76); // 1.90821492927058770002e-10
// minimax coefficients of (ln((1+s)/(1−s)) − 2s)/s³ in s², |s| ≤ 0.1716, error < 2^-58.45 (fdlibm)
const L1: f64 = reinterpret<f64>(0x3FE5555555555593); // 6.666666666666735130e-01
const L2: f64 = reinterpret<f64>(0x3FD999999997FA04); // 3.999999999940941908e-01
const L3: f64 = reinterpret<f64>(0x3FD2492494229359); // 2.857142874366239149e-01
const L4: f64 = reinterpret<f64>(0x3FCC71C51D8E78AF); // 2.222219843214978396e-01
const L5: f64 = reinterpret<f64>(0x3FC7466496CB03DE); // 1.818357216161805012e-01
const L6: f64 = reinterpret<f64>(0x3FC39A09D078C69F); // 1.531383769920937332e-01
const L7: f64 = reinterpret<f64>(0x3FC2F112DF3E5244); // 1.479819860511658591e-01
/** Bits of √½: the mantissa is brought to [√½, √2). */
const HALF_ROOT: i64 = 0x3FE6A09E667F3BCD;

/** ln x, error < 1 ulp, for normal positive x; nothing is promised of any other. */
// @ts-ignore: decorator
@inline
export function logarithm(x: f64): f64 {
  const bits = reinterpret<i64>(x) - HALF_ROOT;
  const k = <f64> (bits >> 52);
  const f = reinterpret<f64>((bits & 0x000FFFFFFFFFFFFF) + HALF_ROOT) - 1.0;
  const s = f / (2.0 + f);
  const z = s * s;
  const w = z * z;
  const even = w * (L2 + w * (L4 + w * L6));
  const odd = z * (L1 + w * (L3 + w * (L5 + w * L7)));
  const half = 0.5 * f * f;
  return s * (half + (even + odd)) + k * LN2_LOW - half + f + k * LN2_HIGH;
}

/** The same of two numbers. */
// @ts-ignore: decorator
@inline
export function log2lanes(x: v128): v128 {
  const bits = i64x2.sub(x, i64x2.splat(HALF_ROOT));
  // k + 1.5·2^52 as a double, of the upper twelve bits
  const shifted = i64x2.add(i64x2.shr_s(bits, 52), i64x2.splat(0x4338000000000000));
  const k = f64x2.sub(shifted, f64x2.splat(6755399441055744.0));
  const mantissa = v128.and(bits, i64x2.splat(0x000FFFFFFFFFFFFF));
  const f = f64x2.sub(i64x2.add(mantissa, i64x2.splat(HALF_ROOT)), f64x2.splat(1.0));
  const s = f64x2.div(f, f64x2.add(f64x2.splat(2.0), f));
  const z = f64x2.mul(s, s);
  const w = f64x2.mul(z, z);
  const even = f64x2.mul(
    w,
    f64x2.add(f64x2.splat(L2), f64x2.mul(w, f64x2.add(f64x2.splat(L4), f64x2.mul(w, f64x2.splat(L6))))),
  );
  const odd = f64x2.mul(
    z,
    f64x2.add(
      f64x2.splat(L1),
      f64x2.mul(
        w,
        f64x2.add(f64x2.splat(L3), f64x2.mul(w, f64x2.add(f64x2.splat(L5), f64x2.mul(w, f64x2.splat(L7))))),
      ),
    ),
  );
  const half = f64x2.mul(f64x2.mul(f64x2.splat(0.5), f), f);
  const sum = f64x2.add(
    f64x2.mul(s, f64x2.add(half, f64x2.add(even, odd))),
    f64x2.mul(k, f64x2.splat(LN2_LOW)),
  );
  return f64x2.add(f64x2.add(f64x2.sub(sum, half), f), f64x2.mul(k, f64x2.splat(LN2_HIGH)));
}
