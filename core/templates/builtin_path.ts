/** Where the built-in library lies once `deno task build:library` has made it. */
import { fileURLToPath } from "node:url";

/** Where the set-up puts the built-in library. */
export function builtinLibraryPath(): string {
  return fileURLToPath(new URL("../../build/library/builtin.fits", import.meta.url));
}
