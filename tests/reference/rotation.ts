/** Rotational broadening by brute quadrature. */
import { legendre } from "./rebin.ts";

/** W_k = ∫ Λ(k − R x) K(x) dx by the midpoint rule in angle, x = sin θ, which is smooth at the limb. */
export function slowRotationWeight(k: number, R: number, eps: number): number {
  const steps = 200000;
  let sum = 0;
  for (let j = 0; j < steps; j++) {
    const theta = -Math.PI / 2 + (j + 0.5) * Math.PI / steps;
    const x = Math.sin(theta), c = Math.cos(theta);
    const profile = (2 * (1 - eps) * c + 0.5 * Math.PI * eps * c * c) / (Math.PI * (1 - eps / 3));
    sum += Math.max(0, 1 - Math.abs(k - R * x)) * profile * c;
  }
  return sum * Math.PI / steps;
}

const RULE = legendre(40);

/**
 * W_0 … W_H and ∂W/∂R: the same integral and its derivative, piece by piece between the corners of the triangle, where
 * the integrand is smooth in θ. Below R = 0 the line that it is near 0.
 */
export function slowRotationWeights(
  R: number,
  eps: number,
  H: number,
): { w: Float64Array; dw: Float64Array } {
  if (R <= 1) {
    // one pixel to either side: linear in R to R = 1
    const mean = Math.abs(pieces(1, eps, [0], (x) => Math.abs(x)));
    const share = (k: number, centre: number, wing: number) => k === 0 ? centre : k === 1 ? wing : 0;
    const w = Float64Array.from({ length: H + 1 }, (_, k) => share(k, 1 - R * mean, R * mean / 2));
    return { w, dw: w.map((_, k) => share(k, -mean, mean / 2)) };
  }
  const over = (k: number, f: (x: number) => number) => pieces(R, eps, [k - 1, k, k + 1], f);
  const inside = (k: number, x: number) => Math.abs(k - R * x) < 1;
  const w = Float64Array.from(
    { length: H + 1 },
    (_, k) => over(k, (x) => inside(k, x) ? 1 - Math.abs(k - R * x) : 0),
  );
  const dw = w.map((_, k) => over(k, (x) => inside(k, x) ? Math.sign(k - R * x) * x : 0));
  return { w, dw };
}

/** ∫ f(x) K(x) dx over −1..1, x = sin θ, cut where R x is one of the corners. */
function pieces(R: number, eps: number, corners: readonly number[], f: (x: number) => number): number {
  const inner = corners.map((corner) => corner / R).filter((x) => Math.abs(x) < 1).map(Math.asin);
  const cuts = [-Math.PI / 2, ...inner, Math.PI / 2].sort((a, b) => a - b);
  let sum = 0;
  for (let i = 0; i + 1 < cuts.length; i++) {
    const half = (cuts[i + 1]! - cuts[i]!) / 2, middle = (cuts[i + 1]! + cuts[i]!) / 2;
    for (const [node, weight] of RULE) {
      const x = Math.sin(middle + half * node), c = Math.cos(middle + half * node);
      const profile = (2 * (1 - eps) * c + 0.5 * Math.PI * eps * c * c) / (Math.PI * (1 - eps / 3));
      sum += weight * half * f(x) * profile * c;
    }
  }
  return sum;
}

/** Convolution with a symmetric half kernel, zeros outside. */
export function slowRotate(y: ArrayLike<number>, w: ArrayLike<number>): Float64Array {
  return Float64Array.from(y, (_, j) => {
    let sum = 0;
    for (let k = -(w.length - 1); k < w.length; k++) sum += w[Math.abs(k)]! * (y[j + k] ?? 0);
    return sum;
  });
}
