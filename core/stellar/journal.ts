/**
 * The journal of a fit: finished stars of one input. An item of the journal is a star: its numbers (f64), then its models
 * (f32, arm by arm).
 */
import { concat, Journal } from "../journal.ts";
import type { Reason, StarResult } from "./result.ts";

const REASONS: readonly Reason[] = [
  "converged",
  "kink",
  "iterations exhausted",
  "no valid evaluation",
  "not fitted",
];

/** What the items of a journal look like. */
export interface JournalShape {
  /** Rows of the input that make each star. */
  readonly stars: readonly (readonly number[])[];
  /** Pixels of each fitted arm. */
  readonly npix: readonly number[];
  /** Axes of the library. */
  readonly axes: number;
}

/** A finished star. */
export interface FinishedStar {
  /** Index into the stars of the shape. */
  readonly star: number;
  readonly result: StarResult;
  /** Per arm, shape (rows of the star, npix). */
  readonly models: readonly Float32Array[];
}

export class StarJournal implements Disposable {
  readonly #journal: Journal;
  readonly #shape: JournalShape;

  /** See {@link Journal}. */
  constructor(path: string, identity: string, shape: JournalShape, onDiscard?: (text: string) => void) {
    this.#shape = shape;
    this.#journal = new Journal(path, identity, shape.stars.length, onDiscard);
  }

  /** Stars in the journal. */
  get done(): number {
    return this.#journal.done;
  }

  has(star: number): boolean {
    return this.#journal.has(star);
  }

  /** The answer of a star, if it is there. */
  result(star: number): StarResult | undefined {
    const { stars, npix, axes } = this.#shape;
    const bytes = this.#journal.read(star, 0, 8 * numberCount(axes, npix.length));
    if (bytes === null) return undefined;
    return resultOf(new Float64Array(bytes.buffer), stars[star], this.#shape);
  }

  /** The models of a star in one arm, shape (rows of the star, npix); null where the star is not there. */
  model(star: number, arm: number): Float32Array | null {
    const { stars, npix, axes } = this.#shape;
    const rows = stars[star].length;
    const before = npix.slice(0, arm).reduce((sum, n) => sum + n, 0);
    const offset = 8 * numberCount(axes, npix.length) + 4 * rows * before;
    const bytes = this.#journal.read(star, offset, 4 * rows * npix[arm]);
    return bytes === null ? null : new Float32Array(bytes.buffer);
  }

  /** Adds finished stars: all of them survive a kill, or none. A star that is there already is left as it was. */
  append(stars: readonly FinishedStar[]): void {
    this.#journal.append(stars.map((star) => ({ item: star.star, bytes: this.#encode(star) })));
  }

  close(): void {
    this.#journal.close();
  }

  /** Closes and deletes it. */
  remove(): void {
    this.#journal.remove();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #encode({ star, result, models }: FinishedStar): Uint8Array {
    const { stars, npix } = this.#shape;
    npix.forEach((n, arm) => {
      if (models[arm]?.length !== n * stars[star].length) {
        throw new RangeError(
          `models of arm ${arm}: ${models[arm]?.length} values, expected ${n * stars[star].length}`,
        );
      }
    });
    return concat([numbersOf(result, this.#shape), ...models].map(bytesOf));
  }
}

/** Numbers of a star: 14 single ones, parameters and their errors, covariance, χ² twice and S/N by arm. */
function numberCount(axes: number, arms: number): number {
  return 14 + 2 * axes + (2 + axes) ** 2 + 3 * arms;
}

function numbersOf(star: StarResult, { axes, npix }: JournalShape): Float64Array {
  const lists: [string, readonly number[], number][] = [
    ["params", star.params, axes],
    ["paramErrs", star.paramErrs, axes],
    ["covariance", star.covariance, (2 + axes) ** 2],
    ["chisq", star.chisq, npix.length],
    ["chisqContinuum", star.chisqContinuum, npix.length],
    ["sn", star.sn, npix.length],
  ];
  for (const [name, list, length] of lists) {
    if (list.length !== length) {
      throw new RangeError(`${name} of a star: ${list.length} values, expected ${length}`);
    }
  }
  return Float64Array.from([
    star.vrad,
    star.vradErr,
    star.vradErrMarginal,
    star.vradSkew,
    star.vradKurt,
    star.vradCcf,
    star.vsini,
    star.vsiniErr,
    star.m2lnl,
    star.npix,
    star.warn,
    star.evaluations,
    REASONS.indexOf(star.reason),
    star.template,
    ...lists.flatMap(([, list]) => list),
  ]);
}

function resultOf(numbers: Float64Array, rows: readonly number[], { axes, npix }: JournalShape): StarResult {
  let at = 0;
  const one = () => numbers[at++];
  const list = (length: number) => Array.from(numbers.subarray(at, at += length));
  return {
    rows,
    vrad: one(),
    vradErr: one(),
    vradErrMarginal: one(),
    vradSkew: one(),
    vradKurt: one(),
    vradCcf: one(),
    vsini: one(),
    vsiniErr: one(),
    m2lnl: one(),
    npix: one(),
    warn: one(),
    evaluations: one(),
    reason: REASONS[one()] ?? "not fitted",
    template: one(),
    params: list(axes),
    paramErrs: list(axes),
    covariance: list((2 + axes) ** 2),
    chisq: list(npix.length),
    chisqContinuum: list(npix.length),
    sn: list(npix.length),
  };
}

function bytesOf(array: Float64Array | Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
