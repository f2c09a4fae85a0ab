import assert from "node:assert/strict";
import { listDevices } from "../../gpu/devices.ts";
import { DeviceError } from "../../gpu/errors.ts";
import type { DeviceKind, DeviceLibrary } from "../../gpu/library.ts";
import { emulatedTest } from "./emulated.ts";

Deno.test("listDevices says why a kind is not usable", () => {
  const rows = listDevices((kind: DeviceKind) => {
    throw new DeviceError(`no ${kind} here`, 1);
  });
  assert.deepEqual(rows.map((r) => [r.target, r.usable, r.reason]), [
    ["wasm", true, null],
    ["cuda", false, "no cuda here"],
    ["emulated", false, "no emulated here"],
  ]);
});

emulatedTest("listDevices has a row a device", (library) => {
  library.emulate("devices", 3);
  library.emulate("memory", 2 ** 30);
  const open = (kind: DeviceKind): DeviceLibrary => {
    if (kind === "cuda") throw new DeviceError("none", 1);
    return library;
  };
  const rows = listDevices(open).filter((row) => row.kind === "emulated");
  assert.deepEqual(rows.map((r) => r.target), ["emulated:0", "emulated:1", "emulated:2"]);
  assert.ok(rows.every((r) => r.usable && r.memory === 2 ** 30 && r.name.includes("tests only")));
  library.emulate("devices", 0);
  assert.equal(listDevices(open).at(-1)!.usable, false);
});
