/** The emulated device for tests: built where there is a C++ compiler; without one its tests say SKIP. */
import { buildEmulated } from "../../gpu/compile_emulated.ts";
import { DeviceLibrary } from "../../gpu/library.ts";

const built = await buildEmulated();

/** The library, or null where there is no C++ compiler. */
export const emulated: DeviceLibrary | null = built.path === null
  ? null
  : new DeviceLibrary("emulated", built.path);

/** A test on the emulated device. */
export function emulatedTest(name: string, fn: (library: DeviceLibrary) => void | Promise<void>): void {
  if (emulated === null) {
    Deno.test({ name: `SKIP ${name} (no C++ compiler for the emulated device)`, ignore: true, fn: () => {} });
    return;
  }
  Deno.test(name, async () => {
    try {
      await fn(emulated);
    } finally {
      for (const setting of ["order", "failAllocation", "failLaunch", "hang"] as const) {
        emulated.emulate(setting, 0);
      }
      emulated.emulate("devices", 1);
      emulated.emulate("memory", 4n << 30n);
    }
  });
}
