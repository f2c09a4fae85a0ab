/** Second derivatives learnt on the way. */
import { choleskyFactor } from "./quadratic.ts";

/**
 * What the Gauss-Newton matrix leaves out of the Hessian (in vsini up to half of it), learnt from gradients of the same
 * cell by symmetric rank-one updates: (GN + A) Δx = Δg.
 */
export class Correction {
  readonly #m: number;
  #A: Float64Array;

  constructor(m: number) {
    this.#m = m;
    this.#A = new Float64Array(m * m);
  }

  reset(): void {
    this.#A.fill(0);
  }

  /** GN + A where that is safely positive definite, else GN. */
  applied(gaussNewton: Float64Array): Float64Array {
    const m = this.#m;
    const H = gaussNewton.map((value, k) => value + this.#A[k]!);
    for (let a = 0; a < m; a++) {
      const own = gaussNewton[a * m + a]!;
      if (!(H[a * m + a]! > 0.2 * own && H[a * m + a]! < 5 * own)) return gaussNewton;
    }
    return choleskyFactor(H, m) === null ? gaussNewton : H;
  }

  learn(gaussNewton: Float64Array, step: Float64Array, change: Float64Array): void {
    const m = this.#m;
    const rest = new Float64Array(m);
    let dot = 0, size = 0;
    for (let a = 0; a < m; a++) {
      let known = 0;
      for (let b = 0; b < m; b++) known += (gaussNewton[a * m + b]! + this.#A[a * m + b]!) * step[b]!;
      rest[a] = change[a]! - known;
      dot += rest[a]! * step[a]!;
      size += Math.abs(change[a]! * step[a]!) + Math.abs(known * step[a]!);
    }
    if (!(Math.abs(dot) > 1e-6 * size)) return;
    for (let a = 0; a < m; a++) for (let b = 0; b < m; b++) this.#A[a * m + b]! += rest[a]! * rest[b]! / dot;
  }
}
