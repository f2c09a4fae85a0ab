// Currents to a body in a kappa plasma, and the potentials at which they balance. Formulas: core/kernels/currents.ts.
//
// Roots are found item by item inside the kernel: Newton's method within a bracket for the sunlit curve, which falls
// strictly, and Brent's method (1973, ch. 4) for the balance in shadow, whose electron current is a staircase in |U|.
// Twins: gpu/kernels/currents.cu, core/kernels/currents.ts.
import { exp2lanes } from "./exponential";
import { lnNorm } from "./kappa";
import { log2lanes } from "./logarithm";
import { across, at, get, get2, set } from "./memory";

const MASS: f64 = 5.685630e-12;
const MASS_OVER_CHARGE: f64 = 9.1093837015e-31 / 1.602176634e-19;
const CHARGE: f64 = 1.602176634e-19;
const PROTON: f64 = 1.67262192369e-27;
/** 4π · 10⁻⁴. */
const SPHERE: f64 = 1.2566370614359172e-3;

// ELECTRON CURRENT //

/** Simpson's weight of point k on the points first … last, an even number of intervals. */
function simpson(x: usize, k: i32, first: i32, last: i32): f64 {
  if (k < first || k > last) return 0;
  let weight: f64 = 0;
  if (((k - first) & 1) == 1) {
    const h0 = get(x, k) - get(x, k - 1), h1 = get(x, k + 1) - get(x, k);
    return (h0 + h1) / 6.0 * ((h0 + h1) * (h0 + h1) / (h0 * h1));
  }
  if (k > first) {
    const h0 = get(x, k - 1) - get(x, k - 2), h1 = get(x, k) - get(x, k - 1);
    weight += (h0 + h1) / 6.0 * (2.0 - h0 / h1);
  }
  if (k < last) {
    const h0 = get(x, k + 1) - get(x, k), h1 = get(x, k + 2) - get(x, k + 1);
    weight += (h0 + h1) / 6.0 * (2.0 - h1 / h0);
  }
  return weight;
}

/** Half the interval before or after, for the end points of a trapezoid. */
// @ts-ignore: decorator
@inline
function trapezoid(x: usize, k: i32, first: i32): f64 {
  return k == first || k == first + 1 ? 0.5 * (get(x, first + 1) - get(x, first)) : 0.0;
}

/** J_e of B distributions. scratch: energies, weights. */
export function electron_current(
  B: i32, P: i32, density: usize, kappa: usize, theta: usize, current: usize, scratch: usize,
): void {
  const x = scratch, weights = at(scratch, P);
  const step = Math.log(2000.0) / <f64> (P - 1);
  for (let k = 0; k < P; k++) set(x, k, 10.0 * Math.exp(<f64> k * step));
  for (let k = 0; k < P; k++) {
    const weight = (P & 1) == 1
      ? simpson(x, k, 0, P - 1)
      : 0.5 * (simpson(x, k, 0, P - 2) + trapezoid(x, k, P - 2) + trapezoid(x, k, 0) + simpson(x, k, 1, P - 1));
    set(weights, k, weight);
  }
  for (let b = 0; b < B; b++) {
    const kb = get(kappa, b), speed = get(theta, b);
    const front = lnNorm(kb) - 3.0 * Math.log(speed), scale = 2.0 / (MASS * kb * speed * speed);
    let sum: f64 = 0;
    for (let k = 0; k < P; k++) {
      const e = get(x, k);
      const flux = SPHERE * 2.0 * e / (MASS * MASS) * Math.exp(front - (kb + 1.0) * Math.log1p(e * scale));
      sum += get(weights, k) * flux;
    }
    set(current, b, CHARGE * 0.25e4 * get(density, b) * sum);
  }
}

// SUNLIT //

/** Root of J(U) = current in [0, 150] of B currents. */
export function photoelectron_potential(B: i32, current: usize, potential: usize): void {
  for (let b = 0; b < B; b++) {
    const wanted = get(current, b);
    let low: f64 = 0, high: f64 = 150;
    const most = 1.07e-6 + 1.6e-8, least = 1.07e-6 * Math.exp(-30.0) + 1.6e-8 * Math.exp(-2.5);
    if (!(wanted >= least && wanted <= most)) {
      set(potential, b, NaN);
      continue;
    }
    let u: f64 = 0;
    for (let step = 0; step < 200; step++) {
      const fast = 1.07e-6 * Math.exp(-u / 5.0), slow = 1.6e-8 * Math.exp(-u / 60.0);
      const j = fast + slow, slope = fast / 5.0 + slow / 60.0;
      if (j > wanted) low = u;
      else high = u;
      // Newton's step on ln J, which is convex: from below it never passes the root
      let next = u + Math.log(j / wanted) * j / slope;
      if (!(next >= low && next <= high)) next = 0.5 * (low + high);
      const moved = Math.abs(next - u);
      u = next;
      if (moved <= 1e-14 * (1.0 + u)) break;
    }
    set(potential, b, u);
  }
}

// SHADOW //

const POINTS: i32 = 500;
/** 7.4 · 1.5. */
const YIELD: f64 = 11.100000000000001;

/** Energies and their trapezoid weights within the range. */
function grid(scratch: usize): void {
  const e = scratch, weights = at(scratch, POINTS);
  const step = Math.log(20000.0) / <f64> (POINTS - 1);
  for (let k = 0; k < POINTS; k++) set(e, k, Math.exp(<f64> k * step));
  set(weights, 0, 0.5 * (get(e, 1) - get(e, 0)));
  for (let k = 1; k < POINTS - 1; k++) set(weights, k, 0.5 * (get(e, k + 1) - get(e, k - 1)));
  set(weights, POINTS - 1, 0.5 * (get(e, POINTS - 1) - get(e, POINTS - 2)));
}

/** Currents of the last call of `balance`. */
let electrons: f64 = 0;
let secondaries: f64 = 0;
let ions: f64 = 0;

/** J_i + J_see − J_e at U. */
function balance(scratch: usize, density: f64, kappa: f64, theta: f64, lnG: f64, u: f64): f64 {
  const temperature = theta * theta * MASS_OVER_CHARGE * kappa / (2.0 * (kappa - 1.5));
  const outside = temperature + u / (kappa - 1.5);
  if (outside <= 0) {
    electrons = 0;
    secondaries = 0;
    ions = 1e12;
    return 1e12;
  }
  const speed2 = 2.0 * outside * (kappa - 1.5) / (MASS_OVER_CHARGE * kappa);
  const front = lnG - 1.5 * Math.log(speed2), scale = 2.0 / (MASS * kappa * speed2);
  const barrier = Math.abs(u), e = scratch, weights = at(scratch, POINTS);
  let k = 0;
  while (k < POINTS && !(get(e, k) >= barrier)) k++;
  let je: f64 = 0, jsee: f64 = 0;
  // the first energy beyond the barrier has no interval before it; singly until pairs are left
  for (let first = k; k < POINTS && (k == first || ((POINTS - k) & 1) == 1); k++) {
    const energy = get(e, k);
    const weight = k > first ? get(weights, k) : k < POINTS - 1 ? 0.5 * (get(e, k + 1) - energy) : 0.0;
    const phi = weight * energy * Math.exp(front - (kappa + 1.0) * Math.log(1.0 + energy * scale));
    const x = (energy - barrier) / 500.0;
    je += phi;
    jsee += phi * (YIELD * x * Math.exp(-2.0 * Math.sqrt(x)));
  }
  const one = f64x2.splat(1.0), power = f64x2.splat(kappa + 1.0), fronts = f64x2.splat(front);
  const scales = f64x2.splat(scale), barriers = f64x2.splat(barrier), range = f64x2.splat(0.002);
  let sum = f64x2.splat(0), yielded = f64x2.splat(0);
  for (; k < POINTS; k += 2) {
    const energy = get2(e, k);
    const ln = log2lanes(f64x2.add(one, f64x2.mul(energy, scales)));
    const density = exp2lanes(f64x2.sub(fronts, f64x2.mul(power, ln)));
    const phi = f64x2.mul(f64x2.mul(get2(weights, k), energy), density);
    const x = f64x2.mul(f64x2.sub(energy, barriers), range);
    const tail = exp2lanes(f64x2.mul(f64x2.splat(-2.0), f64x2.sqrt(x)));
    sum = f64x2.add(sum, phi);
    yielded = f64x2.add(yielded, f64x2.mul(phi, f64x2.mul(f64x2.mul(f64x2.splat(YIELD), x), tail)));
  }
  je += across(sum);
  jsee += across(yielded);
  const scaled = CHARGE * 0.25e4 * density * SPHERE * 2.0 / (MASS * MASS);
  const ti = outside + 1e-6;
  electrons = scaled * je;
  secondaries = scaled * jsee;
  ions = CHARGE * density * Math.sqrt(CHARGE * ti / (2.0 * Math.PI * PROTON)) *
    Math.sqrt(Math.max(0.0, 1.0 - u / ti));
  return ions + secondaries - electrons;
}

/** J_e, J_see, J_i at N potentials of each of B distributions. */
export function shadow_currents(
  B: i32, N: i32, density: usize, kappa: usize, theta: usize, potential: usize, currents: usize, scratch: usize,
): void {
  grid(scratch);
  for (let b = 0; b < B; b++) {
    const k = get(kappa, b), lnG = lnNorm(k);
    for (let i = 0; i < N; i++) {
      const out = at(currents, 3 * (b * N + i));
      const sum = balance(scratch, get(density, b), k, get(theta, b), lnG, get(potential, b * N + i));
      const unknown = sum != sum;
      set(out, 0, unknown ? NaN : electrons);
      set(out, 1, unknown ? NaN : secondaries);
      set(out, 2, unknown ? NaN : ions);
    }
  }
}

/** Lower end of the range that is searched first, V; how much further it is taken and how often. */
const LOWEST: f64 = -1500;
const FURTHER: f64 = 1.5;
const EXTENSIONS: i32 = 10;
/** Half-width that a root is bracketed to, V. */
const CLOSE: f64 = 1e-10;

/** Floating potentials of B distributions. */
export function shadow_potential(
  B: i32, density: usize, kappa: usize, theta: usize, potential: usize, state: usize, scratch: usize,
): void {
  grid(scratch);
  for (let item = 0; item < B; item++) {
    const n = get(density, item), k = get(kappa, item), speed = get(theta, item), lnG = lnNorm(k);
    let a = LOWEST, b: f64 = 0;
    let fa = balance(scratch, n, k, speed, lnG, a), fb = balance(scratch, n, k, speed, lnG, b);
    for (let i = 0; i < EXTENSIONS && (fa > 0) == (fb > 0) && fa == fa && fb == fb; i++) {
      a *= FURTHER;
      fa = balance(scratch, n, k, speed, lnG, a);
    }
    const code = fa != fa || fb != fb ? 3 : (fa > 0) != (fb > 0) ? 0 : fb > 0 ? 1 : 2;
    store<i32>(state + ((<usize> item) << 2), code);
    if (code != 0) {
      set(potential, item, NaN);
      continue;
    }
    let c = a, fc = fa, last = b - a, before = last;
    for (let step = 0; step < 200; step++) {
      if ((fb > 0) == (fc > 0)) {
        c = a;
        fc = fa;
        last = b - a;
        before = last;
      }
      if (Math.abs(fc) < Math.abs(fb)) {
        a = b;
        b = c;
        c = a;
        fa = fb;
        fb = fc;
        fc = fa;
      }
      const middle = 0.5 * (c - b);
      if (Math.abs(middle) <= CLOSE || fb == 0) break;
      let p: f64 = 0, q: f64 = 1;
      let bisect = Math.abs(before) < CLOSE || Math.abs(fa) <= Math.abs(fb);
      if (!bisect) {
        const s = fb / fa;
        if (a == c) {
          p = 2.0 * middle * s;
          q = 1.0 - s;
        } else {
          const t = fa / fc, r = fb / fc;
          p = s * (2.0 * middle * t * (t - r) - (b - a) * (r - 1.0));
          q = (t - 1.0) * (r - 1.0) * (s - 1.0);
        }
        if (p > 0) q = -q;
        p = Math.abs(p);
        bisect = !(2.0 * p < Math.min(3.0 * middle * q - Math.abs(CLOSE * q), Math.abs(before * q)));
      }
      if (bisect) {
        last = middle;
        before = middle;
      } else {
        before = last;
        last = p / q;
      }
      a = b;
      fa = fb;
      b += Math.abs(last) > CLOSE ? last : middle > 0 ? CLOSE : -CLOSE;
      fb = balance(scratch, n, k, speed, lnG, b);
    }
    set(potential, item, b);
  }
}
