/** Paths as the user means them: a Deno task changes directory and leaves the user's own in INIT_CWD. */
import { relative, resolve } from "node:path";
import { cwd, env } from "node:process";

/** The directory the user stands in. */
export function userFolder(): string {
  const named = env.INIT_CWD;
  return named === undefined || named === "" ? cwd() : resolve(named);
}

/** Absolute path of what the user typed. */
export function userPath(typed: string): string {
  return resolve(userFolder(), typed);
}

/** A path as the user would type it: relative below or beside their directory, else absolute. */
export function shownPath(path: string): string {
  const short = relative(userFolder(), path);
  return short === "" ? "." : short.startsWith("../../") ? path : short;
}
