/**
 * Writing FITS files: HDUs are planned with their shapes, rows are written in any order, and the file appears under its
 * name, with CHECKSUM and DATASUM in every HDU, when it is complete.
 */
import { AtomicFile } from "./atomic_write.ts";
import { addToSum, encodeChecksum, joinSums } from "./fits_checksum.ts";
import { BLOCK, Header } from "./fits_header.ts";
import { flipHighBit, storedAs } from "./fits_scaling.ts";
import { describeColumns, type StoredColumn, storedColumns, tableBytes } from "./fits_table_bytes.ts";
import { Table } from "./fits_table.ts";
import {
  bytesOf,
  bytesView,
  type NumberArray,
  type NumberType,
  swapBigEndian,
  typeOf,
} from "./number_types.ts";

const BITPIX: Partial<Record<NumberType, number>> = {
  uint8: 8,
  int16: 16,
  int32: 32,
  int64: 64,
  float32: -32,
  float64: -64,
};

/** Keywords that describe the data; the writer sets them, those of a header that is handed in are left out. */
const STRUCTURAL =
  /^(SIMPLE|XTENSION|BITPIX|NAXIS\d*|EXTEND|PCOUNT|GCOUNT|GROUPS|TFIELDS|THEAP|EXTNAME|CHECKSUM|DATASUM|BSCALE|BZERO|BLANK|(TTYPE|TFORM|TUNIT|TDIM|TSCAL|TZERO|TNULL|TDISP|TCOMM)\d+|Z(IMAGE|TABLE|CMPTYPE|BITPIX|NAXIS\d*|TILE\d+|NAME\d+|VAL\d+|QUANTIZ|DITHER0|BLANK|SIMPLE|TENSION|EXTEND|PCOUNT|GCOUNT|HECKSUM|DATASUM|FORM\d+|CTYP\d+))$/;

/** Bytes read back at a time for the checksums, and written at a time to fill a gap. */
const CHUNK = 1 << 22;

/** Handle of a planned HDU. */
export interface WrittenHdu {
  readonly name: string;
  /** Rows that were planned. */
  readonly rows: number;
}

interface Plan extends WrittenHdu {
  readonly header: Header;
  readonly headerOffset: number;
  readonly dataOffset: number;
  readonly rowSize: number;
  /** Numbers of an image row; type of the numbers that are handed in. */
  readonly rowLength: number;
  readonly type: NumberType | null;
  readonly columns: readonly StoredColumn[] | null;
}

export interface ImagePlan {
  readonly name: string;
  readonly type: NumberType;
  /** Row-major: the last axis is fast. The first may be 0. */
  readonly shape: readonly number[];
  readonly header?: Header;
}

export interface TablePlan {
  readonly name: string;
  /** The rows; or, with `rows`, an example whose columns tell types, shapes and widths. */
  readonly table: Table;
  readonly header?: Header;
  /** Number of rows that `writeRows` will write. Absent = the table is written as it is. */
  readonly rows?: number;
}

export class FitsWriter implements Disposable {
  readonly path: string;
  readonly #file: AtomicFile;
  readonly #plans: Plan[] = [];
  #end = 0;

  /** The primary HDU, for `writeRows` where an image was planned for it. */
  readonly primary: WrittenHdu;

  private constructor(file: AtomicFile, header: Header, image: Omit<ImagePlan, "header"> | undefined) {
    this.path = file.path;
    this.#file = file;
    this.primary = image === undefined
      ? this.#placeEmptyPrimary(header)
      : this.addImage({ ...image, header });
  }

  /**
   * Begins a file.
   *
   * @param header - keywords of the primary HDU
   * @param image - image of the primary HDU; absent = none
   * @throws InputError where the folder is missing or cannot be written to
   */
  static create(path: string, header: Header = new Header(), image?: Omit<ImagePlan, "header">): FitsWriter {
    const file = AtomicFile.create(path);
    try {
      return new FitsWriter(file, header, image);
    } catch (error) {
      file.abort();
      throw error;
    }
  }

  /** Plans an image; rows that are never written are zeros. */
  addImage(plan: ImagePlan): WrittenHdu {
    const { stored, zero } = storedAs(plan.type) ?? { stored: plan.type, zero: 0n };
    const header = new Header();
    const primary = this.#plans.length === 0;
    if (primary) header.set("SIMPLE", true, "conforms to the FITS standard");
    else header.set("XTENSION", "IMAGE", "image extension");
    header.set("BITPIX", BITPIX[stored]!).set("NAXIS", plan.shape.length);
    plan.shape.toReversed().forEach((length, i) => header.set(`NAXIS${i + 1}`, length));
    if (primary) header.set("EXTEND", true);
    else header.set("PCOUNT", 0).set("GCOUNT", 1);
    if (zero !== 0n) header.set("BSCALE", 1).set("BZERO", zero);
    header.set("EXTNAME", plan.name);
    addUserCards(header, plan.header);
    const [rows, ...cell] = plan.shape.length === 0 ? [0, 0] : plan.shape;
    const rowLength = cell.reduce((product, length) => product * length, 1);
    const rowSize = rowLength * bytesOf(stored);
    return this.#place({ name: plan.name, rows, header, rowSize, rowLength, type: plan.type, columns: null });
  }

  /** Plans and writes an image that is in memory. */
  addWholeImage(plan: Omit<ImagePlan, "type"> & { readonly data: NumberArray }): WrittenHdu {
    const hdu = this.addImage({ ...plan, type: typeOf(plan.data) });
    if (plan.data.length > 0) this.writeRows(hdu, 0, plan.data);
    return hdu;
  }

  /** Writes a table, or plans one: see {@link TablePlan}. @throws TypeError for columns of variable length */
  addTable(plan: TablePlan): WrittenHdu {
    const columns = storedColumns(plan.table);
    const rowSize = columns.reduce((sum, column) => sum + column.size, 0);
    const rows = plan.rows ?? plan.table.rows;
    const header = new Header();
    header.set("XTENSION", "BINTABLE", "binary table extension").set("BITPIX", 8).set("NAXIS", 2);
    header.set("NAXIS1", rowSize, "bytes in a row").set("NAXIS2", rows, "rows");
    header.set("PCOUNT", 0).set("GCOUNT", 1);
    describeColumns(header, columns);
    header.set("EXTNAME", plan.name);
    addUserCards(header, plan.header);
    const hdu = this.#place({ name: plan.name, rows, header, rowSize, rowLength: 0, type: null, columns });
    if (plan.rows === undefined && rows > 0) this.writeRows(hdu, 0, plan.table);
    return hdu;
  }

  /**
   * Writes rows of a planned HDU, in any order.
   *
   * @param first - 0-based row that the data begin at
   * @param data - whole rows: numbers of the planned type, shape (n, ...shape.slice(1)); or a table of n rows
   * @throws RangeError where they do not fit the plan
   */
  writeRows(hdu: WrittenHdu, first: number, data: NumberArray | Table): void {
    const plan = this.#plans.find((other) => other === hdu);
    if (plan === undefined) throw new RangeError("the HDU belongs to another file");
    const bytes = data instanceof Table ? rowsOfTable(plan, data) : rowsOfImage(plan, data);
    const count = plan.rowSize === 0 ? 0 : bytes.byteLength / plan.rowSize;
    if (!(first >= 0 && first + count <= plan.rows)) {
      throw new RangeError(`${plan.name}: rows ${first} to ${first + count} of ${plan.rows}`);
    }
    this.#file.write(bytes, plan.dataOffset + first * plan.rowSize);
  }

  /** Computes the checksums, forces the file to disk and gives it its name. */
  commit(): void {
    if (this.#file.size < this.#end) this.#file.write(new Uint8Array(1), this.#end - 1);
    this.#plans.forEach((plan, i) => this.#sign(plan, this.#plans[i + 1]?.headerOffset ?? this.#end));
    this.#file.commit();
  }

  /** Gives up: no file of that name appears, an older one stays as it was. */
  abort(): void {
    this.#file.abort();
  }

  [Symbol.dispose](): void {
    this.abort();
  }

  #placeEmptyPrimary(user: Header): WrittenHdu {
    const header = new Header();
    header.set("SIMPLE", true, "conforms to the FITS standard").set("BITPIX", 8).set("NAXIS", 0);
    header.set("EXTEND", true);
    addUserCards(header, user);
    return this.#place({
      name: "PRIMARY",
      rows: 0,
      header,
      rowSize: 0,
      rowLength: 0,
      type: null,
      columns: null,
    });
  }

  /** Gives an HDU its place in the file and writes its header. */
  #place(draft: Omit<Plan, "headerOffset" | "dataOffset">): WrittenHdu {
    draft.header.set("CHECKSUM", "0".repeat(16), "HDU checksum").set(
      "DATASUM",
      "0".padEnd(10),
      "data checksum",
    );
    const bytes = draft.header.toBytes();
    const dataOffset = this.#end + bytes.byteLength;
    const plan = { ...draft, headerOffset: this.#end, dataOffset };
    this.#file.write(bytes, this.#end);
    this.#end = dataOffset + Math.ceil(plan.rows * plan.rowSize / BLOCK) * BLOCK;
    this.#plans.push(plan);
    return plan;
  }

  #sign(plan: Plan, end: number): void {
    let dataSum = 0;
    for (let at = plan.dataOffset; at < end; at += CHUNK) {
      dataSum = addToSum(this.#file.read(at, Math.min(CHUNK, end - at)), dataSum);
    }
    plan.header.set("DATASUM", String(dataSum));
    const sum = joinSums(addToSum(plan.header.toBytes()), dataSum);
    plan.header.set("CHECKSUM", encodeChecksum(sum));
    this.#file.write(plan.header.toBytes(), plan.headerOffset);
  }
}

function addUserCards(header: Header, user: Header | undefined): void {
  for (const card of user?.cards ?? []) {
    if (STRUCTURAL.test(card.key.toUpperCase())) continue;
    if (card.value === undefined) {
      if (card.key === "COMMENT" || card.key === "HISTORY" || card.key === "") {
        header.addCommentary(card.key, card.comment);
      }
    } else if (card.real === true && typeof card.value === "number") {
      header.setReal(card.key, card.value, card.comment);
    } else {
      header.set(card.key, card.value, card.comment);
    }
  }
}

function rowsOfTable(plan: Plan, table: Table): Uint8Array {
  if (plan.columns === null) throw new RangeError(`${plan.name}: is no table`);
  return tableBytes(plan.columns, table);
}

function rowsOfImage(plan: Plan, data: NumberArray): Uint8Array {
  const type = typeOf(data);
  if (plan.type !== type) {
    throw new RangeError(`${plan.name}: planned as ${plan.type ?? "a table"}, got ${type}`);
  }
  if (plan.rowLength === 0 || data.length % plan.rowLength !== 0) {
    throw new RangeError(`${plan.name}: ${data.length} numbers are no whole rows of ${plan.rowLength}`);
  }
  const copy = data.slice();
  if (storedAs(type) !== null) flipHighBit(copy);
  const bytes = bytesView(copy);
  swapBigEndian(bytes, data.BYTES_PER_ELEMENT);
  return bytes;
}
