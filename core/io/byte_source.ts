/**
 * Random access to the bytes of a file, gzip-compressed or plain. Which of the two is told by the first bytes, not by
 * the name. Compressed data that unpack to less than {@link MEMORY_LIMIT} are held in memory, larger ones go to a
 * temporary file that has no name any more, so that memory stays bounded and nothing is left behind.
 */
import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { constants, gunzipSync } from "node:zlib";
import { InputError } from "./input_error.ts";
import { gunzipToUnlinkedFile, isWholeGzip } from "./gunzip_to_file.ts";
import { inputFault } from "./system_fault.ts";

/** Unpacked gzip data of this many bytes or more are read from a temporary file. */
export const MEMORY_LIMIT = 512 * 2 ** 20;

export interface ByteSource {
  readonly path: string;
  /** Bytes available, unpacked. */
  readonly size: number;
  /** Where gzip data are cut off: a clause for an error message. The bytes before the cut are available. */
  readonly cut: string | null;
  /** A copy of `length` bytes from `offset`, at the start of a buffer of its own. */
  read(offset: number, length: number): Uint8Array<ArrayBuffer>;
  close(): void;
}

/**
 * Opens a file.
 *
 * @param memoryLimit - bytes, see {@link MEMORY_LIMIT}
 * @throws InputError where the file is missing, unreadable, or its gzip data are damaged. Cut-off gzip data do not
 *   throw: see {@link ByteSource.cut}
 */
export function openBytes(path: string, memoryLimit: number = MEMORY_LIMIT): ByteSource {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    throw inputFault(error, path, "cannot be opened");
  }
  try {
    const stat = fstatSync(fd);
    if (stat.isDirectory()) throw new InputError(`${path}: is a folder, expected a file`);
    if (!startsAsGzip(fd)) return new FileBytes(path, fd, stat.size, null);
    const source = unpack(path, fd, stat.size, memoryLimit);
    closeSync(fd);
    return source;
  } catch (error) {
    closeSync(fd);
    throw error instanceof InputError ? error : inputFault(error, path, "cannot be read");
  }
}

function startsAsGzip(fd: number): boolean {
  const magic = new Uint8Array(2);
  return readSync(fd, magic, 0, 2, 0) === 2 && magic[0] === 0x1f && magic[1] === 0x8b;
}

/** Unpacked size that the last member claims, modulo 2^32; a hint only. Zero where the file is shorter than a claim. */
function claimedSize(fd: number, size: number): number {
  if (size < 4) return 0;
  const tail = new Uint8Array(4);
  readSync(fd, tail, 0, 4, size - 4);
  return new DataView(tail.buffer).getUint32(0, true);
}

function unpack(path: string, fd: number, packedSize: number, memoryLimit: number): ByteSource {
  const claimed = claimedSize(fd, packedSize);
  if (packedSize < memoryLimit && claimed < memoryLimit) {
    const packed = readFileSync(path);
    const options = { chunkSize: 1 << 20, maxOutputLength: memoryLimit };
    try {
      const unpacked = gunzipSync(packed, options);
      // Not every runtime's gunzipSync notices a missing end. Several members also give another size than the last claims.
      const whole = unpacked.byteLength === claimed || isWholeGzip(path, fd);
      return new MemoryBytes(path, unpacked, whole ? null : cutClause(packedSize, unpacked.byteLength));
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (code === "Z_BUF_ERROR") {
        const found = gunzipSync(packed, { ...options, finishFlush: constants.Z_SYNC_FLUSH });
        return new MemoryBytes(path, found, cutClause(packedSize, found.byteLength));
      }
      if (error instanceof InputError) throw error;
      if (code !== "ERR_BUFFER_TOO_LARGE") throw damaged(path, error);
    }
  }
  const unpacked = gunzipToUnlinkedFile(path, fd);
  const cut = unpacked.complete ? null : cutClause(packedSize, unpacked.size);
  return new FileBytes(path, unpacked.fd, unpacked.size, cut);
}

function cutClause(packed: number, unpacked: number): string {
  return `its gzip data are cut off after ${packed} compressed bytes, ${unpacked} bytes unpacked`;
}

function damaged(path: string, error: unknown): InputError {
  return new InputError(
    `${path}: its gzip data are damaged (${(error as Error).message}); copy the file again`,
  );
}

/** Most bytes of one call: Node's readSync counts them in 32 bits with a sign. */
const PIECE = 2 ** 30;

class FileBytes implements ByteSource {
  #open = true;
  constructor(
    readonly path: string,
    private readonly fd: number,
    readonly size: number,
    readonly cut: string | null,
  ) {}

  read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    checkRange(this, offset, length);
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const n = readSync(this.fd, bytes, done, Math.min(length - done, PIECE), offset + done);
      if (n === 0) {
        throw new InputError(`${this.path}: became shorter while being read, at byte ${offset + done}`);
      }
      done += n;
    }
    return bytes;
  }

  close(): void {
    if (this.#open) closeSync(this.fd);
    this.#open = false;
  }
}

class MemoryBytes implements ByteSource {
  #bytes: Uint8Array;
  readonly size: number;
  constructor(readonly path: string, bytes: Uint8Array, readonly cut: string | null) {
    this.#bytes = bytes;
    this.size = bytes.byteLength;
  }

  read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    checkRange(this, offset, length);
    const copy = new Uint8Array(length);
    copy.set(this.#bytes.subarray(offset, offset + length));
    return copy;
  }

  close(): void {
    this.#bytes = new Uint8Array(0);
  }
}

function checkRange(source: ByteSource, offset: number, length: number): void {
  if (offset + length <= source.size) return;
  const why = source.cut === null ? "ends early" : source.cut;
  throw new InputError(
    `${source.path}: ${why}: ${offset + length} bytes expected, ${source.size} found; copy the file again`,
  );
}
