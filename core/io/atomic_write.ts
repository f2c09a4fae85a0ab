/**
 * Files that appear whole or not at all: written under a temporary name in the same folder, forced to disk, renamed.
 */
import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { pid } from "node:process";
import { inputFault } from "./system_fault.ts";

let serial = 0;
const unfinished = new Set<AtomicFile>();

/** Removes the temporary files of everything being written: what a handler of SIGINT or SIGTERM calls. */
export function abortUnfinished(): void {
  for (const file of unfinished) file.abort();
}

/** A file being written. It takes its name at `commit`; until then, or after `abort`, nothing of that name changes. */
export class AtomicFile implements Disposable {
  readonly path: string;
  readonly #temporary: string;
  readonly #fd: number;
  #size = 0;
  #open = true;

  private constructor(path: string, temporary: string, fd: number) {
    this.path = path;
    this.#temporary = temporary;
    this.#fd = fd;
    unfinished.add(this);
  }

  /** @throws InputError where the folder is missing or cannot be written to */
  static create(path: string): AtomicFile {
    const temporary = `${path}.tmp-${pid}-${serial++}`;
    try {
      return new AtomicFile(path, temporary, openSync(temporary, "wx+"));
    } catch (error) {
      throw inputFault(error, path, "cannot be written");
    }
  }

  /** Bytes up to the last one written. */
  get size(): number {
    return this.#size;
  }

  /** Writes at the end, or at an offset. @throws InputError where the device is full; nothing is left behind */
  write(bytes: Uint8Array, offset: number = this.#size): void {
    this.#guard(() => {
      let done = 0;
      while (done < bytes.byteLength) {
        done += writeSync(this.#fd, bytes, done, bytes.byteLength - done, offset + done);
      }
      this.#size = Math.max(this.#size, offset + bytes.byteLength);
    });
  }

  /** Reads back; bytes never written are zeros. */
  read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    this.#guard(() => {
      let done = 0;
      while (done < length) {
        const n = readSync(this.#fd, bytes, done, length - done, offset + done);
        if (n === 0) break;
        done += n;
      }
    });
    return bytes;
  }

  /** Forces the bytes to disk and gives the file its name, in place of an older one. */
  commit(): void {
    this.#guard(() => {
      fsyncSync(this.#fd);
      closeSync(this.#fd);
      this.#open = false;
      renameSync(this.#temporary, this.path);
      unfinished.delete(this);
      syncFolder(dirname(this.path));
    });
  }

  /** Gives up; does nothing after `commit` or `abort`. */
  abort(): void {
    unfinished.delete(this);
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#fd);
    rmSync(this.#temporary, { force: true });
  }

  [Symbol.dispose](): void {
    this.abort();
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.abort();
      rmSync(this.#temporary, { force: true });
      throw inputFault(error, this.path, "cannot be written");
    }
  }
}

/** The new name itself is forced to disk; some file systems refuse that for folders, then it is left to them. */
function syncFolder(folder: string): void {
  let fd: number;
  try {
    fd = openSync(folder, "r");
  } catch {
    return;
  }
  try {
    fsyncSync(fd);
  } catch {
    // As said above.
  } finally {
    closeSync(fd);
  }
}

/**
 * Writes a file whole.
 *
 * @param content - text (UTF-8), bytes, or a sequence of such pieces, taken one at a time
 * @throws InputError where it cannot be written; an older file of that name is then as it was
 */
export function writeAtomic(
  path: string,
  content: string | Uint8Array | Iterable<string | Uint8Array>,
): void {
  using file = AtomicFile.create(path);
  const encoder = new TextEncoder();
  const pieces = typeof content === "string" || content instanceof Uint8Array ? [content] : content;
  for (const piece of pieces) file.write(typeof piece === "string" ? encoder.encode(piece) : piece);
  file.commit();
}

/** As {@link writeAtomic}, for a stream of bytes. */
export async function writeAtomicStream(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  using file = AtomicFile.create(path);
  for await (const chunk of chunks) file.write(chunk);
  file.commit();
}
