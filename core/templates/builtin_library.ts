/**
 * The built-in library, computed by this program from a table of lines: real wavelengths, so that the velocity of a
 * real star comes out right; parameters good for demonstration, not for science.
 */
import type { Axis, TemplateLibrary } from "./library.ts";
import { libraryChecksum } from "./library_checksum.ts";
import { gridIds, gridParams } from "./grid.ts";
import { Synthesiser } from "./builtin_synthesis.ts";

/** Bump with every change of the physics; the line tables are hashed by scripts/build_library.ts. */
export const BUILTIN_VERSION = "1";

export const BUILTIN_AXES: readonly Axis[] = [
  axis("teff", "K", [4000, 4500, 5000, 5500, 6000, 6500, 7200, 8000], true),
  axis("logg", "dex", [1, 2, 3, 4, 5]),
  axis("feh", "dex", [-2.5, -1.5, -0.75, 0, 0.5]),
  axis("alpha", "dex", [0, 0.4]),
];

/** Standard deviation of the line spread, Å. */
export const BUILTIN_SIGMA = 0.5;
const FROM = 3500, TO = 10000, DLNLAM = 5e-5;

function axis(name: string, unit: string, values: number[], log10 = false): Axis {
  return { name, unit, log10, values: Float64Array.from(values) };
}

/** Computes the whole library: one build `full`, vacuum, 3500 to 10000 Å. */
export function builtinLibrary(): TemplateLibrary {
  const params = gridParams(BUILTIN_AXES);
  const templates = params.length / BUILTIN_AXES.length;
  const npix = Math.floor(Math.log(TO / FROM) / DLNLAM) + 1;
  const pixels = Float64Array.from({ length: npix }, (_, i) => FROM * Math.exp(i * DLNLAM));
  const synthesiser = new Synthesiser(pixels, BUILTIN_SIGMA);
  const lnflux = new Float32Array(templates * npix);
  for (let t = 0; t < templates; t++) {
    const [teff, logg, feh, alpha] = params.subarray(4 * t, 4 * t + 4);
    synthesiser.spectrum(
      teff!,
      logg!,
      { feh: feh!, alpha: alpha! },
      lnflux.subarray(t * npix, (t + 1) * npix),
    );
  }
  const arm = {
    setup: "full",
    lam0: FROM,
    dlnlam: DLNLAM,
    npix,
    medium: "vacuum",
    lsf: { kind: "sigma", angstrom: BUILTIN_SIGMA },
    lnflux,
  } as const;
  const content = {
    name: "builtin",
    axes: BUILTIN_AXES,
    templates,
    params,
    idgrid: gridIds(BUILTIN_AXES, params),
    classes: null,
    builds: [{ name: "full", arms: [arm] }],
  };
  return {
    ...content,
    provenance: {
      source: "computed by twinspec from its own line table",
      version: BUILTIN_VERSION,
      remarks: "wavelengths are laboratory values; parameters are for demonstration",
    },
    checksum: libraryChecksum(content),
  };
}
