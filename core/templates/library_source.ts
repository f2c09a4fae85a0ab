/** Where the spectra of a library come from: memory, or a file that is read arm by arm. */
import type { TemplateArm, TemplateLibrary } from "./library.ts";
import type { ArmHead } from "./library_checksum.ts";

export type { ArmHead } from "./library_checksum.ts";

/** A build without its spectra. */
export interface BuildHead {
  readonly name: string;
  readonly arms: readonly ArmHead[];
}

/** A library without its spectra. */
export type LibraryHead = Omit<TemplateLibrary, "builds"> & { readonly builds: readonly BuildHead[] };

/** What can be prepared for a fit: a TemplateLibrary is one, and so is an open library file. */
export interface LibrarySource {
  readonly name: string;
  /** Identity of the content, where known. */
  readonly checksum?: string;
  readonly builds: readonly BuildHead[];
  /** Spectra of one arm. Absent where the arms in `builds` bring theirs. */
  readArm?(build: string, setup: string): TemplateArm;
}

/** Spectra of one arm of a source. @throws RangeError where it has none of that name */
export function armOf(source: LibrarySource, build: string, setup: string): TemplateArm {
  if (source.readArm !== undefined) return source.readArm(build, setup);
  const arm = source.builds.find((b) => b.name === build)?.arms.find((a) => a.setup === setup);
  if (arm === undefined || !("lnflux" in arm)) {
    throw new RangeError(`library ${source.name} has no arm ${setup} of build ${build}`);
  }
  return arm as TemplateArm;
}
