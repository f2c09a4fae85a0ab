// χ² of one sweep from its tables: a lookup per energy step, and logarithms only where the beam is seen.
// Twin: gpu/kernels/losscone_sweep.cuh.
import { logarithm } from "./logarithm";
import { beamEnergy, coneEdge, energyAtMoon, EPSILON, LEAST_CELLS } from "./losscone";
import { at, get, set } from "./memory";

/** A beam below this adds nothing: ln M changes by less than 2e-12 where g ≥ 0.05. */
export const FAINT: f64 = 1e-13;

// The sweep at hand: rows with cells only, their tables by row. Set by `openSweep`.
export let rows: i32 = 0;
export let METHOD: i32 = 0;
export let width: f64 = 0, background: f64 = 0;
/** ln(g + ε) and ln(1 + ε), or g and 1. */
export let inside: f64 = 0, outside: f64 = 0;
/** What χ² is divided by. */
export let degrees: f64 = 1;
/** Valid cells. */
export let validCells: i32 = 0;
// per used row: E, V, E′, and its cells, index of its first cell, of its first sum
let rowTable: usize = 0;
let sineTable: usize = 0, beamTable: usize = 0, yTable: usize = 0, prefixTable: usize = 0;
const ROW: i32 = 6;

/** Doubles of scratch that a sweep of R rows takes. */
export function sweepScratch(R: i32): i32 {
  return ROW * R;
}

// @ts-ignore: decorator
@inline
export function rowEnergy(r: i32): f64 { return get(rowTable, ROW * r); }
// @ts-ignore: decorator
@inline
export function rowPotential(r: i32): f64 { return get(rowTable, ROW * r + 1); }
// @ts-ignore: decorator
@inline
export function rowAbove(r: i32): f64 { return get(rowTable, ROW * r + 2); }
// @ts-ignore: decorator
@inline
export function rowCells(r: i32): i32 { return <i32> get(rowTable, ROW * r + 3); }
// @ts-ignore: decorator
@inline
export function rowSine(r: i32): usize { return at(sineTable, <i32> get(rowTable, ROW * r + 4)); }
// @ts-ignore: decorator
@inline
export function rowBeam(r: i32): usize { return at(beamTable, <i32> get(rowTable, ROW * r + 4)); }
// @ts-ignore: decorator
@inline
export function rowY(r: i32): usize { return at(yTable, <i32> get(rowTable, ROW * r + 4)); }
// @ts-ignore: decorator
@inline
export function rowPrefix(r: i32): usize { return at(prefixTable, <i32> get(rowTable, ROW * r + 5)); }

/** Sweep e of the batch becomes the one at hand; false where it has too few cells for a χ². */
export function openSweep(
  e: i32, R: i32, P: i32, method: i32,
  energy: usize, potential: usize, sine: usize, beam: usize, y: usize, prefix: usize, cells: usize,
  constants: usize, scratch: usize,
): bool {
  METHOD = method;
  width = get(constants, 0);
  background = get(constants, 2);
  inside = METHOD == 0 ? logarithm(background + EPSILON) : background;
  outside = METHOD == 0 ? logarithm(1.0 + EPSILON) : 1.0;
  rowTable = scratch;
  sineTable = sine;
  beamTable = beam;
  yTable = y;
  prefixTable = prefix;
  rows = 0;
  validCells = 0;
  for (let k = e * R; k < (e + 1) * R; k++) {
    const n = load<i32>(cells + (<usize> k << 2));
    if (n == 0) continue;
    validCells += n;
    const row = at(rowTable, ROW * rows++);
    set(row, 0, get(energy, k));
    set(row, 1, get(potential, k));
    set(row, 2, energyAtMoon(get(energy, k), get(potential, k)));
    set(row, 3, <f64> n);
    set(row, 4, <f64> (k * P));
    set(row, 5, <f64> (k * (P + 1)));
  }
  degrees = METHOD == 0 ? 1.0 : <f64> max(validCells - 3, 1);
  return METHOD == 0 ? validCells > 0 : validCells >= LEAST_CELLS;
}

/** Cells of a row in the cone: those with sin²α < x, sought between `low` and `high`. */
// @ts-ignore: decorator
@inline
export function coneCells(sine: usize, x: f64, low: i32, high: i32): i32 {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (get(sine, middle) < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What a beam of strength a = A·(dependence on energy) changes in the cost of a row with i cells in the cone. */
export function beamChange(r: i32, i: i32, a: f64): f64 {
  const p = rowBeam(r), y = rowY(r), n = rowCells(r);
  let change: f64 = 0;
  for (let j = 0; j < n; j++) {
    const more = a * get(p, j);
    if (!(more > FAINT)) break;
    const m = j < i ? background : 1.0;
    const without = get(y, j) - (j < i ? inside : outside);
    const value = METHOD == 0 ? logarithm(m + more + EPSILON) : m + more;
    const withBeam = get(y, j) - value;
    change += withBeam * withBeam - without * without;
  }
  return change;
}

/** χ² times `degrees` at one point. */
export function costAt(U: f64, b: f64, A: f64): f64 {
  let sum: f64 = 0;
  for (let r = 0; r < rows; r++) {
    const i = coneCells(rowSine(r), coneEdge(U, b, rowAbove(r)), 0, rowCells(r));
    sum += get(rowPrefix(r), i);
    if (A > 0.0) {
      const a = A * beamEnergy(rowEnergy(r), rowPotential(r), U, width);
      if (a > FAINT) sum += beamChange(r, i, a);
    }
  }
  return sum;
}
