/**
 * Builds gpu/build/libtwinspec_cuda.so for sm_80, sm_90 and PTX, unless it is newer than its sources; `--force` builds
 * anyway. Fails on warnings, and on register spills that a kernel has not declared.
 */
import { buildCuda, undeclaredSpills } from "../gpu/compile_cuda.ts";

try {
  const { path, resources } = await buildCuda(Deno.args.includes("--force"));
  if (path === null) {
    console.error("build:cuda: no nvcc; install the CUDA toolkit, or put its bin folder on the PATH");
    Deno.exit(1);
  }
  for (const r of resources) {
    console.log(
      `${r.architecture} ${r.kernel.padEnd(28)} ${
        String(r.registers).padStart(3)
      } registers, ${r.stack} bytes of stack, ` +
        `${r.spillStores + r.spillLoads} bytes spilled`,
    );
  }
  const spills = undeclaredSpills(resources);
  if (spills.length > 0) {
    console.error(
      `build:cuda failed: undeclared spills in ${spills.map((r) => `${r.kernel} (${r.architecture})`)}`,
    );
    Deno.exit(1);
  }
  console.log(`build:cuda: ${path}`);
} catch (error) {
  console.error(`build:cuda failed: ${(error as Error).message}`);
  Deno.exit(1);
}
