/** ZIP archives as NumPy writes them (NPZ): stored or deflated entries, ZIP64 on read. PKWARE APPNOTE 6.3. */
import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import { InputError } from "./input_error.ts";

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const FULL = 0xffffffff;

/** A file in an archive. */
export interface ZipEntry {
  readonly name: string;
  /** Unpacks the bytes. @throws InputError where they are damaged */
  read(): Uint8Array;
}

/**
 * Lists an archive.
 *
 * @param path - for messages
 * @throws InputError where it is no ZIP archive, or is cut off
 */
export function listZip(bytes: Uint8Array, path: string): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const { count, offset } = directory(view, path);
    const entries: ZipEntry[] = [];
    let at = offset;
    for (let i = 0; i < count; i++) {
      if (view.getUint32(at, true) !== CENTRAL) throw new RangeError("no entry");
      const record = entry(view, at);
      entries.push({ name: record.name, read: () => unpack(bytes, view, record, path) });
      at += record.size;
    }
    return entries;
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path}: its list of files is damaged; copy the file again`, { cause: error });
  }
}

function directory(view: DataView, path: string): { count: number; offset: number } {
  let at = view.byteLength - 22;
  while (at >= 0 && view.getUint32(at, true) !== END) at--;
  if (at < 0) {
    throw new InputError(
      `${path}: has no list of files within its ${view.byteLength} bytes: no ZIP archive, or cut off`,
    );
  }
  const count = view.getUint16(at + 10, true);
  const offset = view.getUint32(at + 16, true);
  if (offset !== FULL && count !== 0xffff) return { count, offset };
  if (view.getUint32(at - 20, true) !== LOCATOR64) return { count, offset };
  const wide = Number(view.getBigUint64(at - 12, true));
  if (view.getUint32(wide, true) !== END64) throw new RangeError("no ZIP64 end");
  return {
    count: Number(view.getBigUint64(wide + 32, true)),
    offset: Number(view.getBigUint64(wide + 48, true)),
  };
}

interface ZipRecord {
  name: string;
  method: number;
  crc: number;
  packed: number;
  unpacked: number;
  local: number;
  /** Bytes of the record itself. */
  size: number;
}

function entry(view: DataView, at: number): ZipRecord {
  const nameLength = view.getUint16(at + 28, true);
  const extraLength = view.getUint16(at + 30, true);
  const name = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at + 46, nameLength));
  const record = {
    name,
    method: view.getUint16(at + 10, true),
    crc: view.getUint32(at + 16, true),
    packed: view.getUint32(at + 20, true),
    unpacked: view.getUint32(at + 24, true),
    local: view.getUint32(at + 42, true),
    size: 46 + nameLength + extraLength + view.getUint16(at + 32, true),
  };
  const extraEnd = at + 46 + nameLength + extraLength;
  for (let extra = at + 46 + nameLength; extra + 4 <= extraEnd;) {
    const id = view.getUint16(extra, true);
    let field = extra + 4;
    const next = field + view.getUint16(extra + 2, true);
    if (id === 1) {
      for (const key of ["unpacked", "packed", "local"] as const) {
        if (record[key] !== FULL) continue;
        record[key] = Number(view.getBigUint64(field, true));
        field += 8;
      }
    }
    extra = next;
  }
  return record;
}

function unpack(bytes: Uint8Array, view: DataView, record: ZipRecord, path: string): Uint8Array {
  const { name, method, local, packed } = record;
  if (method !== 0 && method !== 8) {
    throw new InputError(`${path}: ${name} is compressed by ZIP method ${method}, expected 0 or 8`);
  }
  let out: Uint8Array | null = null;
  try {
    if (view.getUint32(local, true) === LOCAL) {
      const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
      const data = bytes.subarray(start, start + packed);
      out = method === 0 ? data : new Uint8Array(inflateRawSync(data, { chunkSize: 1 << 20 }));
    }
  } catch {
    // Told below.
  }
  if (out === null || out.byteLength !== record.unpacked || crc32(out) !== record.crc) {
    throw new InputError(`${path}: ${name} is damaged (wrong checksum); copy the file again`);
  }
  return out;
}

/**
 * Bytes of an archive, below 4 GiB.
 *
 * @param files - names and contents, in order
 * @param compress - deflate the contents
 * @throws RangeError where it would be larger
 */
export function zipBytes(files: ReadonlyMap<string, Uint8Array>, compress: boolean): Uint8Array {
  const pieces: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let offset = 0;
  for (const [name, content] of files) {
    const title = new TextEncoder().encode(name);
    const data = compress ? new Uint8Array(deflateRawSync(content)) : content;
    // Version 2.0, UTF-8 names, 1980-01-01.
    const shared = [20, 0x0800, compress ? 8 : 0, 0, 0x21];
    const sizes = [crc32(content), data.byteLength, content.byteLength];
    const local = fields([[4, LOCAL], ...shorts(shared), ...longs(sizes), [2, title.byteLength], [2, 0]]);
    central.push(
      fields([
        [4, CENTRAL],
        [2, 20],
        ...shorts(shared),
        ...longs(sizes),
        ...shorts([title.byteLength, 0, 0, 0, 0]),
        [4, 0],
        [4, offset],
      ]),
      title,
    );
    pieces.push(local, title, data);
    offset += local.byteLength + title.byteLength + data.byteLength;
  }
  const size = central.reduce((sum, piece) => sum + piece.byteLength, 0);
  if (offset + size >= FULL || files.size >= 0xffff) throw new RangeError("the archive is larger than 4 GiB");
  const end = fields([[4, END], ...shorts([0, 0, files.size, files.size]), [4, size], [4, offset], [2, 0]]);
  return concatenated([...pieces, ...central, end]);
}

type Field = [bytes: 2 | 4, value: number];
const shorts = (values: number[]): Field[] => values.map((value) => [2, value]);
const longs = (values: number[]): Field[] => values.map((value) => [4, value]);

function fields(list: Field[]): Uint8Array {
  const out = new Uint8Array(list.reduce((sum, [size]) => sum + size, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const [size, value] of list) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return out;
}

function concatenated(pieces: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.byteLength;
  }
  return out;
}
