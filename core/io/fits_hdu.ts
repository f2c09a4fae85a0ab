/** What a FITS file holds: its HDUs, found by their headers alone. */
import type { ByteSource } from "./byte_source.ts";
import { BLOCK, Header } from "./fits_header.ts";
import { InputError } from "./input_error.ts";

/** What the data of an HDU are. `none` = a header alone. */
export type HduKind = "none" | "image" | "compressed-image" | "table" | "ascii-table" | "other";

/** One header-and-data unit. */
export interface Hdu {
  readonly index: number;
  /** EXTNAME in upper case; `PRIMARY` for a first HDU without one; "" for others. */
  readonly name: string;
  readonly kind: HduKind;
  readonly header: Header;
  /** Shape of an image in row-major order (the last axis is fast), of the uncompressed one if compressed; else []. */
  readonly shape: readonly number[];
  /** Rows of a table, 0 for images. */
  readonly rows: number;
  /** First byte of the data in the file. */
  readonly dataOffset: number;
  /** Bytes of the data with their heap, without padding. */
  readonly dataSize: number;
  /** File and HDU, for messages: `name.fits[3, B_FLUX]`. */
  readonly where: string;
}

/**
 * Reads every header of a file; data are skipped.
 *
 * @throws InputError where the file is not FITS, or is shorter than its headers say
 */
export function listHdus(source: ByteSource): Hdu[] {
  const hdus: Hdu[] = [];
  let offset = 0;
  while (offset < source.size) {
    const bytes = headerBytes(source, offset, hdus.length);
    if (bytes === null) break;
    const hdu = describe(source, bytes, hdus.length, offset + bytes.byteLength);
    checkComplete(source, hdu);
    hdus.push(hdu);
    offset = hdu.dataOffset + Math.ceil(hdu.dataSize / BLOCK) * BLOCK;
  }
  if (source.cut !== null) {
    throw new InputError(`${source.path}: ${source.cut}; copy the file again`);
  }
  if (hdus.length === 0) throw new InputError(`${source.path}: is empty, expected a FITS file`);
  return hdus;
}

function checkComplete(source: ByteSource, hdu: Hdu): void {
  // Padding counts: a file cut there may have lost the HDUs that followed.
  const end = hdu.dataOffset + Math.ceil(hdu.dataSize / BLOCK) * BLOCK;
  if (end <= source.size) return;
  const why = source.cut === null ? "is cut off" : source.cut;
  throw new InputError(
    `${source.path}: ${why}: HDU ${hdu.index}${
      hdu.name === "" ? "" : ` (${hdu.name})`
    } ends at byte ${end}, ` +
      `found ${source.size} bytes; copy the file again`,
  );
}

/** Bytes of the header at an offset, whole blocks; null where the file goes on with something that is no HDU. */
function headerBytes(source: ByteSource, offset: number, index: number): Uint8Array | null {
  const available = source.size - offset;
  const first = source.read(offset, Math.min(available, 2 * BLOCK));
  const start = ascii(first, 0, 9);
  if (index === 0 && start !== "SIMPLE  =") {
    if (source.cut !== null && "SIMPLE  =".startsWith(start)) throw cutHeader(source, index);
    throw new InputError(`${source.path}: is not a FITS file: it does not begin with the keyword SIMPLE`);
  }
  if (index > 0 && start !== "XTENSION=") {
    if ("XTENSION=".startsWith(start)) throw cutHeader(source, index);
    return null;
  }
  let bytes = first;
  for (let card = 0;; card += 80) {
    if (card + 80 > bytes.byteLength) {
      const more = Math.min(available, bytes.byteLength + 8 * BLOCK);
      if (more < card + 80) throw cutHeader(source, index);
      bytes = source.read(offset, more);
    }
    if (bytes[card] !== 0x45 || ascii(bytes, card, 8) !== "END     ") continue;
    const whole = Math.ceil((card + 80) / BLOCK) * BLOCK;
    if (whole > available) throw cutHeader(source, index);
    return whole <= bytes.byteLength ? bytes.subarray(0, whole) : source.read(offset, whole);
  }
}

function cutHeader(source: ByteSource, index: number): InputError {
  const why = source.cut === null ? "is cut off" : source.cut;
  return new InputError(
    `${source.path}: ${why}: the header of HDU ${index} has no END within the ${source.size} bytes found; ` +
      `copy the file again`,
  );
}

function ascii(bytes: Uint8Array, from: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(from, from + length));
}

function describe(source: ByteSource, bytes: Uint8Array, index: number, dataOffset: number): Hdu {
  const draft = Header.parse(bytes, `${source.path}[${index}]`);
  const extname = draft.get("EXTNAME");
  const name = typeof extname === "string" && extname !== ""
    ? extname.toUpperCase()
    : (index === 0 ? "PRIMARY" : "");
  const where = `${source.path}[${name === "" ? index : `${index}, ${name}`}]`;
  const header = new Header(draft.cards, where);
  const axes = axisLengths(header, "NAXIS");
  const kind = kindOf(header, index, axes);
  return {
    index,
    name,
    kind,
    header,
    shape: kind === "image"
      ? axes.toReversed()
      : kind === "compressed-image"
      ? axisLengths(header, "ZNAXIS").toReversed()
      : [],
    rows: kind === "table" || kind === "ascii-table" ? axes[1] : 0,
    dataOffset,
    dataSize: dataSize(header, axes),
    where,
  };
}

/** NAXIS1, NAXIS2... as they stand: the fast axis first. */
function axisLengths(header: Header, key: "NAXIS" | "ZNAXIS"): number[] {
  const axes: number[] = [];
  const count = header.integer(key) ?? 0;
  for (let i = 1; i <= count; i++) {
    const length = header.integer(`${key}${i}`);
    if (length === undefined || length < 0) {
      throw new InputError(
        `${header.where}: keyword ${key}${i} is ${length ?? "missing"}, expected a length`,
      );
    }
    axes.push(length);
  }
  return axes;
}

function kindOf(header: Header, index: number, axes: number[]): HduKind {
  const extension = index === 0 ? "IMAGE" : header.string("XTENSION") ?? "";
  if (extension === "BINTABLE" || extension === "A3DTABLE") {
    if (axes.length !== 2) {
      throw new InputError(`${header.where}: a table has NAXIS = 2, found ${axes.length}`);
    }
    return header.get("ZIMAGE") === true ? "compressed-image" : "table";
  }
  if (extension === "TABLE") return "ascii-table";
  if (extension === "IMAGE") return axes.length === 0 || header.get("GROUPS") === true ? "none" : "image";
  return "other";
}

function dataSize(header: Header, axes: number[]): number {
  if (axes.length === 0) return 0;
  // Random groups have NAXIS1 = 0.
  const lengths = header.get("GROUPS") === true ? axes.slice(1) : axes;
  const elements = lengths.reduce((product, length) => product * length, 1);
  const bits = Math.abs(header.integer("BITPIX") ?? 8);
  return bits / 8 * (header.integer("GCOUNT") ?? 1) * ((header.integer("PCOUNT") ?? 0) + elements);
}
