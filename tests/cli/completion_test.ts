import assert from "node:assert/strict";
import { inFolder, twinspec } from "./run_cli.ts";

for (const shell of ["bash", "zsh", "fish"]) {
  Deno.test(`completion: ${shell} gets a script`, async () => {
    const { code, out, err } = await twinspec("completion", shell);
    assert.deepEqual([code, err], [0, ""]);
    assert.match(out, /twinspec/);
    assert.ok(out.length > 500);
  });
}

Deno.test("completion: the bash script is valid bash", async () => {
  const { out } = await twinspec("completion", "bash");
  await inFolder(async (folder) => {
    const path = `${folder}/twinspec.bash`;
    Deno.writeTextFileSync(path, out);
    const { success, stderr } = await new Deno.Command("bash", { args: ["-n", path] }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
  });
});

Deno.test("completion: an unknown shell is answered with the known ones, exit 2", async () => {
  const { code, err } = await twinspec("completion", "tcsh");
  assert.equal(code, 2);
  assert.match(err, /tcsh.*bash.*fish.*zsh/s);
});

Deno.test("completion: words are proposed", async () => {
  const { code, out } = await twinspec("completion", "bash", "fit", "--res");
  assert.equal(code, 0);
  assert.match(out, /--resolution-matrix/);
});
