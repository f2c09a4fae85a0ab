/** Templates from what a user names: a library file, or a source that is imported on the spot. */
import { statSync } from "node:fs";
import { importLibrary } from "./import_library.ts";
import type { TemplateLibrary } from "./library.ts";
import { openLibrary, readLibrary } from "./library_file.ts";
import type { LibraryHead, LibrarySource } from "./library_source.ts";

/** An open library; spectra may still be in its file. */
export type OpenTemplates = LibraryHead & LibrarySource & Disposable & { close(): void };

/**
 * Opens a library file; a folder is imported in memory, as `templates import` would (which is worth doing once for
 * good where it takes long).
 *
 * @throws InputError where it is neither
 */
export function openTemplates(path: string): OpenTemplates {
  if (!isFolder(path)) return openLibrary(path);
  return { ...importLibrary(path), close() {}, [Symbol.dispose]() {} };
}

/** The same with all spectra in memory. */
export function readTemplates(path: string): TemplateLibrary {
  return isFolder(path) ? importLibrary(path) : readLibrary(path);
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
