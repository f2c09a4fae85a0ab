/** The kernel table is complete: core, tests, bench and reference page have what every row promises. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { CASES } from "../bench/kernel_cases.ts";
import { elements, type Kernel } from "../core/kernels/kernel.ts";
import { kernelNamed, KERNELS } from "../core/kernels/table.ts";
import { compileCore } from "../core/wasm/load.ts";
import { formatted, kernelReference, writtenPage } from "../scripts/kernel_reference.ts";

const STRICT = 1e-12;
const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const there = (path: string) => existsSync(new URL(`../${path}`, import.meta.url));

/** Name of the constant that declares a kernel: fit_evaluate → fitEvaluate. */
function constant(kernel: Kernel): string {
  return kernel.name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

Deno.test("names in the table are unique, and each is found", () => {
  assert.equal(new Set(KERNELS.map(({ name }) => name)).size, KERNELS.length);
  for (const kernel of KERNELS) assert.equal(kernelNamed(kernel.name), kernel);
  assert.throws(() => kernelNamed("nothing"), /no kernel "nothing"/);
});

Deno.test("every kernel is exported by its family's AssemblyScript, with its sizes and arguments", () => {
  const { exports } = new WebAssembly.Instance(compileCore(), {});
  const index = read("core/assembly/index.ts");
  for (const kernel of KERNELS) {
    const source = read(`core/assembly/${kernel.family}.ts`);
    assert.match(source, new RegExp(`^export function ${kernel.name}\\(`, "m"), kernel.name);
    assert.match(index, new RegExp(`\\b${kernel.name}\\b`), kernel.name);
    const entry = exports[kernel.name];
    assert.ok(typeof entry === "function", `${kernel.name} is not in the core`);
    assert.equal(entry.length, Object.keys(kernel.dims).length + kernel.args.length, kernel.name);
  }
});

Deno.test("the core exports nothing that the table does not know", () => {
  const known = new Set<string>([...KERNELS.map(({ name }) => name), "memory", "heapBase"]);
  const { exports } = new WebAssembly.Instance(compileCore(), {});
  assert.deepEqual(Object.keys(exports).filter((name) => !known.has(name)), []);
});

Deno.test("every kernel has its CUDA twin in the file of its family", () => {
  for (const kernel of KERNELS) {
    const path = `gpu/kernels/${kernel.family}.cu`;
    assert.ok(there(path), `${path} is missing`);
    assert.match(read(path), new RegExp(`\\b${kernel.name}\\(`), `${kernel.name} in ${path}`);
  }
});

Deno.test("every kernel is tested in the file of its family", () => {
  for (const kernel of KERNELS) {
    const path = `tests/kernels/${kernel.family}_test.ts`;
    assert.ok(there(path), `${path} is missing`);
    assert.match(read(path), new RegExp(`\\b${constant(kernel)}\\b`), `${kernel.name} in ${path}`);
  }
});

Deno.test("every kernel is timed by the bench", () => {
  for (const kernel of KERNELS) assert.ok(CASES.some((one) => one.kernel === kernel), kernel.name);
});

Deno.test("a tolerance looser than 1e-12 states its reason", () => {
  for (const { name, tolerance } of KERNELS) {
    assert.ok(tolerance.relative > 0 && tolerance.absolute >= 0, name);
    if (tolerance.relative > STRICT || tolerance.absolute > STRICT) assert.ok(tolerance.reason, name);
  }
});

Deno.test("everything that a caller hands over has a type, a unit and a meaning", () => {
  for (const kernel of KERNELS) {
    assert.ok(kernel.doc && kernel.source, kernel.name);
    assert.equal(new Set(kernel.args.map(({ name }) => name)).size, kernel.args.length, kernel.name);
    for (const [name, doc] of Object.entries(kernel.dims)) assert.ok(doc, `${kernel.name} ${name}`);
    for (const { name, role, unit, doc } of kernel.args) {
      if (role !== "work") assert.ok(unit && doc, `${kernel.name} ${name}`);
    }
  }
});

Deno.test("shapes, scratch and costs are numbers for the sizes of the bench", () => {
  for (const { kernel, name, calls } of CASES) {
    for (const { dims } of calls) {
      for (const argument of kernel.args) {
        const n = elements(argument, dims);
        assert.ok(Number.isSafeInteger(n) && n >= 0, `${name} ${argument.name}: ${n}`);
        if (argument.role === "work") assert.ok(n > 0, `${name} ${argument.name}: ${n}`);
      }
      const flops = kernel.flops(dims);
      assert.ok(Number.isFinite(flops) && flops > 0, `${name}: ${flops}`);
    }
  }
});

Deno.test("operations grow in proportion to the batch, where there is one", () => {
  for (const { kernel, calls } of CASES) {
    const batch = ["E", "B"].find((dim) => dim in kernel.dims);
    if (batch === undefined) continue;
    const { dims } = calls[0]!;
    const twice = { ...dims, [batch]: 2 * dims[batch]! };
    const ratio = kernel.flops(twice) / kernel.flops(dims);
    assert.ok(Math.abs(ratio - 2) < 1e-9, `${kernel.name}: ${ratio}`);
  }
});

Deno.test("docs/kernels.md is what the table says (deno run -A scripts/kernel_reference.ts)", async () => {
  assert.equal(writtenPage(), await formatted(kernelReference()));
});
