import assert from "node:assert/strict";
import { builtinLibraryPath } from "../../core/templates/builtin_path.ts";
import { openTemplates, readTemplates } from "../../core/templates/open_templates.ts";
import { dataTest } from "../shared_data.ts";

Deno.test("a library file is opened as it is", () => {
  using library = openTemplates(builtinLibraryPath());
  assert.equal(library.checksum, readTemplates(builtinLibraryPath()).checksum);
});

dataTest("a folder of templates serves as a library", ["stellar/reference/library"], (folder) => {
  using library = openTemplates(folder!);
  assert.equal(library.templates, 400);
  assert.equal(library.checksum, readTemplates(folder!).checksum);
  assert.deepEqual(library.builds.map(({ name }) => name), ["std", "resolmat"]);
});

Deno.test("what is neither is refused in one sentence", () => {
  assert.throws(() => openTemplates("/nowhere/library.fits"), { name: "InputError" });
  const empty = Deno.makeTempDirSync();
  assert.throws(() => openTemplates(empty), { name: "InputError" });
  Deno.removeSync(empty);
});
