import assert from "node:assert/strict";
import { buildCuda, readResources, undeclaredSpills } from "../../gpu/compile_cuda.ts";
import { compiler } from "../../gpu/compile.ts";
import { DeviceLibrary } from "../../gpu/library.ts";

Deno.test("readResources finds registers and spills by kernel and architecture", () => {
  const rows = readResources(`
ptxas info    : Compiling entry function '_ZN8twinspec17interpolateKernelILi4EEEvNS_16interpolate_callE' for 'sm_80'
ptxas info    : Function properties for _ZN8twinspec17interpolateKernelILi4EEEvNS_16interpolate_callE
    136 bytes stack frame, 164 bytes spill stores, 164 bytes spill loads
ptxas info    : Used 128 registers, used 1 barriers, 136 bytes cumulative stack size
ptxas info    : Compiling entry function '_ZN8twinspec11chisqKernelENS_10chisq_callE' for 'sm_90'
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 72 registers, used 1 barriers`);
  assert.deepEqual(rows.map((r) => [r.kernel, r.architecture, r.registers, r.spillStores]), [
    ["interpolateKernel<4>", "sm_80", 128, 164],
    ["chisqKernel", "sm_90", 72, 0],
  ]);
  assert.deepEqual(undeclaredSpills(rows).map((r) => r.kernel), ["interpolateKernel<4>"]);
});

const nvcc = await compiler("nvcc", ["--version"]);
Deno.test({
  name: nvcc === null
    ? "SKIP nvcc compiles every kernel without warnings and spills (no nvcc)"
    : "nvcc compiles every kernel without warnings and spills; without a driver the library says so",
  ignore: nvcc === null,
  async fn() {
    const { path, resources } = await buildCuda();
    assert.ok(resources.length > 20);
    assert.deepEqual(undeclaredSpills(resources), []);
    const library = new DeviceLibrary("cuda", path!);
    assert.equal(library.kind, "cuda");
    try {
      assert.ok(library.devices() > 0);
    } catch (error) {
      assert.match((error as Error).message, /^(no usable NVIDIA driver|cudaGetDeviceCount): cudaError\w+: /);
    }
    assert.throws(() => library.emulate("order", 1), /this is no emulated device/);
  },
});
