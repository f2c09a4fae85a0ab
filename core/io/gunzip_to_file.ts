/** Unpacks large gzip files to a temporary file without a name, in bounded memory. */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
// deno-lint-ignore no-import-prefix
import { Gunzip } from "npm:fflate@0.8.3";
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
  let crc = 0;
  const write = (bytes: Uint8Array): void => {
    crc = crc32(bytes, crc);
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
    const { complete, members, packedSize } = pump(path, packedFd, write);
    if (complete && members === 1) checkTrailer(path, packedFd, packedSize, size, crc);
    return { fd, size, complete };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
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

/** The checksum is compared where the last 8 bytes are a trailer for certain: one member, and the size agrees. */
function checkTrailer(path: string, fd: number, packedSize: number, size: number, crc: number): void {
  const trailer = new DataView(new ArrayBuffer(8));
  readSync(fd, new Uint8Array(trailer.buffer), 0, 8, packedSize - 8);
  if (trailer.getUint32(4, true) !== size % 2 ** 32 || trailer.getUint32(0, true) === crc) return;
  throw new InputError(`${path}: its gzip data are damaged (wrong checksum); copy the file again`);
}

interface Pumped {
  /** Whether the last member had its end. */
  complete: boolean;
  members: number;
  packedSize: number;
}

function pump(path: string, packedFd: number, write: (bytes: Uint8Array) => void): Pumped {
  const gunzip = new Gunzip(write);
  let members = 1;
  // Called for the second and later members.
  gunzip.onmember = () => members++;
  const chunk = new Uint8Array(CHUNK);
  let position = 0;
  for (;;) {
    const n = readSync(packedFd, chunk, 0, CHUNK, position);
    position += n;
    try {
      gunzip.push(chunk.subarray(0, n), n === 0);
    } catch (error) {
      if (error instanceof InputError) throw error;
      // At the final push the only fault left is a missing end.
      if (n === 0) return { complete: false, members, packedSize: position };
      throw new InputError(
        `${path}: its gzip data are damaged (${(error as Error).message}); copy the file again`,
      );
    }
    if (n === 0) return { complete: true, members, packedSize: position };
  }
}
