/**
 * Where the development data lie, which are no part of the repository: the folder that the environment variable
 * TWINSPEC_DATA names, or `../shared/data` beside the checkout. Tests that need a file which is not there say SKIP.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { env } from "node:process";
import { fileURLToPath } from "node:url";

function dataFolder(): string {
  const named = env.TWINSPEC_DATA;
  if (named !== undefined && named !== "") return named;
  return fileURLToPath(new URL("../../shared/data", import.meta.url));
}

/** Full path of one file or folder of the development data, e.g. `stellar/real/sdss`; null where it is absent. */
export function sharedData(rel: string): string | null {
  const path = join(dataFolder(), rel);
  return existsSync(path) ? path : null;
}

/**
 * A test on development data. Where any of them is absent the test is ignored and its name says SKIP and why.
 *
 * @param needed - paths as for {@link sharedData}
 * @param fn - gets the full paths, in the order of `needed`
 */
export function dataTest(
  name: string,
  needed: string[],
  fn: (...paths: string[]) => void | Promise<void>,
): void {
  const paths = needed.map(sharedData);
  const absent = needed.filter((_, i) => paths[i] === null);
  if (absent.length > 0) {
    Deno.test({ name: `SKIP ${name} (no ${absent.join(", ")})`, ignore: true, fn: () => {} });
    return;
  }
  Deno.test(name, () => fn(...(paths as string[])));
}
