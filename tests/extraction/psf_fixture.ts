/** A small PSF for tests, as a value and as a file; every part of the file can be broken. */
import { type Psf, TAILS, WIDTHS } from "../../core/extraction/psf.ts";
import { Header } from "../../core/io/fits_header.ts";
import { numberColumn, stringColumn, Table } from "../../core/io/fits_table.ts";
import { FitsWriter } from "../../core/io/fits_write.ts";
import { random } from "../reference/random.ts";

export interface SmallPsf {
  readonly fibres?: number;
  readonly columns?: number;
  readonly rows?: number;
  /** Added to all centroids, pixels. */
  readonly dx?: number;
  readonly dy?: number;
}

/**
 * Fibres 7.4 columns apart from column 9 on, 1.5 rows a bin of 0.8 Å: row 8 at 6000 Å. Slightly skew cores of about 1.1
 * pixels, 13 × 9 pixels a spot.
 */
export function smallPsf({ fibres = 10, columns = 90, rows = 120, dx = 0, dy = 0 }: SmallPsf = {}): Psf {
  const degreeX = 3, degreeY = 2, shapeTerms = 2, traceTerms = 3;
  const P = WIDTHS.length + (degreeX + 1) * (degreeY + 1) + TAILS.length;
  const trace = new Float64Array(fibres * 2 * traceTerms), shape = new Float64Array(fibres * P * shapeTerms);
  const next = random(5);
  const span = rows / 1.5 * 0.8;
  for (let f = 0; f < fibres; f++) {
    trace.set([9 + 7.4 * f + dx, 0.3, -0.1], 2 * f * traceTerms);
    trace.set([8 + dy + 0.75 * span / 0.8, 0.75 * span / 0.8, 0.3], (2 * f + 1) * traceTerms);
    for (let p = 0; p < P - TAILS.length; p++) {
      const lead = p < 2 ? 1.05 + 0.1 * next() : p === 2 ? 1 : 0.03 * (next() - 0.5);
      shape.set([lead, 0.02 * (next() - 0.5)], (f * P + p) * shapeTerms);
    }
  }
  return {
    ...{ path: "small", camera: "r7", firstFibre: 0, fibres, columns, rows },
    ...{ halfX: 6, halfY: 4, degreeX, degreeY, traceTerms, shapeTerms, trace, shape },
    traceDomain: { min: 6000, max: 6000 + span },
    shapeDomain: { min: 5999, max: 6001 + span },
    error: 0.01,
  };
}

/** What of the file to write otherwise; `null` leaves a keyword out. */
export interface PsfFileChanges {
  readonly primary?: Readonly<Record<string, string | number | null>>;
  readonly table?: Readonly<Record<string, string | number | null>>;
  readonly without?: "XTRACE" | "YTRACE" | "PSF";
  readonly rows?: (names: string[]) => string[];
  readonly poison?: string;
}

function header(
  keys: Record<string, string | number>,
  changes: Readonly<Record<string, string | number | null>> = {},
): Header {
  const out = new Header();
  for (const [key, value] of Object.entries({ ...keys, ...changes })) if (value !== null) out.set(key, value);
  return out;
}

/** Writes a PSF of version 3 the way specex does: blank-padded names, degrees that mean nothing. */
export function writePsf(path: string, psf: Psf, changes: PsfFileChanges = {}): void {
  const { fibres, traceTerms, shapeTerms } = psf;
  const kind = { PSFTYPE: "GAUSS-HERMITE", PSFVER: 3 };
  const trace = (axis: number) =>
    Float64Array.from({ length: fibres * traceTerms }, (_, i) => {
      return psf.trace[(2 * Math.floor(i / traceTerms) + axis) * traceTerms + i % traceTerms]!;
    });
  const domain = { WAVEMIN: psf.traceDomain.min, WAVEMAX: psf.traceDomain.max };
  const names: string[] = [...WIDTHS];
  for (let i = 0; i <= psf.degreeX; i++) for (let j = 0; j <= psf.degreeY; j++) names.push(`GH-${i}-${j}`);
  names.push(...TAILS);
  // files list them with the degree in x fast
  const listed = (changes.rows ?? ((all) => all))([...names].reverse());
  const P = names.length;
  const cells = listed.flatMap((name) => {
    const p = names.indexOf(name);
    return Array.from(
      { length: fibres * shapeTerms },
      (_, i) =>
        name === changes.poison ? NaN : p < 0 ? 0 : psf
          .shape[(Math.floor(i / shapeTerms) * P + p) * shapeTerms + i % shapeTerms]!,
    );
  });
  const table = new Table([
    stringColumn("PARAM", listed, { width: 8 }),
    numberColumn("COEFF", Float64Array.from(cells), { shape: [fibres, shapeTerms] }),
    numberColumn("LEGDEGX", new Int32Array(listed.length)),
    numberColumn("LEGDEGW", new Int32Array(listed.length)),
  ]);
  const first = changes.without === "XTRACE" ? "OTHER" : "XTRACE";
  const file = FitsWriter.create(path, header({ ...domain, ...kind, FIBERMIN: 0 }, changes.primary), {
    name: first,
    type: "float64",
    shape: [fibres, traceTerms],
  });
  file.writeRows(file.primary, 0, trace(0));
  if (changes.without !== "YTRACE") {
    file.addWholeImage({
      name: "YTRACE",
      data: trace(1),
      shape: [fibres, traceTerms],
      header: header(domain),
    });
  }
  if (changes.without !== "PSF") {
    const about = {
      ...{ PSFTYPE: "GAUSS-HERMITE", PSFVER: "3", CAMERA: `'${psf.camera}      '` },
      ...{ NPIX_X: psf.columns, NPIX_Y: psf.rows, HSIZEX: psf.halfX, HSIZEY: psf.halfY },
      ...{ GHDEGX: psf.degreeX, GHDEGY: psf.degreeY, LEGDEG: shapeTerms - 1 },
      ...{ WAVEMIN: psf.shapeDomain.min, WAVEMAX: psf.shapeDomain.max, PSFERROR: 0 },
    };
    file.addTable({ name: "PSF", table, header: header(about, changes.table) });
  }
  file.commit();
}
