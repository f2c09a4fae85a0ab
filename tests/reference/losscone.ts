/** Slow references of the loss-cone kernels: sums over cells, and an exact profile of χ² where there is no beam. */

const EPSILON = 1e-6;
const RADIAN = Math.PI / 180;

export interface Constants {
  readonly w: number;
  readonly s: number;
  readonly g: number;
}

/** Pitch (degrees) of a direction, from vectors; NaN for a polarity that is neither 1 nor −1. */
export function slowPitch(
  theta: number,
  phi: number,
  field: readonly number[],
  polarity: number,
  fill: boolean,
): number {
  if (Math.abs(polarity) !== 1 || (!fill && phi >= 998)) return NaN;
  const [t, f] = [theta * RADIAN, phi * RADIAN];
  const d = [Math.cos(f) * Math.cos(t), Math.sin(f) * Math.cos(t), Math.sin(t)];
  const b = field.map((v) => polarity * v / Math.hypot(...field));
  const cross = [
    b[1]! * d[2]! - b[2]! * d[1]!,
    b[2]! * d[0]! - b[0]! * d[2]!,
    b[0]! * d[1]! - b[1]! * d[0]!,
  ];
  return Math.atan2(Math.hypot(...cross), b.reduce((sum, v, i) => sum + v * d[i]!, 0)) / RADIAN;
}

/** Model of one cell. */
export function slowModel(
  E: number,
  V: number,
  alpha: number,
  [U, b, A]: readonly number[],
  { w, s, g }: Constants,
): number {
  const x = Math.min(Math.max(b! * (1 + U! / Math.max(E - V, 1e-12)), 0), 1);
  const inside = alpha <= 90 || Math.sin(alpha * RADIAN) ** 2 >= x;
  const base = inside ? 1 : g;
  if (!(A! > 0 && w > 0 && V > U!)) return base;
  const energy = Math.exp(-0.5 * ((E - Math.max(V - U!, w)) / w) ** 2);
  return base + A! * energy * (s > 0 ? Math.exp(-0.5 * ((alpha - 180) / s) ** 2) : 1);
}

/** χ² of pairs (value, model). */
export function slowChisq(method: number, pairs: readonly (readonly [number, number])[]): number {
  const terms = pairs.map(([d, m]) =>
    (method === 0 ? Math.log(d + EPSILON) - Math.log(m + EPSILON) : d - m) ** 2
  );
  const sum = terms.reduce((a, b) => a + b, 0);
  if (method === 0) return terms.length === 0 ? NaN : sum;
  return terms.length < 5 ? NaN : sum / Math.max(terms.length - 3, 1);
}

/** Flux without the archive's fills, unless they are wanted. */
const value = (F: number, fill: boolean) => !fill && F !== 0 && Math.abs(F) < 1e-90 ? NaN : F;
const good = (F: number) => F > 0 && F < Infinity;

/** Normalised flux of one row. */
export function slowNorm(
  flux: readonly number[],
  pitch: readonly number[],
  mode: { readonly ratio2: boolean; readonly highest: boolean; readonly fill: boolean },
): number[] {
  const F = flux.map((v) => value(v, mode.fill));
  const incident = F.map((v, j) => ({ v, a: pitch[j]! })).filter(({ v, a }) => a < 90 && good(v));
  const none = F.map(() => NaN);
  if (incident.length === 0) return none;
  if (!mode.ratio2) {
    const values = incident.map(({ v }) => v);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const scale = Math.max(mode.highest ? Math.max(...values) : mean, 1e-6);
    return F.map((v) => v / scale);
  }
  if (!pitch.some((a) => a >= 90)) return none;
  const out = F.map((v, j) => {
    const a = pitch[j]!;
    if (!good(v) || Number.isNaN(a)) return NaN;
    if (a < 90) return 1;
    const off = incident.map((one) => Math.abs(one.a - (180 - a)));
    return v / incident[off.indexOf(Math.min(...off))]!.v;
  });
  const off = pitch.map((a) => Number.isNaN(a) ? Infinity : Math.abs(a - 90));
  out[off.indexOf(Math.min(...off))] = 1;
  return out;
}

/** Which cells of a row count. */
export function slowMask(
  method: number,
  flux: readonly number[],
  pitch: readonly number[],
  norm: readonly number[],
  used: boolean,
  fill: boolean,
): boolean[] {
  const F = flux.map((v) => value(v, fill));
  const largest = Math.max(0, ...F.filter((v, j) => pitch[j]! < 90 && good(v)));
  return F.map((v, j) =>
    used && good(norm[j]!) && !Number.isNaN(pitch[j]!) &&
    (method === 0 || (good(v) && v / largest > 0.07 && v / largest < 0.79))
  );
}

/** One row as the tables have it. */
export interface TableRow {
  readonly E: number;
  readonly V: number;
  readonly sine: readonly number[];
  readonly beam: readonly number[];
  readonly y: readonly number[];
}

/** χ² of one sweep at a point, cell by cell; a beam not above `faint` is left out. */
export function slowEvaluate(
  method: number,
  rows: readonly TableRow[],
  [U, b, A]: readonly number[],
  { w, g }: Constants,
  faint = 0,
): number {
  let sum = 0, n = 0;
  for (const { E, V, sine, beam, y } of rows) {
    const x = Math.min(Math.max(b! * (1 + U! / Math.max(E - V, 1e-12)), 0), 1);
    const strength = A! > 0 && w > 0 && V > U!
      ? A! * Math.exp(-0.5 * ((E - Math.max(V - U!, w)) / w) ** 2)
      : 0;
    y.forEach((value, j) => {
      const more = strength * beam[j]!;
      const m = (sine[j]! < x ? g : 1) + (more > faint ? more : 0);
      sum += (value - (method === 0 ? Math.log(m + EPSILON) : m)) ** 2;
      n++;
    });
  }
  if (method === 0) return n === 0 ? NaN : sum;
  return n < 5 ? NaN : sum / Math.max(n - 3, 1);
}

export interface SlowSearch {
  readonly fit: readonly number[];
  readonly plateau: readonly (readonly [number, number])[];
  readonly confidence: readonly (readonly [number, number])[];
}

/**
 * Exact search without a beam. Between the U at which two cell edges, or an edge and a bound, have the same b, the order of
 * the edges in b does not change, and the least χ² over b is constant.
 */
export function slowSearch(
  method: number,
  rows: readonly TableRow[],
  { w, s, g }: Constants,
  [U0, U1, b0, b1, , , delta]: readonly number[],
): SlowSearch {
  const cells = rows.reduce((n, row) => n + row.y.length, 0);
  const edges = rows.flatMap(({ E, V, sine }) =>
    sine.filter((v) => v < 1).map((v) => ({ v, above: Math.max(E - V, 1e-12) }))
  );
  const critical = [U0!, U1!];
  const add = (U: number) => {
    if (U > U0! && U < U1!) critical.push(U);
  };
  edges.forEach((p, i) => {
    add(-p.above);
    for (const b of [b0!, b1!]) add((p.v / b - 1) * p.above);
    for (const q of edges.slice(0, i)) {
      // p.v / (1 + U/p.above) = q.v / (1 + U/q.above)
      const slope = p.v / q.above - q.v / p.above;
      if (slope !== 0) add((q.v - p.v) / slope);
    }
  });
  critical.sort((a, b) => a - b);
  /** Least χ² over b at one U, and the middle of the b that have it. */
  const profile = (U: number): { least: number; b: number } => {
    const breaks = edges.map(({ v, above }) => v / (1 + U / above)).filter((b) => b > b0! && b < b1!);
    const ends = [b0!, ...breaks.sort((a, b) => a - b), b1!];
    let least = Infinity, at = NaN;
    for (let i = 0; i + 1 < ends.length; i++) {
      const b = 0.5 * (ends[i]! + ends[i + 1]!);
      if (ends[i + 1]! - ends[i]! < 1e-12) continue;
      const chi2 = slowEvaluate(method, rows, [U, b, 0], { w, s, g });
      if (chi2 < least * (1 - 1e-9)) [least, at] = [chi2, b];
    }
    return { least, b: at };
  };
  const pieces = critical.slice(1).map((to, i) => ({ from: critical[i]!, to }))
    .filter(({ from, to }) => to - from > 1e-10)
    .map((piece) => ({ ...piece, least: profile(0.5 * (piece.from + piece.to)).least }));
  const least = Math.min(...pieces.map((p) => p.least));
  const upTo = (limit: number) => {
    const out: [number, number][] = [];
    for (const { from, to, least } of pieces) {
      if (least > limit) continue;
      const last = out.at(-1);
      if (last !== undefined && from - last[1] <= 1e-9) last[1] = to;
      else out.push([from, to]);
    }
    return out;
  };
  const plateau = upTo(least * (1 + 2e-4));
  const best = pieces.find((p) => p.least <= least * (1 + 1e-12))!;
  const [from, to] = plateau.find(([a, b]) => a <= best.from + 1e-9 && best.to <= b + 1e-9)!;
  const U = 0.5 * (from + to), there = profile(U);
  return {
    fit: [U, there.b, 0, there.least],
    plateau,
    confidence: upTo(least * (1 + Math.max(2e-4, delta! / Math.max(cells - 3, 1)))),
  };
}
