/**
 * Builds gpu/build/libtwinspec_emulated.so, the test device: the CUDA sources by a C++ compiler, what has changed only.
 * `--force` compiles everything, `--sanitize` makes the library for address and undefined-behaviour sanitizers.
 */
import { buildEmulated } from "../gpu/compile_emulated.ts";

try {
  const { path, compiled } = await buildEmulated({
    force: Deno.args.includes("--force"),
    sanitize: Deno.args.includes("--sanitize"),
  });
  if (path === null) {
    console.error(
      `build:emulated: no C++ compiler (${Deno.env.get("CXX") ?? "g++"}); the emulated device is not built`,
    );
    Deno.exit(1);
  }
  console.log(`build:emulated: ${path}, ${compiled.length} files compiled`);
} catch (error) {
  console.error(`build:emulated failed: ${(error as Error).message}`);
  Deno.exit(1);
}
