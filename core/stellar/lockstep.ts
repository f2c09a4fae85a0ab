/**
 * Steps a batch of stars together: every star still running asks for points or a scan, the questions of all are
 * answered with one kernel call per arm, and every star goes on. What comes back is a few dozen numbers a star.
 */
import type { ArmContext, Points } from "./arm_context.ts";
import type { Asking, Question, Scan } from "./asking.ts";
import type { Evaluation, ParameterSpace, Point } from "./parameter_space.ts";

/** Spectra of a star: indices into the batch of each arm. */
export type StarEntries = readonly (readonly number[])[];

/** Most evaluations in one kernel call: bounds the memory of points and results. */
const MOST = 4096;

interface Asked {
  readonly star: number;
  readonly point: Point;
}

export class Lockstep {
  readonly #space: ParameterSpace;
  readonly #arms: readonly ArmContext[];
  readonly #entries: readonly StarEntries[];
  readonly #seconds: Record<string, number>;

  constructor(
    space: ParameterSpace,
    arms: readonly ArmContext[],
    entries: readonly StarEntries[],
    seconds: Record<string, number>,
  ) {
    this.#space = space;
    this.#arms = arms;
    this.#entries = entries;
    this.#seconds = seconds;
  }

  /** Runs one computation per star to its end; null entries are skipped. */
  run<R>(computations: readonly (Asking<R> | null)[]): (R | null)[] {
    const results: (R | null)[] = computations.map(() => null);
    const questions = new Map<number, Question>();
    const resume = (star: number, answer?: unknown) => {
      const { done, value } = computations[star]!.next(answer as never);
      if (done) {
        results[star] = value;
        questions.delete(star);
      } else {
        questions.set(star, value);
      }
    };
    computations.forEach((c, star) => c !== null && resume(star));
    while (questions.size > 0) {
      const asked = [...questions].sort((a, b) => a[0] - b[0]);
      const points: Asked[] = [];
      const scans: { star: number; scan: Scan }[] = [];
      for (const [star, question] of asked) {
        if ("velocities" in question) scans.push({ star, scan: question });
        else for (const point of question) points.push({ star, point });
      }
      const evaluations = this.evaluate(points);
      const scanned = this.scan(scans);
      let next = 0;
      for (const [star, question] of asked) {
        if ("velocities" in question) resume(star, scanned.get(star));
        else {
          resume(star, evaluations.slice(next, next + question.length));
          next += question.length;
        }
      }
    }
    return results;
  }

  /** −2 ln L with priors, gradient and Gauss-Newton matrix of every point, summed over the star's spectra. */
  evaluate(asked: readonly Asked[]): Evaluation[] {
    const began = performance.now();
    const n = this.#space.names.length;
    const values = new Float64Array(asked.length);
    const gradients = asked.map(() => new Float64Array(n));
    const curvatures = asked.map(() => new Float64Array(n * n));
    const scales = asked.map(({ point }) => {
      const { dt } = this.#space.fractions(point);
      return Float64Array.of(1, 1, ...dt);
    });
    this.#arms.forEach((arm, a) => {
      for (const { owners, points } of this.#gather(asked, a, 1)) {
        const { value, gradient, curvature } = arm.evaluate(points);
        owners.forEach((owner, e) => {
          values[owner]! += value[e]!;
          const scale = scales[owner]!;
          const g = gradients[owner]!, H = curvatures[owner]!;
          for (let i = 0; i < n; i++) {
            g[i]! += gradient[e * n + i]! * scale[i]!;
            for (let j = 0; j < n; j++) {
              H[i * n + j]! += curvature[(e * n + i) * n + j]! * scale[i]! * scale[j]!;
            }
          }
        });
      }
    });
    const out = asked.map(({ point }, k) => ({
      value: this.#space.addPriors(point.x, values[k]!, gradients[k]!, curvatures[k]!),
      gradient: gradients[k]!,
      curvature: curvatures[k]!,
    }));
    this.#count("optimiser", began);
    return out;
  }

  /** Values over velocities; stars with equally many velocities share a call. */
  scan(scans: readonly { star: number; scan: Scan }[]): Map<number, Float64Array> {
    const began = performance.now();
    const out = new Map<number, Float64Array>();
    const counts = [...new Set(scans.map(({ scan }) => scan.velocities.length))].sort((a, b) => a - b);
    for (const V of counts) {
      const group = scans.filter(({ scan }) => scan.velocities.length === V);
      const asked = group.map(({ star, scan }) => ({ star, point: scan.point }));
      const sums = group.map(() => new Float64Array(V));
      this.#arms.forEach((arm, a) => {
        for (const { owners, points } of this.#gather(asked, a, V)) {
          owners.forEach((owner, e) => points.velocity.set(group[owner]!.scan.velocities, e * V));
          const values = arm.scan(points, V);
          owners.forEach((owner, e) => {
            for (let v = 0; v < V; v++) sums[owner]![v]! += values[e * V + v]!;
          });
        }
      });
      group.forEach(({ star, scan }, k) => {
        const { x } = scan.point;
        const moving = x.slice();
        for (let v = 0; v < V; v++) {
          moving[0] = scan.velocities[v]!;
          sums[k]![v]! += this.#space.priorValue(moving);
        }
        out.set(star, sums[k]!);
      });
    }
    this.#count("posterior", began);
    return out;
  }

  /** Points of one arm for the spectra of the asked stars, in pieces of at most MOST. */
  *#gather(asked: readonly Asked[], arm: number, V: number): Generator<{ owners: number[]; points: Points }> {
    const flat: { owner: number; entry: number }[] = [];
    asked.forEach(({ star }, owner) => {
      for (const entry of this.#entries[star]![arm]!) flat.push({ owner, entry });
    });
    for (let from = 0; from < flat.length; from += MOST) {
      const part = flat.slice(from, from + MOST);
      yield {
        owners: part.map(({ owner }) => owner),
        points: this.points(part.map(({ owner, entry }) => ({ point: asked[owner]!.point, entry })), V),
      };
    }
  }

  /** Kernel arguments of some points. */
  points(list: readonly { point: Point; entry: number }[], V = 1): Points {
    const E = list.length;
    const D = this.#space.dimension;
    const C = 1 << D;
    const out = {
      entry: new Int32Array(E),
      corners: new Int32Array(E * C),
      t: new Float64Array(E * D),
      velocity: new Float64Array(E * V),
      vsini: new Float64Array(E),
    };
    list.forEach(({ point, entry }, e) => {
      out.entry[e] = entry;
      if (D > 0) {
        out.corners.set(this.#space.corners(point.cell), e * C);
        out.t.set(this.#space.fractions(point).t, e * D);
      } else {
        out.corners[e] = point.template;
      }
      out.velocity.fill(point.x[0]!, e * V, (e + 1) * V);
      out.vsini[e] = point.x[1]!;
    });
    return out;
  }

  #count(stage: string, began: number): void {
    this.#seconds[stage] = (this.#seconds[stage] ?? 0) + (performance.now() - began) / 1000;
  }
}
