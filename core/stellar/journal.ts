/**
 * The journal of a fit: finished stars of one input, kept beside the output until it can be written whole. A run that
 * was killed goes on from it.
 *
 * Append-only, little-endian. Head: magic (8 bytes), identity (64 hexadecimal digits), CRC-32 of both (u32).
 * Then records: length of the payload (u32), CRC-32 of the payload (u32), payload = per star its index (u32, padded to
 * 8 bytes), its numbers (f64) and its models (f32, arm by arm, padded to 8 bytes). What a torn last record leaves is
 * cut off.
 */
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { crc32 } from "node:zlib";
import { inputFault } from "../io/system_fault.ts";
import type { Reason, StarResult } from "./result.ts";

const MAGIC = "TWSPJNL1";
const HEAD = MAGIC.length + 64 + 4;
const REASONS: readonly Reason[] = [
  "converged",
  "kink",
  "iterations exhausted",
  "no valid evaluation",
  "not fitted",
];

/** What the records of a journal look like. */
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

export class Journal implements Disposable {
  readonly path: string;
  readonly #shape: JournalShape;
  readonly #fd: number;
  #end: number;
  readonly #results: (StarResult | undefined)[];
  /** Where the models of a star begin in the file. */
  readonly #places: Float64Array;
  #done = 0;
  #open = true;

  /**
   * Opens the journal of a run, or begins it.
   *
   * @param identity - SHA-256, hexadecimal, of everything that changes an answer
   * @param onDiscard - told where a journal of another run was thrown away
   * @throws InputError where it cannot be written
   */
  constructor(
    path: string,
    identity: string,
    shape: JournalShape,
    onDiscard: (text: string) => void = () => {},
  ) {
    this.path = path;
    this.#shape = shape;
    this.#results = new Array(shape.stars.length).fill(undefined);
    this.#places = new Float64Array(shape.stars.length);
    this.#fd = guarded(path, () => openSync(path, "a+"));
    // Opened for appending: a write goes to the end whatever else happens.
    const found = journalIdentity(path);
    if (found !== null && found !== identity) {
      onDiscard(`${path} belongs to a run with other options, input or library: starting anew`);
    }
    if (found !== identity) {
      guarded(path, () => ftruncateSync(this.#fd, 0));
      this.#end = 0;
      this.#write(head(identity));
    } else {
      this.#end = HEAD;
      this.#recover();
    }
  }

  /** Stars in the journal. */
  get done(): number {
    return this.#done;
  }

  has(star: number): boolean {
    return this.#results[star] !== undefined;
  }

  /** The answer of a star, if it is there. */
  result(star: number): StarResult | undefined {
    return this.#results[star];
  }

  /** The models of a star in one arm, shape (rows of the star, npix); null where the star is not there. */
  model(star: number, arm: number): Float32Array | null {
    if (!this.has(star)) return null;
    const rows = this.#shape.stars[star].length;
    const before = this.#shape.npix.slice(0, arm).reduce((sum, n) => sum + n, 0);
    const bytes = this.#read(this.#places[star] + 4 * rows * before, 4 * rows * this.#shape.npix[arm]);
    return new Float32Array(bytes.buffer);
  }

  /** Adds finished stars: all of them survive a kill, or none. A star that is there already is left as it was. */
  append(stars: readonly FinishedStar[]): void {
    const fresh = stars.filter(({ star }) => !this.has(star));
    if (fresh.length === 0) return;
    const payload = concat(fresh.flatMap((star) => this.#encode(star)));
    const prefix = new Uint32Array([payload.byteLength, crc32(payload)]);
    const at = this.#end;
    this.#write(concat([new Uint8Array(prefix.buffer), payload]));
    guarded(this.path, () => fdatasyncSync(this.#fd));
    this.#note(payload, at + 8);
  }

  close(): void {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
  }

  /** Closes and deletes it. */
  remove(): void {
    this.close();
    rmSync(this.path, { force: true });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Reads the records that are whole; cuts off the rest. */
  #recover(): void {
    const size = guarded(this.path, () => fstatSync(this.#fd).size);
    while (this.#end + 8 <= size) {
      const [length, sum] = new Uint32Array(this.#read(this.#end, 8).buffer);
      if (length === 0 || this.#end + 8 + length > size) break;
      const payload = this.#read(this.#end + 8, length);
      if (crc32(payload) !== sum || !this.#note(payload, this.#end + 8)) break;
      this.#end += 8 + length;
    }
    if (this.#end < size) guarded(this.path, () => ftruncateSync(this.#fd, this.#end));
  }

  #encode({ star, result, models }: FinishedStar): Uint8Array[] {
    const { stars, npix } = this.#shape;
    npix.forEach((n, arm) => {
      if (models[arm]?.length !== n * stars[star].length) {
        throw new RangeError(
          `models of arm ${arm}: ${models[arm]?.length} values, expected ${n * stars[star].length}`,
        );
      }
    });
    const pixels = stars[star].length * npix.reduce((sum, n) => sum + n, 0);
    return [
      bytesOf(new Uint32Array([star, 0])),
      bytesOf(numbersOf(result, this.#shape)),
      ...models.map(bytesOf),
      new Uint8Array(4 * (pixels % 2)),
    ];
  }

  /** Takes up the stars of a payload. False where it is not of this shape. */
  #note(payload: Uint8Array<ArrayBuffer>, at: number): boolean {
    const { stars, npix, axes } = this.#shape;
    const count = numberCount(axes, npix.length);
    const pixels = npix.reduce((sum, n) => sum + n, 0);
    let offset = 0;
    while (offset < payload.byteLength) {
      const star = new DataView(payload.buffer, payload.byteOffset + offset).getUint32(0, true);
      if (star >= stars.length) return false;
      const numbers = new Float64Array(payload.slice(offset + 8, offset + 8 + 8 * count).buffer);
      if (!this.has(star)) {
        this.#results[star] = resultOf(numbers, stars[star], this.#shape);
        this.#places[star] = at + offset + 8 + 8 * count;
        this.#done++;
      }
      offset += 8 + 8 * count + 8 * Math.ceil(stars[star].length * pixels / 2);
    }
    return true;
  }

  #write(bytes: Uint8Array): void {
    guarded(this.path, () => {
      let done = 0;
      while (done < bytes.byteLength) done += writeSync(this.#fd, bytes, done, bytes.byteLength - done, null);
    });
    this.#end += bytes.byteLength;
  }

  #read(at: number, length: number): Uint8Array<ArrayBuffer> {
    return readFrom(this.path, this.#fd, at, length);
  }
}

/** The identity of the run that a journal belongs to; null where there is no journal, or one torn at its head. */
export function journalIdentity(path: string): string | null {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return null;
    throw inputFault(error, path, "cannot be read");
  }
  try {
    if (fstatSync(fd).size < HEAD) return null;
    const bytes = readFrom(path, fd, 0, HEAD);
    const identity = new TextDecoder().decode(bytes.subarray(MAGIC.length, HEAD - 4));
    return head(identity).every((byte, i) => byte === bytes[i]) ? identity : null;
  } finally {
    closeSync(fd);
  }
}

function head(identity: string): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(MAGIC + identity);
  return concat([text, new Uint8Array(new Uint32Array([crc32(text)]).buffer)]);
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

function bytesOf(array: Uint32Array | Float64Array | Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.byteLength;
  }
  return out;
}

function readFrom(path: string, fd: number, at: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  guarded(path, () => {
    let done = 0;
    while (done < length) {
      const n = readSync(fd, bytes, done, length - done, at + done);
      if (n === 0) throw new Error("it is shorter than it was");
      done += n;
    }
  });
  return bytes;
}

function guarded<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw inputFault(error, path, "the journal cannot be used");
  }
}
