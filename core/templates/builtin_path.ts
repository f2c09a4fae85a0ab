/** Where the built-in library lies once `deno task build:library` has made it. */
import { fileURLToPath } from "node:url";

export function builtinLibraryPath(): string {
  return fileURLToPath(new URL("../../build/library/builtin.fits", import.meta.url));
}
