/**
 * The continuum by which another implementation divides spectra before it correlates them (shared/spec/stellar.md §9):
 * ln continuum is a quadratic spline through values at nodes evenly spaced in ln λ, its interior knots half-way between
 * the nodes but the outermost; the values minimise Σ 2(√(1 + r²) − 1), r = (continuum − flux)/σ. Here the minimum is
 * converged by damped Newton steps on the B-spline coefficients, of which every pixel sees three.
 */

/** Velocity that the nodes are apart by, km/s, for a grid from `first` to `last` Å. */
export function nodeSpacing(first: number, last: number): number {
  return Math.max(1000, 3e5 * (Math.exp((Math.log(last) - Math.log(first)) / 20) - 1));
}

/** Median as numpy has it. */
export function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort(), half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** The three quadratic B-splines that do not vanish at each x; the first and the last piece go on outside. */
function quadraticBasis(x: ArrayLike<number>, nodes: Float64Array) {
  const N = nodes.length, first = nodes[0], last = nodes[N - 1];
  const knots = [first, first, first];
  for (let i = 1; i < N - 2; i++) knots.push((nodes[i] + nodes[i + 1]) / 2);
  knots.push(last, last, last);
  const start = new Int32Array(x.length), value = new Float64Array(3 * x.length);
  let span = 2;
  for (let i = 0; i < x.length; i++) {
    while (span > 2 && x[i] < knots[span]) span--;
    while (span < N - 1 && x[i] >= knots[span + 1]) span++;
    const [a, b, c, d] = [knots[span - 1], knots[span], knots[span + 1], knots[span + 2]];
    const left = (c - x[i]) / (c - b), right = 1 - left;
    const share = (c - x[i]) / (c - a), next = (d - x[i]) / (d - b);
    start[i] = span - 2;
    value[3 * i] = left * share;
    value[3 * i + 1] = left * (1 - share) + right * next;
    value[3 * i + 2] = right * (1 - next);
  }
  return { N, start, value };
}

/** Solves A x = b by elimination with pivots; A is n × n, row-major, and is overwritten. */
function solve(A: Float64Array, b: Float64Array): Float64Array {
  const n = b.length, x = Float64Array.from(b);
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(A[i * n + k]) > Math.abs(A[pivot * n + k])) pivot = i;
    for (let j = 0; j < n; j++) [A[k * n + j], A[pivot * n + j]] = [A[pivot * n + j], A[k * n + j]];
    [x[k], x[pivot]] = [x[pivot], x[k]];
    for (let i = k + 1; i < n; i++) {
      const factor = A[i * n + k] / A[k * n + k];
      if (factor === 0) continue;
      for (let j = k; j < n; j++) A[i * n + j] -= factor * A[k * n + j];
      x[i] -= factor * x[k];
    }
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let j = i + 1; j < n; j++) x[i] -= A[i * n + j] * x[j];
    x[i] /= A[i * n + i];
  }
  return x;
}

/** Logarithms of the median flux round every node, the values to start from. */
function startValues(
  lam: Float64Array,
  flux: Float64Array,
  nodes: Float64Array,
  ratio: number,
): Float64Array {
  const whole = median(flux);
  return Float64Array.from(nodes, (node) => {
    const around = flux.filter((_, i) =>
      lam[i] >= node / Math.sqrt(ratio) && lam[i] < node * Math.sqrt(ratio)
    );
    const value = Math.log(Math.max(median(around), 1e-3 * whole));
    return Number.isFinite(value) ? value : Math.log(whole);
  });
}

/**
 * The continuum of one spectrum.
 *
 * @param spacing - of the nodes, km/s, see {@link nodeSpacing}
 */
export function ccfContinuum(
  lam: Float64Array,
  flux: Float64Array,
  sigma: Float64Array,
  spacing: number,
): Float64Array {
  const ratio = 1 + spacing / 3e5, first = lam[0], last = lam[lam.length - 1];
  const nodes = Float64Array.from(
    { length: Math.ceil(Math.log(last / first) / Math.log(ratio)) },
    (_, k) => first * ratio ** k,
  );
  const { N, start, value } = quadraticBasis(lam, nodes);
  const at = quadraticBasis(nodes, nodes);
  const collocation = new Float64Array(N * N);
  for (let i = 0; i < N; i++) {
    for (let k = 0; k < 3; k++) collocation[i * N + at.start[i] + k] += at.value[3 * i + k];
  }
  let c = solve(collocation, startValues(lam, flux, nodes, ratio));

  const model = (c: Float64Array) =>
    lam.map((_, i) => {
      let log = 0;
      for (let k = 0; k < 3; k++) log += value[3 * i + k] * c[start[i] + k];
      return Math.exp(Math.min(100, Math.max(-100, log)));
    });
  const cost = (m: Float64Array) =>
    m.reduce((sum, v, i) => sum + Math.sqrt(1 + ((v - flux[i]) / sigma[i]) ** 2) - 1, 0);

  let m = model(c), lowest = cost(m), damping = 1e-3;
  for (let round = 0; round < 200; round++) {
    const gradient = new Float64Array(N), curvature = new Float64Array(N * N);
    for (let i = 0; i < lam.length; i++) {
      const r = (m[i] - flux[i]) / sigma[i], slope = m[i] / sigma[i], root = Math.sqrt(1 + r * r);
      for (let k = 0; k < 3; k++) {
        const g = slope * value[3 * i + k];
        gradient[start[i] + k] += g * r / root;
        for (let l = 0; l < 3; l++) {
          curvature[(start[i] + k) * N + start[i] + l] += g * slope * value[3 * i + l] / root ** 3;
        }
      }
    }
    for (let k = 0; k < N; k++) curvature[k * N + k] *= 1 + damping;
    const step = solve(curvature, gradient);
    const next = c.map((v, k) => v - step[k]), there = model(next), found = cost(there);
    if (found < lowest) {
      [c, m, lowest, damping] = [next, there, found, damping / 10];
    } else {
      damping *= 10;
    }
    if (Math.max(...step.map(Math.abs)) < 1e-9) break;
  }
  return m;
}
