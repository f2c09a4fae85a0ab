/** One line of progress: done of total, stars per second, time left. */
import type { Terminal } from "./terminal.ts";

/** Redraws per second at most. */
const RATE = 10;
const WIDTH = 24;

/** Time left: whole seconds. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, "0")} s`;
  return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")} min`;
}

/** Time spent: tenths of a second as long as they matter. */
export function spent(seconds: number): string {
  return seconds < 10 ? `${seconds.toFixed(1)} s` : duration(seconds);
}

export class Progress {
  #start = 0;
  #before = 0;
  #drawn = -Infinity;

  /** @param now - clock, seconds */
  constructor(
    readonly terminal: Terminal,
    readonly unit: string,
    readonly now = () => performance.now() / 1000,
  ) {}

  /** @param done - finished by an earlier run: not part of the rate */
  start(total: number, done: number): void {
    this.#start = this.now();
    this.#before = done;
    this.#drawn = -Infinity;
    this.update(done, total);
  }

  update(done: number, total: number): void {
    const now = this.now();
    if (now - this.#drawn < 1 / RATE && done < total) return;
    this.#drawn = now;
    this.terminal.status(this.line(done, total, now - this.#start));
  }

  stop(): void {
    this.terminal.status("");
  }

  line(done: number, total: number, elapsed: number): string {
    const filled = total > 0 ? Math.floor((WIDTH * done) / total) : WIDTH;
    const bar = "█".repeat(filled) + "░".repeat(WIDTH - filled);
    const fresh = done - this.#before;
    if (fresh <= 0 || elapsed <= 0) return `${bar} ${done}/${total} ${this.unit}`;
    const rate = fresh / elapsed;
    const shown = rate >= 10 ? rate.toFixed(0) : rate.toPrecision(2);
    return `${bar} ${done}/${total} ${this.unit} · ${shown}/s · ${duration((total - done) / rate)} left`;
  }
}
