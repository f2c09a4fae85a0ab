// Differential evolution, best/1/bin, of many sweeps at once, generations synchronous.
//
//   mutant = best + F (x_r0 − x_r1), a gene that leaves its bounds drawn anew between them;  r0 ≠ r1 ≠ i
//   trial  = mutant gene where u_gene < CR or the gene is the forced one, else the parent's
//   a trial that is strictly lower takes its parent's place; `best` is that of the generation before
//   a sweep stops when std(χ²) ≤ atol + tol·|mean(χ²)| over its members (SciPy's rule), each for itself; atol is of the
//   sum of squares: of a reduced χ² of 0.05 the reference's 1e-3 would be 2 %, and stop the search where it begins
//
// Randomness: block (3i + h, generation, 0, 0) of Philox with the seed as key, the same for every sweep, so that a sweep
// does not depend on its batch. h = 0: r0, r1, forced gene, u_U; h = 1: u_b, u_A; h = 2: genes drawn anew.
// Source: Storn & Price 1997, J. Global Optimization 11, 341. Twins: gpu/kernels/evolution.cu, core/kernels/evolution.ts.
import { costAt, degrees, openSweep } from "./losscone_sweep";
import { at, get, set } from "./memory";
import { below, philox, share, word0, word1, word2, word3 } from "./philox";

/** χ² of the sweep at hand. */
// @ts-ignore: decorator
@inline
function valueOf(point: usize): f64 {
  return costAt(get(point, 0), get(point, 1), get(point, 2)) / degrees;
}

/**
 * First generation of B sweeps: the M members that all share, the first replaced by the best of S seeds (the first of
 * equals). `state`: generations done, 1 where the sweep goes on; a sweep with too few cells has NaN and 0.
 */
export function evolution_start(
  B: i32, R: i32, P: i32, METHOD: i32, S: i32, M: i32,
  energy: usize, potential: usize, sine: usize, beam: usize, y: usize, prefix: usize, cells: usize,
  constants: usize, seeds: usize, members: usize, population: usize, values: usize, state: usize, work: usize,
): void {
  for (let e = 0; e < B; e++) {
    const own = openSweep(e, R, P, METHOD, energy, potential, sine, beam, y, prefix, cells, constants, work);
    const people = at(population, e * M * 3);
    memory.copy(people, members, <usize> (M * 3) << 3);
    store<i32>(state + (<usize> e << 3), 0);
    store<i32>(state + (<usize> e << 3) + 4, own ? 1 : 0);
    let least = Infinity;
    for (let k = 0; k < S && own; k++) {
      const value = valueOf(at(seeds, 3 * k));
      if (!(value < least)) continue;
      least = value;
      memory.copy(people, at(seeds, 3 * k), 24);
    }
    for (let i = 0; i < M; i++) set(values, e * M + i, own ? valueOf(at(people, 3 * i)) : NaN);
  }
}

/** Index of the least of M values, the first of equals. */
function leastOf(M: i32, values: usize): i32 {
  let best = 0;
  for (let i = 1; i < M; i++) if (get(values, i) < get(values, best)) best = i;
  return best;
}

/** Trial of member i. */
function breed(
  i: i32, generation: i32, M: i32, people: usize, best: usize, key: usize, settings: usize, bounds: usize, trial: usize,
): void {
  const k0 = load<u32>(key), k1 = load<u32>(key + 4);
  philox(3 * i, generation, 0, 0, k0, k1);
  let r0 = below(M - 1, word0);
  if (r0 >= i) r0++;
  let r1 = below(M - 2, word1);
  if (r1 >= min(i, r0)) r1++;
  if (r1 >= max(i, r0)) r1++;
  const forced = below(3, word2), u0 = share(word3);
  philox(3 * i + 1, generation, 0, 0, k0, k1);
  const u1 = share(word0), u2 = share(word1);
  philox(3 * i + 2, generation, 0, 0, k0, k1);
  const w0 = word0, w1 = word1, w2 = word2;
  const F = get(settings, 0), CR = get(settings, 1);
  for (let g = 0; g < 3; g++) {
    const u = g == 0 ? u0 : g == 1 ? u1 : u2;
    let value = get(people, 3 * i + g);
    if (u < CR || g == forced) {
      value = get(best, g) + F * (get(people, 3 * r0 + g) - get(people, 3 * r1 + g));
      const low = get(bounds, 2 * g), high = get(bounds, 2 * g + 1);
      if (!(value >= low && value <= high)) value = low + (high - low) * share(g == 0 ? w0 : g == 1 ? w1 : w2);
    }
    set(trial, g, value);
  }
}

/** Whether the values of M members lie close together. */
function gathered(M: i32, values: usize, tol: f64, atol: f64): bool {
  let sum: f64 = 0, squares: f64 = 0;
  for (let i = 0; i < M; i++) sum += get(values, i);
  const mean = sum / <f64> M;
  for (let i = 0; i < M; i++) squares += (get(values, i) - mean) * (get(values, i) - mean);
  return Math.sqrt(squares / <f64> M) <= atol + tol * Math.abs(mean);
}

/** G generations of the sweeps that go on, no sweep beyond MOST; settings F, CR, tol, atol. */
export function evolution_step(
  B: i32, R: i32, P: i32, METHOD: i32, M: i32, G: i32, MOST: i32,
  energy: usize, potential: usize, sine: usize, beam: usize, y: usize, prefix: usize, cells: usize,
  constants: usize, settings: usize, key: usize, population: usize, values: usize, state: usize, work: usize,
): void {
  const trials = at(work, 6 * R), costs = at(trials, 3 * M), bounds = at(constants, 3);
  for (let e = 0; e < B; e++) {
    const own = state + (<usize> e << 3);
    if (load<i32>(own + 4) == 0) continue;
    openSweep(e, R, P, METHOD, energy, potential, sine, beam, y, prefix, cells, constants, work);
    const people = at(population, e * M * 3), costsNow = at(values, e * M);
    let done = load<i32>(own);
    let on = done < MOST;
    for (let k = 0; k < G && on; k++) {
      const best = at(people, 3 * leastOf(M, costsNow));
      for (let i = 0; i < M; i++) {
        breed(i, done, M, people, best, key, settings, bounds, at(trials, 3 * i));
        set(costs, i, valueOf(at(trials, 3 * i)));
      }
      for (let i = 0; i < M; i++) {
        if (!(get(costs, i) < get(costsNow, i))) continue;
        set(costsNow, i, get(costs, i));
        memory.copy(at(people, 3 * i), at(trials, 3 * i), 24);
      }
      done++;
      on = done < MOST && !gathered(M, costsNow, get(settings, 2), get(settings, 3) / degrees);
    }
    store<i32>(own, done);
    store<i32>(own + 4, on ? 1 : 0);
  }
}
