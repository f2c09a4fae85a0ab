/** Evolution of a prepared batch: generations on the target until every sweep has stopped by itself. */
import { evolutionStart, evolutionStep } from "../kernels/evolution.ts";
import { place, type Target } from "../target.ts";
import { hypercube, seedBounds } from "./hypercube.ts";
import type { LossconeOptions } from "./options.ts";
import type { PreparedSweeps } from "./prepared.ts";

/** Generations between two looks at which sweeps go on. */
const STRIDE = 8;

/** The best of one sweep. */
export interface Evolved {
  readonly u: number;
  readonly bsOverBm: number;
  readonly beamAmp: number;
  readonly chi2: number;
  /** Whether the best is a point of the hypercube that the evolution has not bettered. */
  readonly seed: boolean;
  /** Whether the members had come together within the generations allowed. */
  readonly converged: boolean;
  /** Of χ²; null where they were not counted. */
  readonly evaluations: number | null;
}

/** The members after some generations: arguments of the kernels by name. */
export class Evolution {
  readonly #target: Target;
  readonly #options: LossconeOptions;
  readonly #prepared: PreparedSweeps;
  readonly #seeds: Float64Array;
  readonly #arguments: Readonly<Record<string, ReturnType<typeof place>>>;

  constructor(target: Target, options: LossconeOptions, prepared: PreparedSweeps) {
    const { seeds: S, population: M, weight, crossover, tol, atol } = options.evolution;
    const { B } = prepared.dims;
    const whole = [options.potential, options.fieldRatio, options.beamAmplitude];
    this.#target = target;
    this.#options = options;
    this.#prepared = prepared;
    this.#seeds = hypercube(S, seedBounds(options), options.seed, "seeds");
    const low = options.seed % 4294967296, high = Math.floor(options.seed / 4294967296);
    this.#arguments = {
      population: target.allocate("f64", 3 * M * B),
      values: target.allocate("f64", M * B),
      state: target.allocate("i32", 2 * B),
      settings: place(target, Float64Array.of(weight, crossover, tol, atol)),
      key: place(target, Int32Array.of(low, high)),
    };
    const { population, values, state } = this.#arguments;
    target.run(evolutionStart, { ...prepared.dims, S, M }, {
      ...prepared.tables,
      seeds: place(target, this.#seeds),
      members: place(target, hypercube(M, whole, options.seed, "members")),
      population: population!,
      values: values!,
      state: state!,
    });
  }

  /** Some generations of the sweeps that go on; whether any still does. */
  step(generations: number): boolean {
    const { population: M, generations: MOST } = this.#options.evolution;
    this.#target.run(evolutionStep, { ...this.#prepared.dims, M, G: generations, MOST }, {
      ...this.#prepared.tables,
      ...this.#arguments,
    });
    const state = this.#target.download(this.#arguments.state!) as Int32Array;
    return state.some((on, i) => i % 2 === 1 && on !== 0);
  }

  /** Members, shape (sweeps, members, 3), and their χ², shape (sweeps, members). */
  members(): { readonly population: Float64Array; readonly values: Float64Array } {
    return {
      population: this.#target.download(this.#arguments.population!) as Float64Array,
      values: this.#target.download(this.#arguments.values!) as Float64Array,
    };
  }

  /** The best of every sweep. */
  best(): Evolved[] {
    const { seeds: S, population: M, generations: MOST } = this.#options.evolution;
    const { population, values } = this.members();
    const state = this.#target.download(this.#arguments.state!) as Int32Array;
    return Array.from({ length: this.#prepared.dims.B }, (_, e): Evolved => {
      let best = e * M;
      for (let i = e * M; i < (e + 1) * M; i++) if (values[i]! < values[best]!) best = i;
      const point = population.subarray(3 * best, 3 * best + 3);
      const seed = Array.from({ length: S }, (_, k) => k).some((k) =>
        point.every((v, g) => v === this.#seeds[3 * k + g])
      );
      return {
        u: point[0]!,
        bsOverBm: point[1]!,
        beamAmp: point[2]!,
        chi2: values[best]!,
        seed,
        converged: state[2 * e]! < MOST,
        evaluations: S + M * (1 + state[2 * e]!),
      };
    });
  }
}

/**
 * Evolves a batch to the end, `runs` times with random numbers of their own; the lowest χ² of a sweep counts. One run ends on
 * a wrong plateau of the Lillis χ² in some 8 % of the sweeps, as the reference's does: all members fall onto it.
 */
export function evolve(target: Target, options: LossconeOptions, prepared: PreparedSweeps): Evolved[] {
  let found: Evolved[] = [];
  for (let run = 0; run < options.evolution.runs; run++) {
    const mark = target.mark();
    const evolution = new Evolution(target, { ...options, seed: options.seed + run }, prepared);
    while (evolution.step(STRIDE));
    const best = evolution.best();
    target.release(mark);
    found = run === 0 ? best : found.map((before, e) => {
      const winner = best[e]!.chi2 < before.chi2 ? best[e]! : before;
      return { ...winner, evaluations: before.evaluations! + best[e]!.evaluations! };
    });
  }
  return found;
}
