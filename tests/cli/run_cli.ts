/** Running the command line in this process, with what it says kept. */
import { main } from "../../cli/main.ts";
import type { Streams } from "../../cli/terminal.ts";

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function twinspec(...args: string[]): Promise<Said> {
  let out = "", err = "";
  const streams: Streams = {
    out: (text) => out += text,
    err: (text) => err += text,
    interactive: false,
  };
  const code = await main(args, streams);
  return { code, out, err };
}

/** Runs `action` with INIT_CWD set. */
export async function standingIn<T>(folder: string, action: () => Promise<T>): Promise<T> {
  const before = Deno.env.get("INIT_CWD");
  Deno.env.set("INIT_CWD", folder);
  try {
    return await action();
  } finally {
    if (before === undefined) Deno.env.delete("INIT_CWD");
    else Deno.env.set("INIT_CWD", before);
  }
}

/** Runs `action` in a folder that is deleted afterwards. */
export async function inFolder<T>(action: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = Deno.makeTempDirSync();
  try {
    return await action(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
