/** Files of spectra made from others: HDUs left out, changed or renamed, rows picked; and what outputs hold. */
import { FitsFile, type Image } from "../../core/io/fits_read.ts";
import type { Table } from "../../core/io/fits_table.ts";
import { FitsWriter } from "../../core/io/fits_write.ts";

export interface Edit {
  /** HDUs to leave out. */
  readonly without?: readonly string[];
  /** HDU → its new content. Arrays may be changed in place. */
  readonly images?: Readonly<Record<string, (image: Image) => Image | void>>;
  readonly tables?: Readonly<Record<string, (table: Table) => Table>>;
  /** Rows of the spectra to keep, in their new order. Done before the changes. */
  readonly rows?: readonly number[];
}

/** Writes a changed copy. */
export function rewrite(source: string, target: string, edit: Edit): string {
  using file = FitsFile.open(source);
  using writer = FitsWriter.create(target, file.hdus[0].header);
  for (const hdu of file.hdus.slice(1)) {
    const { name } = hdu;
    if (edit.without?.includes(name)) continue;
    if (hdu.kind === "table") {
      const table = file.table(hdu, edit.rows);
      writer.addTable({ name, table: edit.tables?.[name]?.(table) ?? table });
    } else {
      const image = file.image(hdu, hdu.shape.length > 1 ? edit.rows : undefined);
      const { data, shape } = edit.images?.[name]?.(image) ?? image;
      writer.addWholeImage({ name, data, shape });
    }
  }
  writer.commit();
  return target;
}

/** Sets pixels of an image in one row. @param row - of the first axis */
export function inRow(row: number, change: (values: Float32Array | Int32Array) => void) {
  return ({ data, shape }: Image): void => {
    const size = shape.slice(1).reduce((product, n) => product * n, 1);
    change(data.subarray(row * size, (row + 1) * size) as Float32Array);
  };
}

/** DATASUM of every HDU, by name: equal where the data are equal to the last bit. */
export function sums(path: string): Record<string, string> {
  using file = FitsFile.open(path);
  return Object.fromEntries(
    file.hdus.map((hdu) => [hdu.name, String(hdu.header.get("DATASUM"))]),
  );
}

/** RVTAB and the models of an output folder. */
export function answers(folder: string, name: string) {
  using tab = FitsFile.open(`${folder}/rvtab_${name}`);
  using mod = FitsFile.open(`${folder}/rvmod_${name}`);
  const table = tab.table("RVTAB");
  const models = mod.hdus.filter((hdu) => hdu.name.endsWith("_MODEL")).map((hdu) => mod.image(hdu));
  return {
    table,
    models,
    header: tab.hdus[0].header,
    rows: [...table.int64("ROW")].map(Number),
    warn: [...table.int64("RVS_WARN")].map(Number),
    fibermap: tab.table("FIBERMAP"),
  };
}

export type Answers = ReturnType<typeof answers>;

/** Every number of some stars, to be compared with those of other answers. ROW is left out. @param which - rows of RVTAB */
export function numbersOf({ table, models }: Answers, which: readonly number[]): unknown {
  const columns = table.take(which).columns.filter((column) => column.name !== "ROW");
  const spectra = models.map(({ data, shape }) =>
    which.map((row) => data.slice(row * shape[1], (row + 1) * shape[1]))
  );
  return { columns: Object.fromEntries(columns.map((column) => [column.name, column.data])), spectra };
}
