/** Tests of the slow references: whole, with reasons, and sharp enough to notice a wrong result. */
import assert from "node:assert/strict";
import type { Kernel } from "../../core/kernels/kernel.ts";
import { kernelNamed, KERNELS } from "../../core/kernels/table.ts";
import type { HostArray, Target } from "../../core/target.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { call } from "../../gpu/parity/case.ts";
import { againstReference, type Difference, TIGHT } from "../../gpu/parity/reference.ts";
import { parityCases, parityOf } from "../../gpu/parity.ts";
import { REFERENCES } from "./references.ts";

const outputsOf = (kernel: Kernel) =>
  kernel.args.filter(({ role }) => role === "out" || role === "inout").map(({ name }) => name);

/** Kernels and outputs of the table that have no slow reference. */
function missing(kernels: readonly Kernel[]): string[] {
  return kernels.flatMap((kernel) => {
    const limits = REFERENCES[kernel.name]?.limits;
    if (limits === undefined) return [kernel.name];
    return outputsOf(kernel).filter((output) => !(output in limits)).map((output) =>
      `${kernel.name}.${output}`
    );
  });
}

Deno.test("every kernel of the table and every output of it has a slow reference, and no other", () => {
  assert.deepEqual(missing(KERNELS), []);
  assert.deepEqual(Object.keys(REFERENCES).sort(), KERNELS.map(({ name }) => name).sort());
  for (const kernel of KERNELS) {
    assert.deepEqual(
      Object.keys(REFERENCES[kernel.name]!.limits).sort(),
      outputsOf(kernel).sort(),
      kernel.name,
    );
  }
});

Deno.test("a kernel or an output without a slow reference is named", () => {
  const rotate = kernelNamed("rotate");
  const more = { ...rotate, args: [...rotate.args, { ...rotate.args.at(-1)!, name: "slope" }] };
  assert.deepEqual(missing([...KERNELS, { ...rotate, name: "unheard_of" }, more]), [
    "unheard_of",
    "rotate.slope",
  ]);
});

Deno.test("a limit looser than 1e-11 says why", () => {
  for (const [name, { limits }] of Object.entries(REFERENCES)) {
    for (const [output, { relative, reason }] of Object.entries(limits)) {
      assert.ok(relative <= TIGHT || reason, `${name}.${output}: ${relative}`);
    }
  }
});

for (const kernel of KERNELS) {
  Deno.test(`the slow reference of ${kernel.name} notices an error in each output`, () => {
    const wasm = loadWasmTarget();
    const reference = REFERENCES[kernel.name]!;
    const left = new Set(outputsOf(kernel));
    for (const one of parityCases(kernel, wasm)) {
      if (left.size === 0) break;
      const slow = one.unspecified ? null : reference.outputs(one);
      if (slow === null) continue;
      const found = call(wasm, kernel, one.dims, one.inputs);
      for (const output of left) {
        const wrong = planted(found[output]!, reference.limits[output]!.relative);
        if (wrong === null) continue;
        left.delete(output);
        const differ = (outputs: Record<string, HostArray>): Difference[] =>
          againstReference(kernel, one, outputs, slow, reference.limits).filter(({ ok }) => !ok);
        assert.deepEqual(differ(found), []);
        assert.deepEqual(differ({ ...found, [output]: wrong }).map((d) => d.output), [output]);
      }
    }
    assert.deepEqual([...left], [] as string[], "no case to plant an error in");
  });
}

/** The values with the largest of them off by ten times the limit, or by 1; null where all are 0 or NaN. */
function planted(values: HostArray, limit: number): HostArray | null {
  let at = -1;
  values.forEach((v, i) => {
    if (!Number.isNaN(v) && (at < 0 || Math.abs(v) > Math.abs(values[at]!))) at = i;
  });
  const whole = values instanceof Int32Array || values instanceof Uint8Array;
  if (at < 0 || (!whole && values[at] === 0)) return null;
  const wrong = values.slice();
  wrong[at] = whole ? values[at]! + 1 : values[at]! * (1 + 10 * limit);
  return wrong;
}

Deno.test("two targets with the same wrong answer are told apart from the slow reference alone", () => {
  const rotate = kernelNamed("rotate"), wasm = loadWasmTarget();
  /** Broadens all spectra by a kernel that is too heavy by 1e-9. */
  const wrong: Target = new Proxy(wasm, {
    get(target, key) {
      if (key === "download") {
        return (array: Parameters<Target["download"]>[0]) =>
          target.download(array).map((v) => v * (1 + 1e-9));
      }
      const value = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  assert.equal(parityOf(rotate, wrong, wrong).ok, true);
  const row = parityOf(rotate, wrong, wrong, { reference: REFERENCES.rotate! });
  assert.equal(row.ok, false);
  assert.match(row.fault!, /slow reference differ by 1(\.\d+)?e-9 .* out\[/);
});
