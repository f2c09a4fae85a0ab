/** Unpacks large gzip files to a temporary file without a name, in bounded memory. */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { Gunzip } from "fflate";
import { InputError } from "./input_error.ts";
import { inputFault } from "./system_fault.ts";

const CHUNK = 1 << 20;

/** What was unpacked: an open file that vanishes when closed. */
export interface UnpackedFile {
  readonly fd: number;
  /** Bytes unpacked. */
  readonly size: number;
  /** False where the compressed data stop before their end. */
  readonly complete: boolean;
}

/**
 * Unpacks the gzip data of an open file into the system's temporary folder (environment TMPDIR).
 *
 * @param path - name for messages
 * @param packedFd - open for reading
 * @throws InputError where the data are damaged or the temporary folder is full
 */
export function gunzipToUnlinkedFile(path: string, packedFd: number): UnpackedFile {
  const { fd, folder } = temporaryFile();
  let size = 0;
  const write = (bytes: Uint8Array): void => {
    try {
      for (let done = 0; done < bytes.byteLength;) {
        done += writeSync(fd, bytes, done, bytes.byteLength - done, size + done);
      }
    } catch (error) {
      throw inputFault(error, path, `cannot be unpacked into ${folder} (name another folder in TMPDIR)`);
    }
    size += bytes.byteLength;
  };
  try {
    const complete = unpack(path, packedFd, write);
    return { fd, size, complete };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Whether the gzip data of an open file have their end. @throws InputError where they are damaged */
export function isWholeGzip(path: string, packedFd: number): boolean {
  return unpack(path, packedFd, () => {});
}

function temporaryFile(): { fd: number; folder: string } {
  const folder = tmpdir();
  const own = mkdtempSync(join(folder, "twinspec-"));
  try {
    return { fd: openSync(join(own, "unpacked"), "w+", 0o600), folder };
  } finally {
    rmSync(own, { recursive: true });
  }
}

/** Unpacks every member. Returns whether the last one has its trailer: size and checksum of what it holds. */
function unpack(path: string, packedFd: number, write: (bytes: Uint8Array) => void): boolean {
  let size = 0;
  let crc = 0;
  const gunzip = new Gunzip((bytes) => {
    crc = crc32(bytes, crc);
    size += bytes.byteLength;
    write(bytes);
  });
  // Called for the second and later members.
  gunzip.onmember = () => {
    size = 0;
    crc = 0;
  };
  const chunk = new Uint8Array(CHUNK);
  const trailer = new Uint8Array(10);
  let position = 0;
  for (;;) {
    const n = readSync(packedFd, chunk, 0, CHUNK, position);
    if (n === 0) break;
    position += n;
    try {
      gunzip.push(chunk.slice(0, n));
    } catch (error) {
      if (error instanceof InputError) throw error;
      throw damaged(path, (error as Error).message);
    }
  }
  readSync(packedFd, trailer, 0, 10, Math.max(0, position - 10));
  const view = new DataView(trailer.buffer);
  // Data cut among zeros look like the trailer of nothing; nothing is compressed to 03 00, or stored as … FF FF.
  if (size === 0 && ![0x0300, 0xffff].includes(view.getUint16(0))) return false;
  if (view.getUint32(6, true) !== size % 2 ** 32) return false;
  if (view.getUint32(2, true) !== crc) throw damaged(path, "wrong checksum");
  return true;
}

function damaged(path: string, why: string): InputError {
  return new InputError(`${path}: its gzip data are damaged (${why}); copy the file again`);
}
