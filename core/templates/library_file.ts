/**
 * Template libraries as files.
 *
 * The container is FITS: the people who use these libraries open it with what they have (astropy, ds9, TOPCAT), every
 * part carries a standard checksum, the spectra of one arm are one contiguous float32 image that is read in a single
 * call, and no decoder has to be loaded first (an HDF5 library costs 2 MB of WASM before the first number).
 *
 * | HDU | content |
 * |---|---|
 * | primary | FORMAT, FMTVERS, LIBNAME, NTEMPL, LIBSUM = SHA-256 of the whole library |
 * | PROVENAN | table KEY, VALUE |
 * | AXES | table NAME, UNIT, LOG10, COUNT, NODES (padded with NaN); one row an axis |
 * | PARAMS | table INDEX, one column per axis, CLASS where the source names classes; one row a template |
 * | IDGRID | int32, one axis per grid axis in their order, the last one fast: template at every node, −1 = hole |
 * | SPEC… | float32 (templates, npix): ln flux. BUILD, SETUP, LAM0, DLNLAM, MEDIUM, LSF, LSFVALUE, SPECSUM |
 *
 * Opening reads headers and parameters and checks LIBSUM, which covers the SPECSUM of every arm; reading an arm checks
 * its DATASUM, `verifyLibrary` its SHA-256.
 */
import { FitsFile, type Hdu } from "../io/fits_read.ts";
import { Header } from "../io/fits_header.ts";
import { boolColumn, numberColumn, stringColumn, Table } from "../io/fits_table.ts";
import { FitsWriter } from "../io/fits_write.ts";
import { InputError } from "../io/input_error.ts";
import { toFloat64 } from "../io/number_types.ts";
import type { LineSpread, Medium } from "../io/spectra.ts";
import type { Axis, TemplateArm, TemplateLibrary } from "./library.ts";
import { checksumOf, spectraChecksum } from "./library_checksum.ts";
import type { ArmHead, BuildHead, LibraryHead } from "./library_source.ts";

/** What FORMAT says in the primary header of a library. */
export const FORMAT = "twinspec template library";
const FORMAT_VERSION = 1;

/** An open library file: the head is in memory, spectra are read arm by arm. */
export interface OpenLibrary extends LibraryHead, Disposable {
  readonly path: string;
  /** @throws InputError where the spectra are damaged; RangeError where there is no such arm */
  readArm(build: string, setup: string): TemplateArm;
  /** The whole library in memory. */
  readAll(): TemplateLibrary;
  close(): void;
}

/**
 * Writes a library; the file appears whole or not at all.
 *
 * @param extra - further keywords of the primary header, as the hash of what it was built from
 * @throws InputError where it cannot be written
 */
export function writeLibrary(
  path: string,
  library: TemplateLibrary,
  extra: Readonly<Record<string, string>> = {},
): void {
  const primary = new Header();
  primary.set("FORMAT", FORMAT).set("FMTVERS", FORMAT_VERSION);
  primary.set("LIBNAME", library.name, "name of the library").set("NTEMPL", library.templates, "templates");
  primary.set("LIBSUM", library.checksum, "SHA-256 of the library");
  for (const [key, value] of Object.entries(extra)) primary.set(key, value);
  using writer = FitsWriter.create(path, primary);
  const provenance = Object.entries(library.provenance);
  writer.addTable({
    name: "PROVENAN",
    table: new Table([
      stringColumn("KEY", provenance.map(([key]) => printable(key))),
      stringColumn("VALUE", provenance.map(([, value]) => printable(value))),
    ], { rows: provenance.length }),
  });
  writer.addTable({ name: "AXES", table: axesTable(library.axes) });
  writer.addTable({ name: "PARAMS", table: paramsTable(library) });
  if (library.axes.length > 0) {
    const shape = library.axes.map((axis) => axis.values.length);
    writer.addWholeImage({ name: "IDGRID", shape, data: library.idgrid });
  }
  let serial = 1;
  for (const build of library.builds) {
    for (const arm of build.arms) {
      const header = armHeader(build.name, arm);
      const shape = [library.templates, arm.npix];
      writer.addWholeImage({ name: `SPEC${serial++}`, shape, header, data: arm.lnflux });
    }
  }
  writer.commit();
}

/** What a FITS string can hold. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?");
}

function axesTable(axes: readonly Axis[]): Table {
  const most = Math.max(1, ...axes.map((axis) => axis.values.length));
  const nodes = new Float64Array(axes.length * most).fill(NaN);
  axes.forEach((axis, d) => nodes.set(axis.values, d * most));
  return new Table([
    stringColumn("NAME", axes.map((axis) => axis.name)),
    stringColumn("UNIT", axes.map((axis) => axis.unit)),
    boolColumn("LOG10", Uint8Array.from(axes, (axis) => axis.log10 ? 1 : 0)),
    numberColumn("COUNT", Int32Array.from(axes, (axis) => axis.values.length)),
    numberColumn("NODES", nodes, { shape: [most] }),
  ], { rows: axes.length });
}

function paramsTable({ axes, params, templates, classes }: TemplateLibrary): Table {
  const columns = axes.map((axis, d) =>
    numberColumn(
      axis.name.toUpperCase(),
      Float64Array.from({ length: templates }, (_, t) => params[t * axes.length + d]),
      { unit: axis.unit },
    )
  );
  const index = numberColumn("INDEX", Int32Array.from({ length: templates }, (_, t) => t));
  const labels = classes === null ? [] : [stringColumn("CLASS", classes.map(printable))];
  return new Table([index, ...columns, ...labels], { rows: templates });
}

function armHeader(build: string, arm: TemplateArm): Header {
  const header = new Header();
  header.set("BUILD", build).set("SETUP", arm.setup);
  header.setReal("LAM0", arm.lam0, "Angstrom, first wavelength").setReal(
    "DLNLAM",
    arm.dlnlam,
    "step in ln(wavelength)",
  );
  header.set("MEDIUM", arm.medium, "of the wavelengths").set("LSF", arm.lsf.kind, "line spread: Gaussian");
  if (arm.lsf.kind === "table") {
    throw new TypeError("line spreads of libraries are fwhm, sigma or resolution");
  }
  const value = arm.lsf.kind === "resolution" ? arm.lsf.R : arm.lsf.angstrom;
  header.setReal("LSFVALUE", value, arm.lsf.kind === "resolution" ? "lambda / FWHM" : "Angstrom");
  header.set("BUNIT", "ln(flux)").set("SPECSUM", spectraChecksum(arm.lnflux), "SHA-256 of the data");
  // For viewers: the fast axis is ln(wavelength).
  header.set("CTYPE1", "LAMBDA-LOG").setReal("CRPIX1", 1).setReal("CRVAL1", Math.log(arm.lam0));
  header.setReal("CDELT1", arm.dlnlam);
  return header;
}

/**
 * Opens a library file.
 *
 * @throws InputError where it is missing, no library, cut off, or not what was written
 */
export function openLibrary(path: string): OpenLibrary {
  const file = FitsFile.open(path);
  try {
    return new LibraryFile(file);
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Reads a whole library into memory. @throws InputError as {@link openLibrary} */
export function readLibrary(path: string): TemplateLibrary {
  using library = openLibrary(path);
  return library.readAll();
}

/** Reads everything and compares every SHA-256. @throws InputError where one differs */
export function verifyLibrary(path: string): void {
  using library = openLibrary(path) as LibraryFile;
  for (const build of library.builds) {
    for (const { setup } of build.arms) {
      const { hdu, spectra } = library.place(build.name, setup);
      if (spectraChecksum(library.readArm(build.name, setup).lnflux) !== spectra) throw changed(hdu.where);
    }
  }
}

interface Place {
  readonly build: string;
  readonly head: ArmHead;
  /** SHA-256 of the spectra. */
  readonly spectra: string;
  readonly hdu: Hdu;
}

class LibraryFile implements OpenLibrary {
  readonly path: string;
  readonly name: string;
  readonly axes: readonly Axis[];
  readonly templates: number;
  readonly params: Float64Array;
  readonly idgrid: Int32Array;
  readonly classes: readonly string[] | null;
  readonly builds: readonly BuildHead[];
  readonly provenance: Readonly<Record<string, string>>;
  readonly checksum: string;
  readonly #file: FitsFile;
  readonly #places: readonly Place[];
  /** Arms that were read, as long as someone holds them: the arms of an instrument may come from one arm here. */
  readonly #read = new Map<Place, WeakRef<TemplateArm>>();

  constructor(file: FitsFile) {
    this.#file = file;
    this.path = file.path;
    const { header } = file.hdu(0);
    checkFormat(file.path, header);
    this.name = required(header.string("LIBNAME"), "LIBNAME", header);
    this.templates = required(header.integer("NTEMPL"), "NTEMPL", header);
    this.checksum = required(header.string("LIBSUM"), "LIBSUM", header);
    this.axes = readAxes(file.table("AXES"));
    const params = file.table("PARAMS");
    if (params.rows !== this.templates) throw changed(params.where);
    const columns = this.axes.map((axis) => toFloat64(params.numbers(axis.name.toUpperCase())));
    this.params = Float64Array.from(
      { length: this.templates * columns.length },
      (_, i) => columns[i % columns.length][Math.floor(i / columns.length)],
    );
    this.classes = params.has("CLASS") ? params.strings("CLASS") : null;
    this.idgrid = this.axes.length === 0
      ? new Int32Array(0)
      : Int32Array.from(file.image("IDGRID").data as Int32Array);
    this.#places = file.hdus.filter((hdu) => hdu.header.has("SPECSUM")).map((hdu) => placeOf(hdu));
    const builds = new Map<string, ArmHead[]>();
    for (const { build, head, hdu } of this.#places) {
      if (hdu.shape[0] !== this.templates) throw changed(hdu.where);
      builds.set(build, [...builds.get(build) ?? [], head]);
    }
    this.builds = [...builds].map(([name, arms]) => ({ name, arms }));
    const provenance = file.table("PROVENAN");
    const values = provenance.strings("VALUE");
    this.provenance = Object.fromEntries(provenance.strings("KEY").map((key, i) => [key, values[i]]));
    if (checksumOf(this, this.#places) !== this.checksum) throw changed(file.path);
  }

  place(build: string, setup: string): Place {
    const place = this.#places.find((p) => p.build === build && p.head.setup === setup);
    if (place === undefined) throw new RangeError(`${this.path}: has no arm ${setup} of build ${build}`);
    return place;
  }

  readArm(build: string, setup: string): TemplateArm {
    const place = this.place(build, setup);
    const known = this.#read.get(place)?.deref();
    if (known !== undefined) return known;
    const { head, hdu } = place;
    const lnflux = this.#file.image(hdu).data as Float32Array;
    const expected = hdu.header.string("DATASUM");
    if (expected !== undefined && Number(expected) !== dataSum(lnflux)) throw changed(hdu.where);
    const arm = { ...head, lnflux };
    this.#read.set(place, new WeakRef(arm));
    return arm;
  }

  readAll(): TemplateLibrary {
    const { name, axes, templates, params, idgrid, classes, provenance, checksum } = this;
    const builds = this.builds.map((build) => ({
      name: build.name,
      arms: build.arms.map(({ setup }) => this.readArm(build.name, setup)),
    }));
    return { name, axes, templates, params, idgrid, classes, builds, provenance, checksum };
  }

  close(): void {
    this.#file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function checkFormat(path: string, header: Header): void {
  if (header.get("FORMAT") !== FORMAT) {
    throw new InputError(
      `${path}: is a FITS file but not a template library; make one of it with "twinspec templates import"`,
    );
  }
  const version = header.integer("FMTVERS");
  if (version !== FORMAT_VERSION) {
    throw new InputError(
      `${path}: is a template library of format ${version}, this program reads format ${FORMAT_VERSION}`,
    );
  }
}

function changed(where: string): InputError {
  return new InputError(
    `${where}: its checksum does not match its content; copy or import the library again`,
  );
}

function required<T>(value: T | undefined, key: string, header: Header): T {
  if (value === undefined) throw new InputError(`${header.where}: keyword ${key} is missing`);
  return value;
}

function readAxes(table: Table): Axis[] {
  const names = table.strings("NAME"), units = table.strings("UNIT");
  const log10 = table.column("LOG10");
  const counts = table.numbers("COUNT"), nodes = toFloat64(table.numbers("NODES"));
  const most = table.rows === 0 ? 0 : nodes.length / table.rows;
  return names.map((name, d) => ({
    name,
    unit: units[d],
    log10: log10.kind === "bool" && log10.data[d] === 1,
    values: nodes.slice(d * most, d * most + Number(counts[d])),
  }));
}

function placeOf(hdu: Hdu): Place {
  const { header, shape } = hdu;
  if (hdu.kind !== "image" || shape.length !== 2 || header.integer("BITPIX") !== -32) {
    throw new InputError(`${hdu.where}: holds no spectra, expected a float32 image of two axes`);
  }
  const text = (key: string) => required(header.string(key), key, header);
  const number = (key: string) => required(header.number(key), key, header);
  const medium = text("MEDIUM") as Medium;
  const head: ArmHead = {
    setup: text("SETUP"),
    lam0: number("LAM0"),
    dlnlam: number("DLNLAM"),
    npix: shape[1],
    medium,
    lsf: lineSpread(text("LSF"), number("LSFVALUE"), hdu.where),
  };
  return { build: text("BUILD"), head, spectra: text("SPECSUM"), hdu };
}

function lineSpread(kind: string, value: number, where: string): LineSpread {
  if (kind === "resolution") return { kind, R: value };
  if (kind === "fwhm" || kind === "sigma") return { kind, angstrom: value };
  throw new InputError(`${where}: keyword LSF is ${kind}, expected fwhm, sigma or resolution`);
}

/** DATASUM of float32 data: the ones'-complement sum of their big-endian words, which are the machine's numbers. */
function dataSum(data: Float32Array): number {
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const stretch = 1 << 20;
  let total = 0;
  for (let start = 0; start < words.length; start += stretch) {
    const end = Math.min(start + stretch, words.length);
    // four sums side by side: the next addition need not wait for the one before
    let a = 0, b = 0, c = 0, d = 0, i = start;
    for (; i + 3 < end; i += 4) {
      a += words[i];
      b += words[i + 1];
      c += words[i + 2];
      d += words[i + 3];
    }
    for (; i < end; i++) a += words[i];
    total += a + b + c + d;
    while (total > 0xffffffff) total = total % 2 ** 32 + Math.floor(total / 2 ** 32);
  }
  return total;
}
