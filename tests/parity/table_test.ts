import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { KERNELS } from "../../core/kernels/table.ts";
import { kernelEntries, kernelHeader, passed, symbols } from "../../gpu/bindings.ts";
import { kernelsWithoutCases } from "../../gpu/parity.ts";

const root = new URL("../../", import.meta.url);

Deno.test("every kernel of the table has its twins, its parity cases and its parity test", () => {
  assert.deepEqual(kernelsWithoutCases(), []);
  for (const family of new Set(KERNELS.map((k) => k.family))) {
    for (
      const file of [
        `gpu/kernels/${family}.cu`,
        `tests/parity/${family}_test.ts`,
        `core/assembly/${family}.ts`,
      ]
    ) {
      assert.ok(existsSync(new URL(file, root)), `${file} is missing`);
    }
  }
});

Deno.test("symbols, structs and entries follow from the table", () => {
  const header = kernelHeader(), entries = kernelEntries();
  for (const kernel of KERNELS) {
    assert.ok(`ts_${kernel.name}` in symbols());
    assert.ok(
      header.includes(`int32_t ${kernel.name}(Context& context, const ${kernel.name}_call& c, Work& work);`),
    );
    assert.ok(entries.includes(`args[${passed(kernel).length - 1}]`));
  }
  assert.ok(header.includes("double* template_;"), "a keyword gets an underscore");
});
