/** A slow, plain kappa fit: pattern search on the deviance, then Newton's method on differences of it. */
import { slowDeviance, type SlowSweep, unitCounts, usedRows } from "./kappa.ts";

export interface SlowFit {
  readonly solution: number[];
  readonly covariance: number[];
  readonly deviance: number;
  readonly state: number[];
}

const NONE = { solution: [NaN, NaN, NaN], covariance: new Array<number>(6).fill(NaN), deviance: NaN };

/** d f/dh and d² f/dh² at 0, five points. */
function differences(f: (h: number) => number, h: number): [number, number] {
  const [a, b, m, c, d] = [-2, -1, 0, 1, 2].map((k) => f(k * h)) as [number, number, number, number, number];
  return [(a - 8 * b + 8 * c - d) / (12 * h), (-a + 16 * b - 30 * m + 16 * c - d) / (12 * h * h)];
}

/** @param settings - bounds of κ, bounds of lg θ, systematic error */
export function slowKappaFit(sweep: SlowSweep, settings: readonly number[], response: boolean): SlowFit {
  const rows = usedRows(sweep), filled = rows.filter((i) => sweep.incident[i]! > 0);
  if (rows.length < 3) return { ...NONE, state: [2, rows.length, 0] };
  if (filled.length < 2) return { ...NONE, state: [3, rows.length, 0] };
  const bounds = [[settings[0]!, settings[1]!], [settings[2]!, settings[3]!]] as const;
  const clamp = (x: number, p: 0 | 1) => Math.max(bounds[p][0], Math.min(bounds[p][1], x));
  const f = (k: number, t: number) => slowDeviance(sweep, k, t, response, settings[4]!).deviance;
  let [kappa, lambda, best] = [NaN, NaN, Infinity];
  for (let i = 0; i <= 8; i++) {
    for (let j = 0; j <= 40; j++) {
      const k = bounds[0][0] + (bounds[0][1] - bounds[0][0]) * i / 8;
      const t = bounds[1][0] + (bounds[1][1] - bounds[1][0]) * j / 40, d = f(k, t);
      if (d < best) [kappa, lambda, best] = [k, t, d];
    }
  }
  // the valley is slanted: steps along both axes and both diagonals of it
  for (let size = 0.5; size > 1e-7;) {
    let better = false;
    for (let way = 0; way < 16; way++) {
      const angle = way * Math.PI / 8;
      const k = clamp(kappa + size * Math.cos(angle), 0), t = clamp(lambda + 0.1 * size * Math.sin(angle), 1);
      const d = f(k, t);
      if (d < best) [kappa, lambda, best, better] = [k, t, d, true];
    }
    if (!better) size /= 2;
  }
  const held = [0, 1].map((p) => bounds[p]!.includes(p === 0 ? kappa : lambda));
  const [hk, ht] = [1e-3, 2e-4];
  for (let step = 0; step < 4; step++) {
    const [gk, kk] = differences((h) => f(kappa + h, lambda), hk);
    const [gt, tt] = differences((h) => f(kappa, lambda + h), ht);
    const corner = (a: number, b: number) => f(kappa + a * hk, lambda + b * ht);
    const kt = (corner(1, 1) - corner(1, -1) - corner(-1, 1) + corner(-1, -1)) / (4 * hk * ht);
    if (held[0] && held[1]) break;
    if (held[0]) lambda -= gt / tt;
    else if (held[1]) kappa -= gk / kk;
    else {
      const det = kk * tt - kt * kt;
      [kappa, lambda] = [kappa + (kt * gt - tt * gk) / det, lambda + (kt * gk - kk * gt) / det];
    }
  }
  const found = slowDeviance(sweep, kappa, lambda, response, settings[4]!);
  return {
    solution: [kappa, lambda, Math.log(found.density)],
    covariance: covariance(sweep, kappa, lambda, response, found, held as [boolean, boolean]),
    deviance: found.deviance,
    state: [0, rows.length, (held[0] ? 1 : 0) + (held[1] ? 2 : 0)],
  };
}

/** Inverse of Fisher's matrix of the free parameters, lower triangle; 0 for those held. */
function covariance(
  sweep: SlowSweep,
  kappa: number,
  lambda: number,
  response: boolean,
  { mu, weight }: { mu: number[]; weight: number[] },
  held: readonly [boolean, boolean],
): number[] {
  const ln = (k: number, t: number, i: number) => Math.log(unitCounts(sweep, k, t, response)[i]!);
  const free = [0, 1, 2].filter((p) => p === 2 || !held[p]);
  const slopes = usedRows(sweep).map((i) => ({
    f: weight[i]! * mu[i]!,
    d: [
      differences((h) => ln(kappa + h, lambda, i), 1e-3)[0],
      differences((h) => ln(kappa, lambda + h, i), 1e-4)[0],
      1,
    ],
  }));
  const matrix = free.map((p) =>
    free.map((q) => slopes.reduce((sum, { f, d }) => sum + f * d[p]! * d[q]!, 0))
  );
  const inverse = invert(matrix);
  const out: number[] = [];
  for (let p = 0; p < 3; p++) {
    for (let q = 0; q <= p; q++) {
      const [i, j] = [free.indexOf(p), free.indexOf(q)];
      out.push(i < 0 || j < 0 ? 0 : inverse[i]![j]!);
    }
  }
  return out;
}

/** Gauss and Jordan. */
function invert(matrix: number[][]): number[][] {
  const n = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...Array.from({ length: n }, (_, j) => i === j ? 1 : 0)]);
  for (let c = 0; c < n; c++) {
    const pivot = rows[c]![c]!;
    rows[c] = rows[c]!.map((v) => v / pivot);
    for (let r = 0; r < n; r++) {
      if (r === c) continue;
      const factor = rows[r]![c]!;
      rows[r] = rows[r]!.map((v, j) => v - factor * rows[c]![j]!);
    }
  }
  return rows.map((row) => row.slice(n));
}
