/**
 * Computes the built-in library into build/library/builtin.fits, unless it is there and made by the present code and
 * line table. `--force` computes anyway.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { builtinLibrary } from "../core/templates/builtin_library.ts";
import { builtinLibraryPath } from "../core/templates/builtin_path.ts";
import { writeLibrary } from "../core/templates/library_file.ts";
import { FitsFile } from "../core/io/fits_read.ts";

/** Hash of everything that the spectra depend on. */
function sourceHash(): string {
  const folder = new URL("../core/templates/", import.meta.url);
  const names = readdirSync(folder).filter((name) => /^(builtin_.*|library_.*|grid)\.ts$/.test(name)).sort();
  const hash = createHash("sha256");
  for (const name of names) hash.update(name).update(readFileSync(new URL(name, folder)));
  return hash.digest("hex");
}

function hashInFile(path: string): string | undefined {
  try {
    using file = FitsFile.open(path);
    return file.hdu(0).header.string("SRCHASH");
  } catch {
    return undefined;
  }
}

const path = builtinLibraryPath();
const hash = sourceHash();
if (Deno.args.includes("--force") || hashInFile(path) !== hash) {
  mkdirSync(dirname(path), { recursive: true });
  const start = performance.now();
  writeLibrary(path, builtinLibrary(), { SRCHASH: hash });
  console.error(`build:library made ${path} in ${((performance.now() - start) / 1000).toFixed(1)} s`);
}
