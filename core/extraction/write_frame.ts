/** Writing a frame and, where wanted, the pixel model. The layout is that of DESI's frame files. */
import { Header } from "../io/fits_header.ts";
import { FitsWriter } from "../io/fits_write.ts";
import { headerText } from "../stellar/output_header.ts";
import { VERSION } from "../stellar/output_version.ts";
import type { KeptBundle } from "./bundle_record.ts";
import type { PlannedBundle } from "./bundles.ts";
import { binWidths, FRAME_MASK, frameMask } from "./frame.ts";
import type { ExtractionOptions } from "./job.ts";
import type { MaskBits, Preproc } from "./read_preproc.ts";

export interface FrameHead {
  readonly psfPath: string;
  readonly firstFibre: number;
  readonly fibres: number;
  /** Wavelengths that are written, Å, uniform. */
  readonly wave: Float64Array;
  readonly options: ExtractionOptions;
  readonly bundleSize: number;
  readonly maskBits: MaskBits;
  /** Bands of the resolution matrix. */
  readonly bands: number;
  readonly psferr: number;
  /** Written wavelengths over those at the telescope; null where they are the same. */
  readonly barycentricFactor: number | null;
  /** FLUX and IVAR in double precision. */
  readonly float64: boolean;
  /** Name of the target that did the arithmetic. */
  readonly target: string;
  readonly commandLine: string;
  readonly identity: string;
}

/** Per Å, not per bin. */
const UNIT = "electron/Angstrom";

/**
 * Writes a frame: FLUX (primary), IVAR, MASK, WAVELENGTH, RESOLUTION, FIBERMAP (of these fibres), CHI2PIX. It appears
 * whole or not at all.
 *
 * @param read - a finished bundle
 */
export function writeFrame(
  path: string,
  head: FrameHead,
  preproc: Preproc,
  bundles: readonly PlannedBundle[],
  read: (bundle: number) => KeptBundle,
): FrameCounts {
  const { fibres, wave, bands, float64 } = head;
  const bins = wave.length;
  const type = float64 ? "float64" : "float32";
  const shape = [fibres, bins];
  using file = FitsWriter.create(path, primaryHeader(head, preproc), { name: "FLUX", type, shape });
  const unit = (text: string) => new Header().set("BUNIT", text);
  const ivar = file.addImage({ name: "IVAR", type, shape, header: unit(`(${UNIT})**-2`) });
  const mask = file.addImage({ name: "MASK", type: "uint32", shape, header: maskHeader() });
  file.addWholeImage({ name: "WAVELENGTH", shape: [bins], data: wave, header: unit("Angstrom") });
  const resolution = file.addImage({ name: "RESOLUTION", type: "float32", shape: [fibres, bands, bins] });
  if (preproc.fibermap !== null) {
    const rows = fibermapRows(preproc, head);
    file.addTable({ name: "FIBERMAP", table: preproc.fibermap.take(rows), header: preproc.fibermap.header });
  }
  const chi2 = file.addImage({ name: "CHI2PIX", type: "float32", shape });

  const width = binWidths(wave);
  const quality = {
    fibres,
    bins,
    ivar: new Float64Array(fibres * bins),
    chi2pix: new Float64Array(fibres * bins),
    pixmaskFraction: new Float64Array(fibres * bins),
    flags: new Uint32Array(fibres * bins),
  };
  const cast = (values: Float64Array) => float64 ? values : Float32Array.from(values);
  bundles.forEach(({ row, kept }, b) => {
    const bundle = read(b), at = row * bins;
    for (const name of ["ivar", "chi2pix", "pixmaskFraction", "flags"] as const) {
      quality[name].set(bundle[name] as Float64Array & Uint32Array, at);
    }
    if (kept === 0 || bins === 0) return;
    file.writeRows(file.primary, row, cast(bundle.flux.map((v, i) => v / width[i % bins]!)));
    file.writeRows(ivar, row, cast(bundle.ivar.map((v, i) => v * width[i % bins]! ** 2)));
    file.writeRows(resolution, row, bundle.resolution);
    file.writeRows(chi2, row, Float32Array.from(bundle.chi2pix));
  });
  const bits = frameMask(quality);
  if (bits.length > 0) file.writeRows(mask, 0, bits);
  file.commit();
  const count = (bit: number) => bits.reduce((n, value) => n + Number((value & bit) !== 0), 0);
  return {
    bins: bits.length,
    masked: bits.reduce((n, value) => n + Number(value !== 0), 0),
    allBad: count(FRAME_MASK.ALLBADPIX),
    someBad: count(FRAME_MASK.SOMEBADPIX),
    badFit: count(FRAME_MASK.BAD2DFIT),
    failed: count(FRAME_MASK.FAILED),
  };
}

/** Bins of a frame by what is wrong with them. */
export interface FrameCounts {
  readonly bins: number;
  readonly masked: number;
  readonly allBad: number;
  readonly someBad: number;
  readonly badFit: number;
  readonly failed: number;
}

/** Rows of the input's FIBERMAP that belong to the frame: by place, since FIBER counts on over all spectrographs. */
function fibermapRows({ fibermap }: Preproc, { firstFibre, fibres }: FrameHead): number[] {
  const rows = fibermap!.rows;
  if (rows === fibres) return Array.from({ length: rows }, (_, i) => i);
  return Array.from({ length: Math.max(0, Math.min(fibres, rows - firstFibre)) }, (_, i) => firstFibre + i);
}

function maskHeader(): Header {
  const header = new Header();
  Object.entries(FRAME_MASK).forEach(([name, bit]) => {
    header.addCommentary("COMMENT", `bit ${Math.log2(bit)} (${bit}): ${name}`);
  });
  return header;
}

function primaryHeader(head: FrameHead, preproc: Preproc): Header {
  const { wave, options, barycentricFactor } = head;
  const header = preproc.header.copy();
  for (const key of ["CHECKSUM", "DATASUM", "BUNIT", "BSCALE", "BZERO"]) header.delete(key);
  // some writers wrap the value in quotes of its own
  if (preproc.camera !== "") header.set("CAMERA", preproc.camera, "camera, channel and spectrograph");
  header.set("BUNIT", UNIT);
  header.set("NSPEC", head.fibres, "number of spectra");
  header.set("FIBERMIN", head.firstFibre, "first fibre of the spectrograph that is here");
  const last = wave[wave.length - 1] ?? wave[0] ?? 0;
  header.setReal("WAVEMIN", wave[0] ?? 0, "[Angstrom] first wavelength");
  header.setReal("WAVEMAX", last, "[Angstrom] last wavelength");
  header.setReal(
    "WAVESTEP",
    wave.length > 1 ? (last - wave[0]!) / (wave.length - 1) : 0,
    "[Angstrom] bin width",
  );
  header.set("AIRORVAC", "vac", "medium of the wavelengths");
  header.set("HELIOCOR", barycentricFactor ?? 1, "barycentric over observed wavelength");
  header.set("SPECSYS", barycentricFactor === null ? "TOPOCENT" : "BARYCENT", "frame of the wavelengths");
  header.set("VACUUM", true, "wavelengths are vacuum");
  header.set("IN_PSF", headerText(head.psfPath), "point spread function");
  header.set("IN_IMG", headerText(preproc.path), "image");
  header.set("TWINSPEC", VERSION, "version of the program");
  header.set("TARGET", headerText(head.target), "what did the arithmetic");
  header.set("TS_CMD", headerText(head.commandLine));
  header.set("TILING", options.tiling, "how bundles are cut into systems");
  header.set("BUNDLSIZ", head.bundleSize, "fibres of a bundle");
  if (options.tiling === "reference") {
    header.set("NSUBBUND", options.nsubbundles).set("NWAVSTEP", options.nwavestep).set(
      "WAVEPAD",
      options.wavepad,
    );
    header.setReal("PIXPADFR", options.pixpadFrac).setReal("WAVPADFR", options.wavepadFrac);
  }
  header.setReal("PSFERR", head.psferr, "relative error of the pixel model in chi2pix");
  header.setReal("REGULARI", options.regularize, "prior of bins that have light");
  header.set("MASKBITS", head.maskBits, "pixels taken out: desi or any bit of MASK");
  header.set("RUNHASH", head.identity);
  return header;
}

/** Rows of the model image that are held at a time. */
const STRIPE = 256;

/** Writes the pixel model of all bundles as one image of the CCD's size: A·x, electrons, each bin once. */
export function writeModel(
  path: string,
  preproc: Preproc,
  float64: boolean,
  bundles: number,
  read: (bundle: number) => KeptBundle,
): void {
  const { rows, columns } = preproc;
  const type = float64 ? "float64" : "float32";
  const header = new Header().set("BUNIT", "electron").set("IN_IMG", headerText(preproc.path));
  if (preproc.camera !== "") header.set("CAMERA", preproc.camera);
  using file = FitsWriter.create(path, header, { name: "MODEL", type, shape: [rows, columns] });
  const parts = Array.from({ length: bundles }, (_, b) => read(b).model);
  for (let y0 = 0; y0 < rows; y0 += STRIPE) {
    const y1 = Math.min(rows, y0 + STRIPE);
    const stripe = new Float64Array((y1 - y0) * columns);
    for (const part of parts) {
      if (part === null) continue;
      const { cutout, data } = part;
      for (let y = Math.max(y0, cutout.y0); y < Math.min(y1, cutout.y0 + cutout.rows); y++) {
        const from = (y - cutout.y0) * cutout.columns, to = (y - y0) * columns + cutout.x0;
        for (let c = 0; c < cutout.columns; c++) stripe[to + c]! += data[from + c]!;
      }
    }
    file.writeRows(file.primary, y0, float64 ? stripe : Float32Array.from(stripe));
  }
  file.commit();
}
