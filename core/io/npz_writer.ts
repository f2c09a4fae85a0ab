/** Writing an NPZ array by array, deflated, without holding it in memory: for outputs of long runs. */
import { once } from "node:events";
import { crc32, createDeflateRaw } from "node:zlib";
import { AtomicFile } from "./atomic_write.ts";
import { encodeNumbers, encodeStrings, type NpyContent, npyHead } from "./npy.ts";

const LIMIT = 0xffffffff;
/** Faster than the default at nearly its size for columns of numbers. */
const LEVEL = 4;

interface Entry {
  readonly name: Uint8Array;
  readonly offset: number;
  readonly crc: number;
  readonly packed: number;
  readonly unpacked: number;
}

/** The file appears under its name at `commit`, whole. */
export class NpzWriter implements Disposable {
  readonly #file: AtomicFile;
  readonly #entries: Entry[] = [];

  private constructor(file: AtomicFile) {
    this.#file = file;
  }

  /** @throws InputError where the folder is missing or cannot be written to */
  static create(path: string): NpzWriter {
    return new NpzWriter(AtomicFile.create(path));
  }

  /** Writes an array that is in memory. @param width - characters of strings, at least */
  async add(name: string, content: NpyContent, width = 1): Promise<void> {
    const { shape, data } = content;
    const { dtype, bytes } = typeof data[0] === "string" || Array.isArray(data)
      ? encodeStrings(data as readonly string[], width)
      : encodeNumbers(data as never, content.bool === true);
    await this.addPieces(name, dtype, shape, [bytes]);
  }

  /**
   * Writes an array piece by piece.
   *
   * @param pieces - little-endian, row-major, end to end
   * @throws RangeError where the archive would exceed 4 GiB
   */
  async addPieces(
    name: string,
    dtype: string,
    shape: readonly number[],
    pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const title = new TextEncoder().encode(`${name}.npy`);
    const offset = this.#file.size, data = offset + 30 + title.byteLength;
    this.#file.write(new Uint8Array(30 + title.byteLength));
    let crc = 0, unpacked = 0, failure: unknown = null;
    const deflate = createDeflateRaw({ level: LEVEL });
    deflate.on("data", (chunk: Uint8Array) => {
      try {
        this.#file.write(chunk);
      } catch (error) {
        failure ??= error;
      }
    });
    const ended = once(deflate, "end");
    ended.catch(() => {});
    const take = async (piece: Uint8Array) => {
      crc = crc32(piece, crc);
      unpacked += piece.byteLength;
      if (!deflate.write(piece)) await once(deflate, "drain");
      if (failure !== null) throw failure;
    };
    try {
      await take(npyHead(dtype, shape));
      for await (const piece of pieces) if (piece.byteLength > 0) await take(piece);
      deflate.end();
      await ended;
    } finally {
      deflate.destroy();
    }
    if (failure !== null) throw failure;
    const entry = { name: title, offset, crc, packed: this.#file.size - data, unpacked };
    if (Math.max(unpacked, this.#file.size) >= LIMIT) {
      throw new RangeError(
        `${this.#file.path}: an array or the whole exceeds 4 GiB; fit fewer tables at a time`,
      );
    }
    this.#file.write(localHead(entry), offset);
    this.#entries.push(entry);
  }

  /** Writes the list of arrays and gives the file its name. */
  commit(): void {
    const at = this.#file.size;
    for (const entry of this.#entries) this.#file.write(centralHead(entry));
    const end = new DataView(new ArrayBuffer(22)), count = this.#entries.length;
    end.setUint32(0, 0x06054b50, true);
    end.setUint16(8, count, true);
    end.setUint16(10, count, true);
    end.setUint32(12, this.#file.size - at, true);
    end.setUint32(16, at, true);
    this.#file.write(new Uint8Array(end.buffer));
    this.#file.commit();
  }

  [Symbol.dispose](): void {
    this.#file.abort();
  }
}

/** Version 2.0, UTF-8 name, deflated, 1980-01-01, then checksum and sizes: what both heads hold. */
function common(view: DataView, at: number, { name, crc, packed, unpacked }: Entry): void {
  [20, 0x0800, 8, 0, 0x21].forEach((value, i) => view.setUint16(at + 2 * i, value, true));
  [crc, packed, unpacked].forEach((value, i) => view.setUint32(at + 10 + 4 * i, value, true));
  view.setUint16(at + 22, name.byteLength, true);
}

function localHead(entry: Entry): Uint8Array {
  const bytes = new Uint8Array(30 + entry.name.byteLength), view = new DataView(bytes.buffer);
  view.setUint32(0, 0x04034b50, true);
  common(view, 4, entry);
  bytes.set(entry.name, 30);
  return bytes;
}

function centralHead(entry: Entry): Uint8Array {
  const bytes = new Uint8Array(46 + entry.name.byteLength), view = new DataView(bytes.buffer);
  view.setUint32(0, 0x02014b50, true);
  view.setUint16(4, 20, true);
  common(view, 6, entry);
  view.setUint32(42, entry.offset, true);
  bytes.set(entry.name, 46);
  return bytes;
}
