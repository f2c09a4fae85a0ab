// The global minimum of χ² over (U, b, A), the set of equally good U and the confidence set, by branch and bound.
//
// A row depends on (U, b) through x = b (1 + U/E′) alone, which over a box takes its extremes at corners; so the cells in
// the cone number i₀ … i₁, and the least of the row's prefix table between them bounds its cost from below. Where the
// beam may be seen the bound is taken cell by cell with any amplitude. A box in which every row has one count is done:
// χ² is constant there. Boxes narrower than LEAF in U fix the beam's shape, A is found for U at the middle by a
// safeguarded Newton iteration (Lillis: in closed form), and the change of the optimum over the box is bounded to second
// order in its width.
//
// In (b, c = bU) a tuple of counts is a convex polygon; its extent in U is that of c/b over the corners. The set of U with
// χ² ≤ T is found by the same descent, boxes whose U are already known to belong to it being left out. What is
// narrower than NARROW in x is not looked for. Twins: gpu/kernels/losscone_search.cu, core/kernels/losscone_search.ts.
import { beamEnergy, coneEdge, EPSILON } from "./losscone";
import {
  background, coneCells, costAt, degrees, inside, METHOD, openSweep, outside, rowAbove, rowBeam, rowCells,
  rowEnergy, rowPotential, rowPrefix, rows, rowSine, rowY, sweepScratch, validCells, width,
} from "./losscone_sweep";
import { exponential } from "./exponential";
import { log2lanes } from "./logarithm";
import { across, at, get, get2, set, set2 } from "./memory";

/** Width in U, of the beam's width, at which A is solved for. */
const LEAF: f64 = 1.0 / 15.0;
/** Beam strength that the bounds leave out. */
const UNSEEN: f64 = 1e-9;
/** Relative difference in χ² that is none. */
const SAME: f64 = 1e-6;
/** Relative difference in χ² up to which U are equally good. */
const EQUAL: f64 = 2e-4;
/** Relative change of A that ends its iteration. */
const CLOSE: f64 = 1e-5;
/** Half width of a box in U, of the beam's width, that is in a set or not by its middle alone. */
const FINE: f64 = 1.0 / 120.0;
const NARROW: f64 = 1e-6;
/** Least width of a box in U where the beam is seen, of the beam's width. */
const SHARP: f64 = 1e-4;
const STACK: i32 = 192;
/**
 * Most boxes among which the search for the minimum takes that of the lowest bound; where there are more it takes the last,
 * so that the stack does not overflow.
 */
const FRONT: i32 = 96;
const CORNERS: i32 = 48;
/** Most combinations of counts that A is solved for in one box. */
const COMBINATIONS: i32 = 6;

// box: U0, U1, b0, b1, bound, spread in x by U, by b, half width in U that a box of one U stands for; then i₀ and i₁ of
// every row as bytes
const BOX: usize = 8 << 3;

let size: usize = 0;
let stack: usize = 0;
let depth: i32 = 0;
let box: usize = 0, child: usize = 0;
let polygon: usize = 0, clipped: usize = 0;
let beamRest: usize = 0, beamShare: usize = 0;
let beamK: usize = 0, beamM: usize = 0, beamY: usize = 0, beamSlope: usize = 0;
let counts: usize = 0, seen: usize = 0, bounds: usize = 0;
let covered: usize = 0, ownBounds: usize = 0;
let pieces: i32 = 0, mostPieces: i32 = 0;
let amplitudeLow: f64 = 0, amplitudeHigh: f64 = 0;
let bestCost: f64 = 0, bestU: f64 = 0, bestB: f64 = 0, bestA: f64 = 0;
// of the last solution for A
let solvedAt: f64 = 0, solvedA: f64 = 0, solvedSlope: f64 = 0, solvedCurvature: f64 = 0;

// @ts-ignore: decorator
@inline
function low(node: usize, r: i32): i32 { return load<u8>(node + BOX + <usize> r); }
// @ts-ignore: decorator
@inline
function high(node: usize, r: i32): i32 { return load<u8>(node + BOX + <usize> (rows + r)); }

// BOUNDS //

/** Strongest dependence on energy of the beam in row r for U0 ≤ U ≤ U1. */
function strongest(r: i32, U0: f64, U1: f64): f64 {
  const E = rowEnergy(r), V = rowPotential(r);
  if (!(V - U0 > 0.0 && width > 0.0)) return 0.0;
  const far = max(V - U0, width), near = max(V - U1, width);
  const off = E > far ? (E - far) / width : E < near ? (near - E) / width : 0.0;
  return off > 8.0 ? 0.0 : exponential(-0.5 * off * off);
}

/** Lower bound of the cost of row r with i0 … i1 cells in the cone and a beam of strength up to a. */
function beamBound(r: i32, i0: i32, i1: i32, a: f64): f64 {
  const p = rowBeam(r), y = rowY(r), n = rowCells(r), prefix = rowPrefix(r);
  // gain of cell j from the beam: with the cone around it, and without
  let gain: f64 = 0;
  let least = Infinity;
  let j = 0;
  // all affected cells outside the cone first, then one after the other put into it
  let end = 0;
  for (; end < n; end++) {
    const more = a * get(p, end);
    if (!(more > UNSEEN)) break;
    gain += end < i0 ? gainOf(get(y, end), more, background, inside) : gainOf(get(y, end), more, 1.0, outside);
  }
  for (j = i0; ; j++) {
    const cost = get(prefix, j) - gain;
    if (cost < least) least = cost;
    if (j >= i1) break;
    if (j < end) {
      const more = a * get(p, j);
      gain += gainOf(get(y, j), more, background, inside) - gainOf(get(y, j), more, 1.0, outside);
    }
  }
  return least;
}

/** Most that a beam up to `more` takes off the cost of a cell with value y over a model m. */
// @ts-ignore: decorator
@inline
function gainOf(y: f64, more: f64, m: f64, level: f64): f64 {
  const above = y - level;
  if (!(above > 0.0)) return 0.0;
  // ln(m + k) ≤ ln m + k/m
  const left = above - (METHOD == 0 ? more / m : more);
  return above * above - (left > 0.0 ? left * left : 0.0);
}

/** Ranges of counts of a box, from those of the box around it, and its bound. */
function examine(node: usize, parent: usize): void {
  const U0 = get(node, 0), U1 = get(node, 1), b0 = get(node, 2), b1 = get(node, 3);
  let bound: f64 = 0, spreadU: f64 = 0, spreadB: f64 = 0;
  for (let r = 0; r < rows; r++) {
    const above = rowAbove(r);
    const t0 = 1.0 + U0 / above, t1 = 1.0 + U1 / above;
    const x0 = t0 > 0.0 ? b0 * t0 : 0.0;
    const x1 = t1 > 0.0 ? min(b1 * t1, 1.0) : 0.0;
    const sine = rowSine(r), prefix = rowPrefix(r);
    const from = parent == 0 ? 0 : low(parent, r), to = parent == 0 ? rowCells(r) : high(parent, r);
    const i0 = coneCells(sine, min(x0, 1.0), from, to);
    const i1 = coneCells(sine, x1, i0, to);
    store<u8>(node + BOX + <usize> r, <u8> i0);
    store<u8>(node + BOX + <usize> (rows + r), <u8> i1);
    if (i0 < i1) {
      spreadU = max(spreadU, min(b1 * (U1 - U0) / above, 1.0));
      spreadB = max(spreadB, (b1 - b0) * t1);
    }
    const a = amplitudeHigh > 0.0 ? amplitudeHigh * strongest(r, U0, U1) : 0.0;
    if (a > UNSEEN) {
      bound += beamBound(r, i0, i1, a);
      continue;
    }
    let least = get(prefix, i0);
    for (let i = i0 + 1; i <= i1; i++) least = min(least, get(prefix, i));
    bound += least;
  }
  set(node, 4, bound);
  set(node, 5, spreadU);
  set(node, 6, spreadB);
}

// THE BEAM AT ONE U //

/**
 * Cost of n cells (an even number) with a beam of amplitude A; its derivatives in A into solvedSlope, solvedCurvature, what
 * is left of each cell into beamRest. Even and odd cells are summed apart.
 */
function gathered(n: i32, A: f64): f64 {
  solvedAt = A;
  let cost = f64x2.splat(0), slope = f64x2.splat(0), curvature = f64x2.splat(0);
  const both = f64x2.splat(A), epsilon = f64x2.splat(EPSILON), one = f64x2.splat(1.0);
  if (METHOD == 0) {
    for (let c = 0; c < n; c += 2) {
      const k = get2(beamK, c);
      const m = f64x2.add(f64x2.add(get2(beamM, c), f64x2.mul(both, k)), epsilon);
      const inverse = f64x2.div(k, m);
      const t = f64x2.sub(get2(beamY, c), log2lanes(m));
      const share = f64x2.mul(t, inverse);
      set2(beamRest, c, t);
      set2(beamShare, c, inverse);
      cost = f64x2.add(cost, f64x2.mul(t, t));
      slope = f64x2.add(slope, share);
      curvature = f64x2.add(curvature, f64x2.mul(f64x2.mul(f64x2.add(one, t), inverse), inverse));
    }
  } else {
    for (let c = 0; c < n; c += 2) {
      const k = get2(beamK, c);
      const t = f64x2.sub(get2(beamY, c), f64x2.add(get2(beamM, c), f64x2.mul(both, k)));
      set2(beamRest, c, t);
      set2(beamShare, c, k);
      cost = f64x2.add(cost, f64x2.mul(t, t));
      slope = f64x2.add(slope, f64x2.mul(t, k));
      curvature = f64x2.add(curvature, f64x2.mul(k, k));
    }
  }
  solvedSlope = -2.0 * across(slope);
  solvedCurvature = 2.0 * across(curvature);
  return across(cost);
}

/**
 * Least cost of the rows that see the beam (`seen`) at U, with `counts` cells in the cone, over A. Leaves solvedA, the
 * slope of the least cost in U and its curvature by Gauss and Newton. `guess`: an amplitude to begin from; below A₀: none.
 */
function solveBeam(U: f64, guess: f64): f64 {
  let n = 0;
  let strongestK: f64 = 0, fixed: f64 = 0;
  for (let r = 0; r < rows; r++) {
    if (load<u8>(seen + <usize> r) == 0) continue;
    const shape = beamEnergy(rowEnergy(r), rowPotential(r), U, width);
    const p = rowBeam(r), y = rowY(r), cells = rowCells(r), i = <i32> load<u8>(counts + <usize> r);
    const off = rowPotential(r) - U;
    // d ln k/dU
    const slope = off > width ? -(rowEnergy(r) - off) / (width * width) : 0.0;
    fixed += get(rowPrefix(r), i);
    for (let j = 0; j < cells; j++) {
      const k = shape * get(p, j);
      if (!(amplitudeHigh * k > UNSEEN)) break;
      const without = get(y, j) - (j < i ? inside : outside);
      fixed -= without * without;
      set(beamK, n, k);
      set(beamM, n, j < i ? background : 1.0);
      set(beamY, n, get(y, j));
      set(beamSlope, n, slope);
      strongestK = max(strongestK, k);
      n++;
    }
  }
  solvedA = amplitudeLow;
  solvedSlope = 0.0;
  solvedCurvature = 0.0;
  if (n == 0) return fixed;
  if ((n & 1) != 0) {
    // a cell that costs nothing
    set(beamK, n, 0.0);
    set(beamM, n, 1.0);
    set(beamY, n, outside);
    set(beamSlope, n, 0.0);
    n++;
  }
  let left = amplitudeLow, right = amplitudeHigh;
  let A = amplitudeLow;
  let cost: f64 = 0;
  if (METHOD != 0) {
    gathered(n, A);
    A = min(max(A - solvedSlope / solvedCurvature, amplitudeLow), amplitudeHigh);
    cost = gathered(n, A);
  } else {
    if (guess >= amplitudeLow) {
      A = guess;
      cost = gathered(n, A);
    } else {
      // the cost may have several minima in A: the best of a few amplitudes, then Newton between its neighbours
      cost = gathered(n, A);
      let last = amplitudeLow;
      let slope = solvedSlope, curvature = solvedCurvature;
      let atBest = true;
      for (let trial = max(0.1 / strongestK, amplitudeHigh / 1024.0); ; trial *= 4.0) {
        const next = min(trial, amplitudeHigh);
        if (next > last) {
          const value = gathered(n, next);
          if (atBest) right = next;
          atBest = value < cost;
          if (atBest) {
            cost = value;
            left = last;
            right = amplitudeHigh;
            A = next;
            slope = solvedSlope;
            curvature = solvedCurvature;
          }
          last = next;
        }
        if (next >= amplitudeHigh) break;
      }
      solvedSlope = slope;
      solvedCurvature = curvature;
    }
    for (let step = 0; step < 40; step++) {
      if ((A <= amplitudeLow && solvedSlope >= 0.0) || (A >= amplitudeHigh && solvedSlope <= 0.0)) break;
      if (solvedSlope > 0.0) right = A;
      else left = A;
      let next = solvedCurvature > 0.0 ? A - solvedSlope / solvedCurvature : Infinity;
      // a step onto a bound may be right
      if (next < amplitudeLow && left <= amplitudeLow) next = amplitudeLow;
      if (next > amplitudeHigh && right >= amplitudeHigh) next = amplitudeHigh;
      if (!(next >= left && next <= right) || next == A) next = 0.5 * (left + right);
      const moved = Math.abs(next - A);
      A = next;
      cost = gathered(n, A);
      if (moved <= CLOSE * (A + 1e-3)) break;
    }
    // what is left of the cells is that of the last amplitude tried
    if (solvedAt != A) cost = gathered(n, A);
  }
  // derivatives of the model, or of its logarithm, in U and A; where A is free it takes its share of a change of U
  let slope: f64 = 0, inU: f64 = 0, inA: f64 = 0, mixed: f64 = 0;
  for (let c = 0; c < n; c++) {
    const byA = get(beamShare, c);
    const byU = A * byA * get(beamSlope, c);
    slope += get(beamRest, c) * byU;
    inU += byU * byU;
    inA += byA * byA;
    mixed += byU * byA;
  }
  const free = A > amplitudeLow && A < amplitudeHigh && inA > 0.0;
  solvedA = A;
  solvedSlope = -2.0 * slope;
  solvedCurvature = 2.0 * (free ? max(inU - mixed * mixed / inA, 0.0) : inU);
  return fixed + cost;
}

// The last solutions: U, cost, A, slope, curvature, then the counts of the rows that see the beam.
const KEPT: i32 = 8;
const SOLUTION: usize = 5 << 3;
let solutions: usize = 0, solutionSize: usize = 0;
let nextSolution: i32 = 0;

/** solveBeam, or what it said of the same U and counts a moment ago. */
function solved(U: f64): f64 {
  let guess = -1.0;
  for (let k = 0; k < KEPT; k++) {
    const kept = solutions + <usize> k * solutionSize;
    if (!(Math.abs(get(kept, 0) - U) <= LEAF * width)) continue;
    let same = true;
    for (let r = 0; r < rows && same; r++) {
      same = load<u8>(seen + <usize> r) == 0 ||
        load<u8>(kept + SOLUTION + <usize> r) == load<u8>(counts + <usize> r);
    }
    if (!same) continue;
    if (get(kept, 0) != U) {
      guess = get(kept, 2);
      continue;
    }
    solvedA = get(kept, 2);
    solvedSlope = get(kept, 3);
    solvedCurvature = get(kept, 4);
    return get(kept, 1);
  }
  const cost = solveBeam(U, guess);
  const kept = solutions + <usize> nextSolution * solutionSize;
  nextSolution = (nextSolution + 1) % KEPT;
  set(kept, 0, U);
  set(kept, 1, cost);
  set(kept, 2, solvedA);
  set(kept, 3, solvedSlope);
  set(kept, 4, solvedCurvature);
  memory.copy(kept + SOLUTION, counts, rows);
  return cost;
}

// POLYGONS //

/** Keeps the corners (b, c) with sign·(b + c/above − edge) ≥ 0 of n; how many are left. */
function clip(n: i32, above: f64, edge: f64, sign: f64): i32 {
  let kept = 0;
  for (let i = 0; i < n; i++) {
    const j = i + 1 < n ? i + 1 : 0;
    const b0 = get(polygon, 2 * i), c0 = get(polygon, 2 * i + 1);
    const b1 = get(polygon, 2 * j), c1 = get(polygon, 2 * j + 1);
    const d0 = sign * (b0 + c0 / above - edge), d1 = sign * (b1 + c1 / above - edge);
    if (d0 >= 0.0) {
      set(clipped, 2 * kept, b0);
      set(clipped, 2 * kept + 1, c0);
      kept++;
    }
    if ((d0 > 0.0 && d1 < 0.0) || (d0 < 0.0 && d1 > 0.0)) {
      const f = d0 / (d0 - d1);
      set(clipped, 2 * kept, b0 + f * (b1 - b0));
      set(clipped, 2 * kept + 1, c0 + f * (c1 - c0));
      kept++;
    }
    if (kept > CORNERS - 2) break;
  }
  const other = polygon;
  polygon = clipped;
  clipped = other;
  return kept;
}

let reachLow: f64 = 0, reachHigh: f64 = 0;

/** Extent in U of the tuple `counts` within the bounds, into reachLow, reachHigh; false where it has none. */
function reach(): bool {
  const U0 = get(bounds, 0), U1 = get(bounds, 1), b0 = get(bounds, 2), b1 = get(bounds, 3);
  set(polygon, 0, b0);
  set(polygon, 1, U0 * b0);
  set(polygon, 2, b1);
  set(polygon, 3, U0 * b1);
  set(polygon, 4, b1);
  set(polygon, 5, U1 * b1);
  set(polygon, 6, b0);
  set(polygon, 7, U1 * b0);
  let n = 4;
  for (let r = 0; r < rows; r++) {
    const i = <i32> load<u8>(counts + <usize> r), above = rowAbove(r);
    if (i > 0) n = clip(n, above, get(rowSine(r), i - 1), 1.0);
    // x never exceeds 1
    if (i < rowCells(r) && get(rowSine(r), i) < 1.0) n = clip(n, above, get(rowSine(r), i), -1.0);
    if (n == 0) return false;
  }
  reachLow = Infinity;
  reachHigh = -Infinity;
  for (let i = 0; i < n; i++) {
    const U = get(polygon, 2 * i + 1) / get(polygon, 2 * i);
    reachLow = min(reachLow, U);
    reachHigh = max(reachHigh, U);
  }
  reachLow = max(reachLow, U0);
  reachHigh = min(reachHigh, U1);
  return reachLow <= reachHigh;
}

/** Middle of the b that keep `counts` at U; NaN where there are none. */
function section(U: f64): f64 {
  let from = get(bounds, 2), to = get(bounds, 3);
  for (let r = 0; r < rows; r++) {
    const i = <i32> load<u8>(counts + <usize> r);
    const t = 1.0 + U / rowAbove(r);
    if (!(t > 0.0)) {
      if (i > 0) return NaN;
      continue;
    }
    if (i > 0) from = max(from, get(rowSine(r), i - 1) / t);
    if (i < rowCells(r) && get(rowSine(r), i) < 1.0) to = min(to, get(rowSine(r), i) / t);
  }
  return from <= to ? 0.5 * (from + to) : NaN;
}

/** Counts of every row at (U, b). */
function countAt(U: f64, b: f64): void {
  for (let r = 0; r < rows; r++) {
    const i = coneCells(rowSine(r), coneEdge(U, b, rowAbove(r)), 0, rowCells(r));
    store<u8>(counts + <usize> r, <u8> i);
  }
}

// SETS OF U //

/** Adds low … high to the intervals; where there is no place left, the two nearest intervals become one. */
function cover(from: f64, to: f64): void {
  let i = 0;
  while (i < pieces && get(covered, 2 * i + 1) < from) i++;
  let j = i;
  while (j < pieces && get(covered, 2 * j) <= to) {
    from = min(from, get(covered, 2 * j));
    to = max(to, get(covered, 2 * j + 1));
    j++;
  }
  const tail = pieces - j;
  memory.copy(at(covered, 2 * (i + 1)), at(covered, 2 * j), <usize> tail << 4);
  set(covered, 2 * i, from);
  set(covered, 2 * i + 1, to);
  pieces = i + 1 + tail;
  if (pieces <= mostPieces) return;
  let nearest = 0;
  let gap = Infinity;
  for (let k = 0; k + 1 < pieces; k++) {
    const width = get(covered, 2 * k + 2) - get(covered, 2 * k + 1);
    if (width < gap) {
      gap = width;
      nearest = k;
    }
  }
  set(covered, 2 * nearest + 1, get(covered, 2 * nearest + 3));
  memory.copy(at(covered, 2 * nearest + 2), at(covered, 2 * nearest + 4), <usize> (pieces - nearest - 2) << 4);
  pieces--;
}

/** Whether all of low … high is in one of the intervals. */
function isCovered(from: f64, to: f64): bool {
  for (let i = 0; i < pieces; i++) if (get(covered, 2 * i) <= from && to <= get(covered, 2 * i + 1)) return true;
  return false;
}

// DESCENT //

/** A value found at a point: the best so far is kept. */
function offer(cost: f64, U: f64, b: f64, A: f64): void {
  if (!(cost < bestCost)) return;
  bestCost = cost;
  bestU = U;
  bestB = b;
  bestA = A;
}

/**
 * Lower bound of a box narrow in U, by the solution for A at its middle; its value there is offered, and with
 * `collect` its U are added to the set where that is not above `limit`. −Infinity where too many counts are possible.
 */
function leaf(node: usize, limit: f64, collect: bool): f64 {
  const U0 = get(node, 0), U1 = get(node, 1);
  const U = 0.5 * (U0 + U1), b = 0.5 * (get(node, 2) + get(node, 3));
  let rest: f64 = 0, restHere: f64 = 0;
  let combinations = 1;
  for (let r = 0; r < rows; r++) {
    const i0 = low(node, r), i1 = high(node, r), prefix = rowPrefix(r);
    const here = coneCells(rowSine(r), coneEdge(U, b, rowAbove(r)), i0, i1);
    store<u8>(counts + <usize> r, <u8> here);
    if (load<u8>(seen + <usize> r) != 0) {
      if (combinations <= COMBINATIONS) combinations *= i1 - i0 + 1;
      continue;
    }
    let least = get(prefix, i0);
    for (let i = i0 + 1; i <= i1; i++) least = min(least, get(prefix, i));
    rest += least;
    restHere += get(prefix, here);
  }
  const half = 0.5 * (U1 - U0);
  let cost = solved(U);
  offer(restHere + cost, U, b, solvedA);
  const change = (Math.abs(solvedSlope) + solvedCurvature * half) * half;
  const beside = get(node, 7);
  if (collect && restHere + cost + (half > FINE * width ? change : 0.0) <= limit) cover(U0 - beside, U1 + beside);
  if (combinations == 1) return rest + cost - change;
  if (combinations > COMBINATIONS) return -Infinity;
  let least = Infinity;
  for (let r = 0; r < rows; r++) {
    if (load<u8>(seen + <usize> r) != 0) store<u8>(counts + <usize> r, <u8> low(node, r));
  }
  for (;;) {
    cost = solved(U);
    least = min(least, cost - (Math.abs(solvedSlope) + solvedCurvature * half) * half);
    // the next combination
    let r = 0;
    for (; r < rows; r++) {
      if (load<u8>(seen + <usize> r) == 0) continue;
      const i = <i32> load<u8>(counts + <usize> r);
      if (i < high(node, r)) {
        store<u8>(counts + <usize> r, <u8> (i + 1));
        break;
      }
      store<u8>(counts + <usize> r, <u8> low(node, r));
    }
    if (r == rows) break;
  }
  return rest + least;
}

/** Swaps the box at `depth` with the one of the lowest bound below it. */
function lowestOnTop(): void {
  const top = stack + <usize> depth * size;
  let lowest = top;
  for (let node = stack; node < top; node += size) if (get(node, 4) < get(lowest, 4)) lowest = node;
  if (lowest == top) return;
  memory.copy(child, top, size);
  memory.copy(top, lowest, size);
  memory.copy(lowest, child, size);
}

/**
 * Goes through the boxes whose bound is below `limit` (where not `collect`: below the best found); false where there
 * were more than `most`.
 */
function descend(limit: f64, collect: bool, most: i32): bool {
  depth = 0;
  for (let i = 0; i < 4; i++) set(box, i, get(bounds, i));
  set(box, 7, 0.0);
  examine(box, 0);
  memory.copy(stack, box, size);
  depth = 1;
  const leafWidth = LEAF * width;
  let looked = 0;
  while (depth > 0) {
    depth--;
    if (!collect && depth < FRONT) lowestOnTop();
    memory.copy(box, stack + <usize> depth * size, size);
    const ceiling = collect ? limit : bestCost * (1.0 - SAME);
    if (collect ? get(box, 4) > ceiling : get(box, 4) >= ceiling) continue;
    const U0 = get(box, 0), U1 = get(box, 1), b0 = get(box, 2), b1 = get(box, 3);
    if (collect && isCovered(U0 - get(box, 7), U1 + get(box, 7))) continue;
    if (++looked > most) return false;
    const U = 0.5 * (U0 + U1), b = 0.5 * (b0 + b1);
    // the value in the middle without a beam
    let cost: f64 = 0;
    let anySeen = false;
    for (let r = 0; r < rows; r++) {
      const i = coneCells(rowSine(r), coneEdge(U, b, rowAbove(r)), low(box, r), high(box, r));
      store<u8>(counts + <usize> r, <u8> i);
      cost += get(rowPrefix(r), i);
      const sees = amplitudeHigh > 0.0 && amplitudeHigh * strongest(r, U0, U1) > UNSEEN;
      store<u8>(seen + <usize> r, sees ? 1 : 0);
      anySeen = anySeen || sees;
    }
    if (!anySeen || amplitudeLow == 0.0) {
      offer(cost, U, b, amplitudeLow);
      if (collect && cost <= limit && reach()) cover(reachLow, reachHigh);
    }
    const ambiguous = get(box, 5) > 0.0 || get(box, 6) > 0.0;
    if (!ambiguous && !anySeen) continue;
    if (anySeen && U1 - U0 <= leafWidth) {
      const bound = leaf(box, limit, collect);
      if (collect ? bound > limit : bound >= bestCost * (1.0 - SAME)) continue;
    }
    if (collect && isCovered(U0 - get(box, 7), U1 + get(box, 7))) continue;
    let splitU = get(box, 5) > get(box, 6);
    if (ambiguous) {
      if (max(get(box, 5), get(box, 6)) < NARROW) continue;
      if (anySeen && U1 - U0 > leafWidth && get(box, 6) < 0.02) splitU = true;
    } else splitU = true;
    if (collect && anySeen && U1 > U0 && U1 - U0 <= 2.0 * FINE * width) {
      // whether these U belong to the set is asked of the middle alone
      const line = stack + <usize> depth * size;
      set(line, 0, U);
      set(line, 1, U);
      set(line, 2, b0);
      set(line, 3, b1);
      set(line, 7, 0.5 * (U1 - U0));
      examine(line, box);
      depth++;
      continue;
    }
    if (splitU && anySeen && U1 - U0 <= SHARP * width) {
      if (!ambiguous || get(box, 6) < NARROW) continue;
      splitU = false;
    }
    if (depth + 2 > STACK) return false;
    const first = stack + <usize> depth * size, second = first + size;
    const c0 = splitU ? U : U1, c1 = splitU ? b1 : b;
    set(first, 0, U0);
    set(first, 1, c0);
    set(first, 2, b0);
    set(first, 3, c1);
    set(second, 0, splitU ? U : U0);
    set(second, 1, U1);
    set(second, 2, splitU ? b0 : b);
    set(second, 3, b1);
    set(first, 7, get(box, 7));
    set(second, 7, get(box, 7));
    examine(first, box);
    examine(second, box);
    // the one with the lower bound on top
    if (get(first, 4) < get(second, 4)) {
      memory.copy(child, first, size);
      memory.copy(first, second, size);
      memory.copy(second, child, size);
    }
    depth += 2;
  }
  return true;
}

/** Everything of the sweep at hand. */
function search(delta: f64, most: i32, fit: usize, plateau: usize, confidence: usize): bool {
  bestCost = Infinity;
  bestA = amplitudeLow;
  nextSolution = 0;
  for (let k = 0; k < KEPT; k++) set(solutions + <usize> k * solutionSize, 0, NaN);
  let whole = descend(0.0, false, most);
  const least = bestCost, U = bestU;
  let limit = least * (1.0 + EQUAL);
  covered = plateau;
  pieces = 0;
  cover(U, U);
  whole = descend(limit, true, most) && whole;
  const flat = pieces;
  memory.copy(confidence, plateau, <usize> flat << 4);
  // the best at the middle of the plateau interval that holds the best of all
  let middle = U;
  for (let i = 0; i < flat; i++) {
    const from = get(plateau, 2 * i), to = get(plateau, 2 * i + 1);
    if (from <= U && U <= to) middle = 0.5 * (from + to);
  }
  set(ownBounds, 0, middle);
  set(ownBounds, 1, middle);
  for (let i = 2; i < 4; i++) set(ownBounds, i, get(bounds, i));
  const all = bounds;
  const atU = bestU, atB = bestB, atA = bestA;
  bounds = ownBounds;
  bestCost = Infinity;
  bestA = amplitudeLow;
  whole = descend(0.0, false, most) && whole;
  bounds = all;
  if (bestCost > limit) {
    bestU = atU;
    bestB = atB;
    bestA = atA;
  }
  // any b of the same counts is as good: the middle of them
  countAt(bestU, bestB);
  const centre = section(bestU);
  if (!isNaN(centre) && costAt(bestU, centre, bestA) <= limit) bestB = centre;
  set(fit, 0, bestU);
  set(fit, 1, bestB);
  set(fit, 2, bestA);
  set(fit, 3, costAt(bestU, bestB, bestA) / degrees);
  covered = confidence;
  limit = max(limit, least * (1.0 + delta / <f64> max(validCells - 3, 1)));
  whole = descend(limit, true, most) && whole;
  for (let i = 2 * flat; i < 2 * mostPieces; i++) set(plateau, i, NaN);
  for (let i = 2 * pieces; i < 2 * mostPieces; i++) set(confidence, i, NaN);
  return whole;
}

/** Doubles of scratch a sweep of R rows and P cells. */
// @ts-ignore: decorator
@inline
function bytesUp(n: i32): usize { return <usize> ((n + 7) >> 3) << 3; }

/**
 * Searches B sweeps. Constants: w, s, g, U₀, U₁, b₀, b₁, A₀, A₁, Δ. `fit` gets U, b, A, χ²; `plateau` and `confidence` I
 * intervals, NaN where there are fewer; `state` 1, 0 where there are too few cells, −1 where MOST boxes did not
 * suffice.
 */
export function losscone_search(
  B: i32, R: i32, P: i32, METHOD: i32, I: i32, MOST: i32,
  energy: usize, potential: usize, sine: usize, beam: usize, y: usize, prefix: usize, cells: usize,
  constants: usize, fit: usize, plateau: usize, confidence: usize, state: usize, work: usize,
): void {
  let free = at(work, sweepScratch(R));
  size = BOX + bytesUp(2 * R);
  solutionSize = SOLUTION + bytesUp(R);
  box = free;
  child = box + size;
  stack = child + size;
  solutions = stack + <usize> STACK * size;
  polygon = solutions + <usize> KEPT * solutionSize;
  clipped = at(polygon, 2 * CORNERS);
  beamK = at(clipped, 2 * CORNERS);
  const most = R * P + 1;
  beamM = at(beamK, most);
  beamY = at(beamM, most);
  beamSlope = at(beamY, most);
  beamRest = at(beamSlope, most);
  beamShare = at(beamRest, most);
  bounds = at(constants, 3);
  const lists = at(beamShare, most);
  const plateauWork = lists;
  const confidenceWork = at(plateauWork, 2 * I + 4);
  ownBounds = at(confidenceWork, 2 * I + 4);
  counts = at(ownBounds, 4);
  seen = counts + bytesUp(R);
  mostPieces = I;
  amplitudeLow = get(constants, 7);
  amplitudeHigh = get(constants, 8);
  for (let e = 0; e < B; e++) {
    const own = openSweep(e, R, P, METHOD, energy, potential, sine, beam, y, prefix, cells, constants, work);
    if (!own) {
      for (let i = 0; i < 4; i++) set(fit, 4 * e + i, NaN);
      for (let i = 0; i < 2 * I; i++) {
        set(plateau, 2 * I * e + i, NaN);
        set(confidence, 2 * I * e + i, NaN);
      }
      store<i32>(state + (<usize> e << 2), 0);
      continue;
    }
    const whole = search(get(constants, 9), MOST, at(fit, 4 * e), plateauWork, confidenceWork);
    memory.copy(at(plateau, 2 * I * e), plateauWork, <usize> I << 4);
    memory.copy(at(confidence, 2 * I * e), confidenceWork, <usize> I << 4);
    store<i32>(state + (<usize> e << 2), whole ? 1 : -1);
  }
}

/** χ² of B sweeps at S points (U, b, A) that all share. */
export function losscone_evaluate(
  B: i32, R: i32, P: i32, METHOD: i32, S: i32,
  energy: usize, potential: usize, sine: usize, beam: usize, y: usize, prefix: usize, cells: usize,
  constants: usize, points: usize, chi2: usize, work: usize,
): void {
  for (let e = 0; e < B; e++) {
    const own = openSweep(e, R, P, METHOD, energy, potential, sine, beam, y, prefix, cells, constants, work);
    for (let k = 0; k < S; k++) {
      const point = at(points, 3 * k);
      set(chi2, e * S + k, own ? costAt(get(point, 0), get(point, 1), get(point, 2)) / degrees : NaN);
    }
  }
}
