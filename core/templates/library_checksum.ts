/** Identity of a library: what is in it, not where it lies. */
import { createHash } from "node:crypto";
import { bigEndianBytes } from "../io/number_types.ts";
import type { TemplateArm, TemplateLibrary } from "./library.ts";

/** Everything of an arm but its spectra. */
export type ArmHead = Omit<TemplateArm, "lnflux">;

/** SHA-256 of the spectra of one arm, as big-endian float32, hexadecimal. */
export function spectraChecksum(lnflux: Float32Array): string {
  return createHash("sha256").update(bigEndianBytes(lnflux)).digest("hex");
}

/**
 * SHA-256 of axes, parameters, classes and, by their own sums, the spectra; hexadecimal.
 *
 * @param arms - per arm: name of its build, its head, checksum of its spectra
 */
export function checksumOf(
  library: Pick<TemplateLibrary, "axes" | "params" | "idgrid" | "classes">,
  arms: readonly { readonly build: string; readonly head: ArmHead; readonly spectra: string }[],
): string {
  const { axes, params, idgrid, classes } = library;
  const content = {
    axes: axes.map(({ name, unit, log10, values }) => ({ name, unit, log10, values: [...values] })),
    params: [...params],
    idgrid: [...idgrid],
    classes,
    arms: arms.map(({ build, head, spectra }) => {
      const { setup, lam0, dlnlam, npix, medium, lsf } = head;
      const spread = lsf.kind === "table" ? { kind: lsf.kind, sigma: [...lsf.sigma] } : lsf;
      return { build, setup, lam0, dlnlam, npix, medium, lsf: spread, spectra };
    }),
  };
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}

/** Checksum of a library in memory. */
export function libraryChecksum(
  library: Pick<TemplateLibrary, "axes" | "params" | "idgrid" | "classes" | "builds">,
): string {
  return checksumOf(
    library,
    library.builds.flatMap((build) =>
      build.arms.map((arm) => ({ build: build.name, head: arm, spectra: spectraChecksum(arm.lnflux) }))
    ),
  );
}
