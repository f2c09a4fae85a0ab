/**
 * Poles and weights of Zolotarev's approximation of the square root,
 *
 *   √x ≈ Σ_p g_p x / (x + σ_p),   m ≤ x ≤ M,
 *
 * whose relative error is below 16 e^(−2π² P / (ln(M/m) + 3)) for P poles. With k'² = 1 − m/M, K' = K(k'), t_p = (p − ½) K'/P:
 *
 *   σ_p = m sn²/cn²,   g_p = 2 K' √m / (π P) · dn/cn²   at t_p, modulus k'.
 *
 * Source: Hale, Higham & Trefethen 2008, SIAM J. Numer. Anal. 46, 2505, method 3; elliptic functions by the arithmetic-
 * geometric mean, Abramowitz & Stegun 16.4.
 */
export interface Poles {
  readonly shift: Float64Array;
  readonly weight: Float64Array;
}

/** Poles that bring the relative error below `error` on [low, high]. */
export function polesFor(low: number, high: number, error: number): number {
  return Math.max(2, Math.ceil((Math.log(high / low) + 3) * Math.log(16 / error) / (2 * Math.PI * Math.PI)));
}

/** The approximation with P poles on [low, high], 0 < low ≤ high. */
export function zolotarev(low: number, high: number, P: number): Poles {
  // complementary modulus of k', squared: exact where 1 − m/M rounds to 1
  const complement = Math.min(low / high, 1 - 1e-12);
  const { period, at } = jacobi(complement);
  const shift = new Float64Array(P), weight = new Float64Array(P);
  for (let p = 0; p < P; p++) {
    const { sn, cn, dn } = at((p + 0.5) * period / P);
    shift[p] = low * (sn / cn) ** 2;
    weight[p] = 2 * period * Math.sqrt(low) / (Math.PI * P) * dn / (cn * cn);
  }
  return { shift, weight };
}

interface Elliptic {
  readonly sn: number;
  readonly cn: number;
  readonly dn: number;
}

/** Quarter period and elliptic functions of the modulus √(1 − complement), arguments from 0 to the quarter period. */
function jacobi(complement: number): { readonly period: number; at(t: number): Elliptic } {
  const a = [1], b = [Math.sqrt(complement)], c = [Math.sqrt(1 - complement)];
  while (Math.abs(c.at(-1)! / a.at(-1)!) > 1e-16 && a.length < 40) {
    const x = a.at(-1)!, y = b.at(-1)!;
    a.push((x + y) / 2);
    b.push(Math.sqrt(x * y));
    c.push((x - y) / 2);
  }
  const n = a.length - 1, period = Math.PI / (2 * a[n]!);
  const lower = (t: number): Elliptic => {
    let phi = 2 ** n * a[n]! * t;
    for (let i = n; i > 0; i--) phi = (phi + Math.asin(c[i]! / a[i]! * Math.sin(phi))) / 2;
    const sn = Math.sin(phi), cn = Math.cos(phi);
    return { sn, cn, dn: Math.sqrt(cn * cn + complement * sn * sn) };
  };
  return {
    period,
    at(t) {
      if (t <= period / 2) return lower(t);
      // by reflection: of cn next to the quarter period no digits would be left
      const { sn, cn, dn } = lower(period - t), root = Math.sqrt(complement);
      return { sn: cn / dn, cn: root * sn / dn, dn: root / dn };
    },
  };
}
