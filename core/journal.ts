/**
 * The journal of a run: finished items of one output, kept beside it until it can be written whole. A run that was killed
 * goes on from it.
 *
 * Append-only, little-endian. Head: magic (8 bytes), identity (64 hexadecimal digits), CRC-32 of both (u32).
 * Then records: length of the payload (u32), CRC-32 of the payload (u32), payload = per item its index (u32), the number
 * of its bytes (u32) and the bytes, padded to 8. What a torn last record leaves is cut off.
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
import { inputFault } from "./io/system_fault.ts";

const MAGIC = "TWSPJNL2";
const HEAD = MAGIC.length + 64 + 4;

/** A finished item. */
export interface JournalRecord {
  /** 0 … items − 1. */
  readonly item: number;
  /** All that the output needs of it. */
  readonly bytes: Uint8Array;
}

export class Journal implements Disposable {
  readonly path: string;
  readonly #fd: number;
  #end: number;
  /** Where the bytes of an item begin in the file, NaN where it is not there; and their number. */
  readonly #places: Float64Array;
  readonly #lengths: Uint32Array;
  #done = 0;
  #open = true;

  /**
   * Opens the journal of a run, or begins it.
   *
   * @param identity - SHA-256, hexadecimal, of everything that changes an answer
   * @param items - items of the run in all
   * @param onDiscard - told where a journal of another run was thrown away
   * @throws InputError where it cannot be written
   */
  constructor(path: string, identity: string, items: number, onDiscard: (text: string) => void = () => {}) {
    this.path = path;
    this.#places = new Float64Array(items).fill(NaN);
    this.#lengths = new Uint32Array(items);
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

  /** Items in the journal. */
  get done(): number {
    return this.#done;
  }

  has(item: number): boolean {
    return !Number.isNaN(this.#places[item] ?? NaN);
  }

  /** Bytes of an item, or `length` of them from `offset` on; null where it is not there. */
  read(
    item: number,
    offset = 0,
    length = (this.#lengths[item] ?? 0) - offset,
  ): Uint8Array<ArrayBuffer> | null {
    if (!this.has(item)) return null;
    return readFrom(this.path, this.#fd, this.#places[item] + offset, length);
  }

  /** Adds finished items: all of them survive a kill, or none. An item that is there already is left as it was. */
  append(records: Iterable<JournalRecord>): void {
    const parts: Uint8Array[] = [];
    for (const { item, bytes } of records) {
      if (this.has(item)) continue;
      if (!(item >= 0 && item < this.#places.length)) {
        throw new RangeError(`item ${item} of ${this.#places.length}`);
      }
      const length = bytes.byteLength;
      parts.push(
        new Uint8Array(new Uint32Array([item, length]).buffer),
        bytes,
        new Uint8Array(padding(length)),
      );
    }
    if (parts.length === 0) return;
    const payload = concat(parts);
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
      const [length, sum] = new Uint32Array(readFrom(this.path, this.#fd, this.#end, 8).buffer);
      if (length === 0 || this.#end + 8 + length > size) break;
      const payload = readFrom(this.path, this.#fd, this.#end + 8, length);
      if (crc32(payload) !== sum || !this.#note(payload, this.#end + 8)) break;
      this.#end += 8 + length;
    }
    if (this.#end < size) guarded(this.path, () => ftruncateSync(this.#fd, this.#end));
  }

  /** Takes up the items of a payload. False where it is none of this run. */
  #note(payload: Uint8Array<ArrayBuffer>, at: number): boolean {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    for (let offset = 0; offset < payload.byteLength;) {
      const item = view.getUint32(offset, true), length = view.getUint32(offset + 4, true);
      if (item >= this.#places.length) return false;
      if (!this.has(item)) {
        this.#places[item] = at + offset + 8;
        this.#lengths[item] = length;
        this.#done++;
      }
      offset += 8 + length + padding(length);
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

const padding = (length: number): number => (8 - length % 8) % 8;

/** Pieces end to end. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
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
