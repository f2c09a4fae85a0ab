/** Rotational broadening by brute quadrature. */

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

/** Convolution with a symmetric half kernel, zeros outside. */
export function slowRotate(y: ArrayLike<number>, w: ArrayLike<number>): Float64Array {
  return Float64Array.from(y, (_, j) => {
    let sum = 0;
    for (let k = -(w.length - 1); k < w.length; k++) sum += w[Math.abs(k)]! * (y[j + k] ?? 0);
    return sum;
  });
}
