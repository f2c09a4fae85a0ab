/** What a command may say, and where: results on stdout, everything else on stderr. */
import { writeSync } from "node:fs";

export const LEVELS = ["debug", "info", "warning", "error"] as const;
export type Level = typeof LEVELS[number];

/** Where bytes go; tests put arrays here. */
export interface Streams {
  out(text: string): void;
  err(text: string): void;
  /** stderr is a terminal, so that a line may be rewritten. */
  readonly interactive: boolean;
}

const encoder = new TextEncoder();

/** Writes all of it, also to a slow pipe; a reader that went away (`| head`) is no fault. */
function writeAll(fd: number, text: string): void {
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (code === "EAGAIN") continue;
      if (code === "EPIPE") return;
      throw error;
    }
  }
}

export const PROCESS_STREAMS: Streams = {
  out: (text) => writeAll(1, text),
  err: (text) => writeAll(2, text),
  interactive: Deno.stderr.isTerminal(),
};

export interface TerminalOptions {
  readonly logLevel: Level;
  /** Nothing but warnings and errors. */
  readonly quiet: boolean;
  /** One JSON document on stdout, at the end. */
  readonly json: boolean;
}

export class Terminal {
  readonly #least: number;
  #line = "";

  constructor(readonly options: TerminalOptions, readonly streams: Streams) {
    this.#least = Math.max(LEVELS.indexOf(options.logLevel), options.quiet ? LEVELS.indexOf("warning") : 0);
  }

  get debugging(): boolean {
    return this.options.logLevel === "debug";
  }

  /** A progress line may be drawn. */
  get drawing(): boolean {
    return this.streams.interactive && !this.options.quiet && !this.options.json && this.#least <= 1;
  }

  /** A result for people, on stdout; nothing with --quiet or --json. */
  print(text: string): void {
    if (this.options.quiet || this.options.json) return;
    this.status("");
    this.streams.out(text + "\n");
  }

  /** The document of --json. */
  document(value: unknown): void {
    if (this.options.json) this.streams.out(JSON.stringify(value, jsonValue, 2) + "\n");
  }

  /** A message for people, on stderr. */
  log(level: Level, text: string): void {
    if (LEVELS.indexOf(level) < this.#least) return;
    const line = this.#line;
    this.status("");
    this.streams.err((level === "info" ? "" : `${level}: `) + text + "\n");
    this.status(line);
  }

  /** Rewrites the line at the bottom of the terminal; "" takes it away. */
  status(line: string): void {
    if (!this.drawing || line === this.#line) return;
    this.streams.err("\r\x1b[2K" + line);
    this.#line = line;
  }
}

/** JSON has no NaN, no infinities and no 64-bit integers: null and decimal strings. */
function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number" && !Number.isFinite(value)) return null;
  return value;
}
