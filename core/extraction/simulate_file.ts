/** Simulated images as files: a preprocessed image, and the truth that it was made from. */
import { Header } from "../io/fits_header.ts";
import { numberColumn, stringColumn, Table } from "../io/fits_table.ts";
import { FitsWriter } from "../io/fits_write.ts";
import { headerText } from "../stellar/output_header.ts";
import { VERSION } from "../stellar/output_version.ts";
import type { Target } from "../target.ts";
import type { Psf } from "./psf.ts";
import { type DamageOptions, drawDamage, litBox, READ_NOISE, simulateImage, UNDAMAGED } from "./simulate.ts";
import type { Scene } from "./simulate_spectra.ts";

export interface SimulatedFile {
  readonly path: string;
  /** File of the truth. */
  readonly truth: string;
  readonly psf: Psf;
  readonly firstFibre: number;
  readonly fibres: number;
  readonly scene: Scene;
  readonly seed: number;
  readonly damage: DamageOptions;
  /** No noise in the image; its ivar is as with noise. */
  readonly noiseless: boolean;
  /** TARGETIDs, one a simulated fibre; absent: 1 000 000 + fibre. */
  readonly targetids?: readonly bigint[];
}

/**
 * Writes the image, strip by strip, then the truth: PHOTONS (electrons a bin, (fibres, bins)), WAVELENGTH, NOISELESS (the
 * lit part of the CCD; XLO and YLO say where it lies).
 *
 * @param onRows - told how many rows of the CCD are done
 */
export function writeSimulatedImage(
  target: Target,
  file: SimulatedFile,
  onRows: (rows: number) => void = () => {},
): void {
  const { psf, scene, seed, firstFibre, fibres } = file;
  const { columns, rows } = psf;
  const options = { psf, firstFibre, fibres, wave: scene.wave, photons: scene.photons, seed };
  const box = litBox(options);
  const damage = Object.values(file.damage).some((n) => n > 0)
    ? drawDamage(seed, box, file.damage)
    : UNDAMAGED;
  const header = headerOf(file);
  const shape = [rows, columns];
  using image = FitsWriter.create(file.path, header, { name: "IMAGE", type: "float32", shape });
  const ivar = image.addImage({ name: "IVAR", type: "float32", shape });
  const mask = image.addImage({ name: "MASK", type: "int16", shape });
  const noise = image.addImage({ name: "READNOISE", type: "float32", shape });
  image.addTable({ name: "FIBERMAP", table: fibermap(file) });
  const truthHeader = headerOf(file);
  damage.marks.forEach((mark, i) => truthHeader.set(`MARK${i}`, mark));
  using truth = FitsWriter.create(file.truth, truthHeader);
  truth.addWholeImage({
    name: "PHOTONS",
    shape: [fibres, scene.wave.length],
    data: scene.photons,
    header: new Header().set("BUNIT", "electron").set(
      "BEFORE",
      scene.before,
      "bins before the first to extract",
    ),
  });
  truth.addWholeImage({ name: "WAVELENGTH", shape: [scene.wave.length], data: scene.wave });
  const noiseless = truth.addImage({
    name: "NOISELESS",
    type: "float32",
    shape: [box.rows, box.columns],
    header: new Header().set("YLO", box.y0, "first row on the CCD").set(
      "XLO",
      box.x0,
      "first column on the CCD",
    ),
  });
  for (const strip of simulateImage(target, { ...options, damage, noise: !file.noiseless })) {
    const { firstRow } = strip;
    image.writeRows(image.primary, firstRow, strip.image);
    image.writeRows(ivar, firstRow, strip.ivar);
    image.writeRows(mask, firstRow, strip.mask);
    image.writeRows(noise, firstRow, new Float32Array(strip.image.length).fill(READ_NOISE));
    for (let r = 0; r < strip.rows && box.columns > 0; r++) {
      const y = firstRow + r;
      if (y < box.y0 || y >= box.y0 + box.rows) continue;
      const from = r * columns + box.x0;
      truth.writeRows(
        noiseless,
        y - box.y0,
        Float32Array.from(strip.noiseless.subarray(from, from + box.columns)),
      );
    }
    onRows(firstRow + strip.rows);
  }
  // the truth first: an image is never there without it
  truth.commit();
  image.commit();
}

function headerOf({ psf, seed, firstFibre, fibres }: SimulatedFile): Header {
  return new Header().set("CAMERA", psf.camera === "" ? "r0" : psf.camera)
    .set("EXPID", 1).set("NIGHT", 20260101).set("OBSTYPE", "SCIENCE").set("FLAVOR", "science")
    .setReal("EXPTIME", 900).setReal("MJD-OBS", 61041.3).setReal("TARGTRA", 150).setReal("TARGTDEC", 2)
    .setReal("RDNOISE", READ_NOISE).set("SIMDATA", true).set("BUNIT", "electron")
    .set("SIMSEED", seed).set("SIMSPMIN", firstFibre).set("SIMNSPEC", fibres)
    .set("IN_PSF", headerText(psf.path)).set("TWINSPEC", VERSION);
}

/** One row a fibre of the PSF; fibres without light are SKY. */
function fibermap({ psf, scene, firstFibre, fibres, targetids }: SimulatedFile): Table {
  const all = Array.from({ length: psf.fibres }, (_, i) => i);
  const lit = (i: number) => i >= firstFibre && i < firstFibre + fibres;
  return new Table([
    numberColumn(
      "TARGETID",
      BigInt64Array.from(all, (i) => targetids?.[i - firstFibre] ?? BigInt(1_000_000 + i)),
    ),
    numberColumn("PETAL_LOC", new Int16Array(all.length)),
    numberColumn("FIBER", Int32Array.from(all, (i) => psf.firstFibre + i)),
    numberColumn("FIBERSTATUS", new Int32Array(all.length)),
    numberColumn("TARGET_RA", Float64Array.from(all, (i) => 150 + 0.001 * i), { unit: "deg" }),
    numberColumn("TARGET_DEC", new Float64Array(all.length).fill(2), { unit: "deg" }),
    stringColumn("OBJTYPE", all.map((i) => lit(i) && scene.kinds[i - firstFibre] !== "sky" ? "TGT" : "SKY")),
  ]);
}
