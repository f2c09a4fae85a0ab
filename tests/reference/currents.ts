/** Slow, plain currents to a body in a kappa plasma. */
import { kappaFlux, temperatureOf, thermalSpeedOf } from "../../core/losscone/kappa_distribution.ts";

const CHARGE = 1.602176634e-19;
const PROTON = 1.67262192369e-27;

/** n energies from low to high, geometric. */
export function geometric(low: number, high: number, n: number): number[] {
  return Array.from({ length: n }, (_, k) => low * (high / low) ** (k / (n - 1)));
}

/** ∫ of the parabola through three points. */
function parabola(x: number[], y: number[]): number {
  const [x0, x1, x2] = x.map((v) => v - x[0]!) as [number, number, number];
  // y = y0 + b x + c x²
  const s1 = (y[1]! - y[0]!) / (x1 - x0), s2 = (y[2]! - y[0]!) / (x2 - x0);
  const c = (s2 - s1) / (x2 - x1), b = s1 - c * x1;
  return y[0]! * x2 + b * x2 * x2 / 2 + c * x2 ** 3 / 3;
}

/** Simpson's rule, parabola by parabola; an odd number of intervals: the mean of both ways to leave one to a trapezoid. */
export function slowSimpson(x: number[], y: number[]): number {
  const rule = (first: number, last: number) => {
    let sum = 0;
    for (let i = first; i < last; i += 2) sum += parabola(x.slice(i, i + 3), y.slice(i, i + 3));
    return sum;
  };
  const n = x.length, flat = (i: number) => (x[i + 1]! - x[i]!) * (y[i]! + y[i + 1]!) / 2;
  return n % 2 === 1 ? rule(0, n - 1) : (rule(0, n - 2) + flat(n - 2) + flat(0) + rule(1, n - 1)) / 2;
}

export function slowElectronCurrent(density: number, kappa: number, theta: number, P: number): number {
  const x = geometric(10, 20000, P);
  return CHARGE * 1e4 / 4 * slowSimpson(x, x.map((e) => kappaFlux({ density, kappa, theta }, e)));
}

/** Photoelectron current of a sunlit spacecraft at U, A/m². */
export function slowSunlitCurrent(u: number): number {
  return 1.07e-6 * Math.exp(-u / 5) + 1.6e-8 * Math.exp(-u / 60);
}

/** Root of the curve by halving; NaN where there is none. */
export function slowSunlitPotential(current: number): number {
  let [low, high] = [0, 150];
  if (!(current <= slowSunlitCurrent(low) && current >= slowSunlitCurrent(high))) return NaN;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (slowSunlitCurrent(middle) > current) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Electrons, secondaries, ions at U. */
export function slowShadowCurrents(density: number, kappa: number, theta: number, u: number): number[] {
  const outside = temperatureOf(kappa, theta) + u / (kappa - 1.5);
  if (Number.isNaN(outside) || Number.isNaN(density)) return [NaN, NaN, NaN];
  if (outside <= 0) return [0, 0, 1e12];
  const there = { density, kappa, theta: thermalSpeedOf(kappa, outside) };
  const x = geometric(1, 20000, 500).filter((e) => e >= Math.abs(u));
  const y = x.map((e) => kappaFlux(there, e) * 1e4 / 4);
  const integral = (f: (i: number) => number) =>
    x.slice(1).reduce((sum, e, i) => sum + (e - x[i]!) * (f(i) + f(i + 1)) / 2, 0);
  const secondary = (e: number) => {
    const z = (e - Math.abs(u)) / 500;
    return 7.4 * 1.5 * z * Math.exp(-2 * Math.sqrt(z));
  };
  const ti = outside + 1e-6;
  return [
    CHARGE * integral((i) => y[i]!),
    CHARGE * integral((i) => y[i]! * secondary(x[i]!)),
    CHARGE * density * Math.sqrt(CHARGE * ti / (2 * Math.PI * PROTON)) * Math.sqrt(Math.max(0, 1 - u / ti)),
  ];
}

/** J_i + J_see − J_e at U. */
export function slowShadowSum(density: number, kappa: number, theta: number, u: number): number {
  const [je, jsee, ji] = slowShadowCurrents(density, kappa, theta, u);
  return ji! + jsee! - je!;
}

/**
 * Brent's root between a and b, where f has either sign: inverse quadratic or secant steps, else halving. The electron
 * current is a staircase in |U|, so that there may be several roots; which one is found is the method's.
 */
function brent(f: (x: number) => number, from: number, to: number, close: number): number {
  let older = { x: from, y: f(from) }, now = { x: to, y: f(to) }, other = older;
  let step = now.x - older.x, stepBefore = step;
  for (let i = 0; i < 200; i++) {
    if (now.y > 0 === other.y > 0) {
      other = older;
      step = stepBefore = now.x - older.x;
    }
    if (Math.abs(other.y) < Math.abs(now.y)) [older, now, other] = [now, other, now];
    const half = (other.x - now.x) / 2;
    if (Math.abs(half) <= close || now.y === 0) break;
    let next = NaN;
    if (Math.abs(stepBefore) >= close && Math.abs(older.y) > Math.abs(now.y)) {
      const s = now.y / older.y;
      let [p, q] = [2 * half * s, 1 - s];
      if (older !== other) {
        const t = older.y / other.y, r = now.y / other.y;
        p = s * (2 * half * t * (t - r) - (now.x - older.x) * (r - 1));
        q = (t - 1) * (r - 1) * (s - 1);
      }
      // a step towards `other`, less than three quarters of the way, and shrinking
      const move = -p / q, share = move / half;
      if (
        share > 0 && 2 * Math.abs(p) < 3 * Math.abs(half * q) - close * Math.abs(q) &&
        2 * Math.abs(move) < Math.abs(stepBefore)
      ) next = move;
    }
    [stepBefore, step] = Number.isNaN(next) ? [half, half] : [step, next];
    older = now;
    const x = now.x + (Math.abs(step) > close ? step : Math.sign(half) * close);
    now = { x, y: f(x) };
  }
  return now.x;
}

/** Floating potential; NaN where the sum has one sign. */
export function slowShadowPotential(density: number, kappa: number, theta: number): number {
  const sum = (u: number) => slowShadowSum(density, kappa, theta, u);
  let low = -1500;
  for (let i = 0; i < 10 && sum(low) > 0 === sum(0) > 0; i++) low *= 1.5;
  if (sum(low) > 0 === sum(0) > 0 || Number.isNaN(sum(0))) return NaN;
  return brent(sum, low, 0, 1e-10);
}
