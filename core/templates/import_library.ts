/** Making a template library of what other programs provide; what a source is, is told by its content. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { FitsFile } from "../io/fits_read.ts";
import { InputError } from "../io/input_error.ts";
import { importArchetypes, isArchetypes } from "./import_archetypes.ts";
import { filesBelow, importDirectory } from "./import_directory.ts";
import { importNdArch, isNdArch } from "./import_ndarch.ts";
import type { ImportOptions } from "./import_options.ts";
import { importReference, isReferenceLibrary } from "./import_reference.ts";
import { isFitsName } from "./import_spectrum.ts";
import type { TemplateLibrary } from "./library.ts";
import { FORMAT } from "./library_file.ts";

export type { ImportOptions } from "./import_options.ts";

/**
 * Imports a library.
 *
 * | source | recognised by |
 * |---|---|
 * | the reference's development library | a folder with meta.json and params.csv |
 * | redrock archetypes | a FITS file, or a folder of them, with HDUs BASIS_VECTORS and ARCHETYPE_COEFF |
 * | redmonster archetypes | a FITS file whose first axis is named loglam |
 * | model spectra | a folder with params.csv or with FITS files that carry their parameters as keywords |
 *
 * @param source - file or folder
 * @throws InputError where the source is none of these, or is damaged
 */
export function importLibrary(source: string, options: ImportOptions = {}): TemplateLibrary {
  if (!existsSync(source)) throw new InputError(`${source}: no such file or folder`);
  return statSync(source).isDirectory() ? importFolder(source, options) : importFile(source, options);
}

function importFile(path: string, options: ImportOptions): TemplateLibrary {
  using file = FitsFile.open(path);
  if (isArchetypes(file)) return importArchetypes(path, [path], options);
  if (isNdArch(file)) return importNdArch(file, options);
  if (file.hdu(0).header.get("FORMAT") === FORMAT) {
    throw new InputError(`${path}: is a template library already; use it as it is`);
  }
  throw new InputError(
    `${path}: is not a source of templates: neither redrock nor redmonster archetypes; for single spectra give their folder`,
  );
}

function importFolder(folder: string, options: ImportOptions): TemplateLibrary {
  if (isReferenceLibrary(folder)) return importReference(folder, options);
  if (!existsSync(join(folder, "params.csv"))) {
    const archetypes = filesBelow(folder).filter(isFitsName).map((name) => join(folder, name))
      .filter((path) => {
        using file = FitsFile.open(path);
        return isArchetypes(file);
      });
    if (archetypes.length > 0) return importArchetypes(folder, archetypes, options);
  }
  return importDirectory(folder, options);
}
