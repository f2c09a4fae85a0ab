/**
 * A fleet: workers that share one queue of batches. Each worker has a target of its own, a WASM instance or a GPU.
 *
 * Every item of every batch comes back exactly once, as part of a result or as a failure with its reason, whatever
 * workers do: a batch that fails is tried on another worker, then in halves, down to single items; a worker that dies
 * or falls silent is replaced and its batches are done elsewhere.
 */
import { type Channel, localChannel, threadChannel } from "./fleet_channel.ts";
import type { Fault, FromWorker, TargetSpec } from "./fleet_protocol.ts";
import { FleetRun, type Piece, type RunOptions, type Task } from "./fleet_run.ts";

export type { TargetSpec } from "./fleet_protocol.ts";
export type { Piece, RunOptions } from "./fleet_run.ts";

export interface FleetOptions {
  /** Module that calls `serve(start)` and exports `start`, see fleet_worker.ts. */
  readonly worker: URL;
  /** One worker each. */
  readonly targets: readonly TargetSpec[];
  /** Sent to every worker at its start, e.g. the compiled core. */
  readonly shared?: unknown;
  /** Work in this thread instead: one station, no worker. */
  readonly local?: boolean;
  /**
   * What is left where the targets fail: a worker with this target is added, with a warning, when a batch has failed
   * on the others or when none of them is left.
   */
  readonly lastResort?: TargetSpec;
  /** A worker that has not answered a batch of n items for this long, ms, is given up. Default 2 min + 1 min an item. */
  readonly patience?: (items: number) => number;
  readonly onNotice?: (level: "debug" | "warning", text: string) => void;
}

/** A fault of a job as a whole: no item of it can be done. */
export class JobError extends Error {
  override readonly name = "JobError";
  /** @param causeName - name of the error in the worker, e.g. `InputError` */
  constructor(message: string, readonly causeName: string) {
    super(message);
  }
}

/** Batches posted to a worker ahead of its answers: one in work, one waiting, so that it never idles. */
const POSTED = 2;
const STARTS = 3;
/** Batches in a row that a GPU may fail before it is retired. */
const FAULTS = 3;
/** Deaths of workers in a row, without one answer between, after which the fleet gives up. */
const DEATHS = 40;
/** Jobs without a run that workers keep, in case the next file has the same. */
const IDLE_JOBS = 4;

interface Seat {
  readonly index: number;
  readonly target: TargetSpec;
  channel: Channel | null;
  ready: boolean;
  readonly posted: Task[];
  readonly jobs: Set<number>;
  failedStarts: number;
  /** Batches failed since the last success. */
  faults: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

function seatFor(target: TargetSpec, index: number): Seat {
  return {
    index,
    target,
    channel: null,
    ready: false,
    posted: [],
    jobs: new Set(),
    failedStarts: 0,
    faults: 0,
    timer: undefined,
  };
}

export class Fleet<Job extends object, Batch, Result> {
  readonly #options: FleetOptions;
  #seats: Seat[];
  #nextSeat: number;
  readonly #queue: Task[] = [];
  readonly #runs = new Set<FleetRun>();
  readonly #jobs = new Map<object, { id: number; runs: number }>();
  #nextJob = 0;
  #nextTicket = 0;
  #deaths = 0;
  #broken: Error | null = null;
  readonly #named = Promise.withResolvers<string>();

  constructor(options: FleetOptions) {
    this.#options = options;
    if (options.targets.length === 0) throw new RangeError("a fleet needs at least one target");
    const targets = options.local ? options.targets.slice(0, 1) : options.targets;
    this.#seats = targets.map(seatFor);
    this.#nextSeat = targets.length;
    this.#named.promise.catch(() => {});
  }

  /** Workers at work, those given up not counted. */
  get size(): number {
    return this.#seats.length;
  }

  /** Starts all workers; resolves with the target's name when the first is up. */
  start(): Promise<string> {
    for (const seat of this.#seats) this.#open(seat);
    return this.#named.promise;
  }

  /**
   * Sends batches of items through the fleet. Runs may go on at the same time; their batches share the queue.
   *
   * @param job - sent to each worker once; the same object in several runs is one job
   * @param groups - items of each batch; pulled as workers need them, at most two a worker ahead
   * @param load - makes a batch of items; called again where a batch is tried again. `transfer`: buffers to hand over
   * @returns pieces in the order of the items, or as they are done; after an abort those already done, then it throws
   */
  async *run<Item>(
    job: Job,
    groups: Iterable<readonly Item[]>,
    load: (items: readonly Item[]) => { batch: Batch; transfer: Transferable[] },
    options: RunOptions = {},
  ): AsyncGenerator<Piece<Item, Result>, void, undefined> {
    const run = new FleetRun(
      this.#enter(job),
      job,
      groups,
      load as never,
      options,
      () => 2 * this.#seats.length,
    );
    const { signal } = options;
    const onAbort = () => run.fail(signal!.reason);
    this.#runs.add(run);
    if (this.#broken !== null) run.fail(this.#broken);
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort);
    try {
      while (true) {
        const changed = run.change();
        this.#queue.push(...run.pull());
        this.#pump();
        const piece = run.next();
        if (piece !== undefined) yield piece as Piece<Item, Result>;
        else if (run.failure !== null) throw run.failure.reason;
        else if (run.finished) return;
        else await changed;
      }
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#leave(run);
    }
  }

  /** Ends all workers. Runs under way fail. */
  close(): void {
    this.#break(new Error("the fleet is closed"));
  }

  #enter(job: object): number {
    let entry = this.#jobs.get(job);
    if (entry === undefined) this.#jobs.set(job, entry = { id: this.#nextJob++, runs: 0 });
    entry.runs++;
    return entry.id;
  }

  #leave(run: FleetRun): void {
    this.#runs.delete(run);
    this.#jobs.get(run.data)!.runs--;
    for (let i = this.#queue.length - 1; i >= 0; i--) {
      if (this.#queue[i].run === run) this.#queue.splice(i, 1);
    }
    for (const seat of this.#seats) {
      if (seat.posted.some((task) => task.run === run)) this.#vacate(seat);
    }
    const idle = [...this.#jobs].filter(([, entry]) => entry.runs === 0);
    for (const [data, { id }] of idle.slice(0, Math.max(0, idle.length - IDLE_JOBS))) {
      this.#jobs.delete(data);
      for (const seat of this.#seats) {
        if (seat.jobs.delete(id)) seat.channel?.post({ type: "drop", job: id }, []);
      }
    }
    this.#pump();
  }

  #open(seat: Seat): Channel {
    if (seat.channel !== null) return seat.channel;
    const { worker, local, shared } = this.#options;
    const events = {
      onMessage: (message: FromWorker) => {
        if (seat.channel === channel) this.#hear(seat, message);
      },
      onDeath: (reason: string) => {
        if (seat.channel === channel) this.#bury(seat, reason);
      },
    };
    const channel = local
      ? localChannel(worker, events)
      : threadChannel(worker, `worker ${seat.index + 1}`, events);
    seat.channel = channel;
    seat.ready = false;
    channel.post({ type: "start", target: seat.target, shared }, []);
    return channel;
  }

  /** Hands waiting tasks to workers: to those without any first. */
  #pump(): void {
    for (let depth = 0; depth < POSTED; depth++) {
      for (const seat of [...this.#seats]) {
        if (seat.posted.length === depth) this.#feed(seat);
      }
    }
  }

  #feed(seat: Seat): void {
    const last = seat.posted.at(-1);
    const open = this.#queue.filter((task) =>
      (task.avoid !== seat.index || this.#seats.length === 1) && (!task.resort || this.#isResort(seat))
    );
    // A worker keeps one job open: prefer that one among the next few.
    const task = open.slice(0, POSTED * this.#seats.length).find((t) => t.run.job === last?.run.job) ??
      open[0];
    if (task === undefined) return;
    this.#queue.splice(this.#queue.indexOf(task), 1);
    let loaded;
    try {
      loaded = task.run.load(task.items);
    } catch (error) {
      return task.run.fail(error);
    }
    const channel = this.#open(seat);
    task.ticket = this.#nextTicket++;
    seat.posted.push(task);
    try {
      if (!seat.jobs.has(task.run.job)) {
        channel.post({ type: "job", job: task.run.job, data: task.run.data }, []);
        seat.jobs.add(task.run.job);
      }
      channel.post(
        { type: "batch", job: task.run.job, ticket: task.ticket, data: loaded.batch },
        loaded.transfer,
      );
    } catch (error) {
      seat.posted.pop();
      return task.run.fail(error);
    }
    if (seat.posted.length === 1) this.#watch(seat);
  }

  #hear(seat: Seat, message: FromWorker): void {
    if (message.type === "ready") {
      seat.ready = true;
      seat.failedStarts = 0;
      this.#named.resolve(message.name);
      return;
    }
    if (message.type === "unable") return this.#bury(seat, message.reason);
    const task = seat.posted[0];
    if (task?.ticket !== message.ticket) return;
    seat.posted.shift();
    this.#watch(seat);
    this.#deaths = 0;
    if (message.type === "done") {
      seat.faults = 0;
      task.run.settle(task, { items: task.items, result: message.result });
    } else {
      this.#retry(task, seat, message.fault);
      if (message.fault.stage === "batch") this.#blame(seat, message.fault.message);
    }
    this.#pump();
  }

  /** Restarts the clock on the batch in work. */
  #watch(seat: Seat): void {
    clearTimeout(seat.timer);
    seat.timer = undefined;
    if (seat.posted.length === 0 || this.#options.local) return;
    const wait = (this.#options.patience ?? ((n) => 120_000 + 60_000 * n))(seat.posted[0].items.length);
    seat.timer = setTimeout(() => this.#bury(seat, `no answer for ${Math.round(wait / 1000)} s`), wait);
  }

  #retry(task: Task, seat: Seat, { stage, name, message }: Fault): void {
    const { run, items } = task;
    task.attempts++;
    const again = task.attempts < (task.part && items.length > 1 ? 1 : 2);
    if (stage === "job" && !again) return run.fail(new JobError(message, name));
    const what = `a batch of ${items.length} failed on worker ${seat.index + 1} (${message})`;
    if (stage === "job" || (again && stage !== "memory")) {
      this.#notice("debug", `${what}: trying it ${this.#seats.length > 1 ? "on another" : "again"}`);
      this.#queue.unshift(Object.assign(task, { avoid: seat.index }));
    } else if (items.length > 1) {
      this.#notice("debug", `${what}: trying it in halves`);
      this.#queue.unshift(...run.halves(task));
    } else if (this.#options.lastResort !== undefined && !this.#isResort(seat)) {
      this.#resort(what);
      this.#queue.unshift(Object.assign(task, { attempts: 0, avoid: null, resort: true }));
    } else {
      run.settle(task, { items, failure: message });
    }
  }

  #isResort(seat: Seat): boolean {
    return seat.target.kind === this.#options.lastResort?.kind;
  }

  /** Retires a GPU that fails one batch after the other. */
  #blame(seat: Seat, reason: string): void {
    if (seat.target.kind === "wasm" || ++seat.faults < FAULTS) return;
    this.#notice(
      "warning",
      `${nameOf(seat.target)} fails batch after batch (${reason}): going on without it`,
    );
    this.#vacate(seat);
    this.#dismiss(seat, reason);
  }

  /** Takes a seat out of the fleet; where it was the last one the last resort takes over, or the fleet breaks. */
  #dismiss(seat: Seat, reason: string): void {
    this.#seats = this.#seats.filter((other) => other !== seat);
    for (const waiting of this.#queue) waiting.avoid = null;
    if (this.#seats.length > 0) return;
    if (this.#options.lastResort === undefined || this.#isResort(seat)) {
      return this.#break(new Error(`no worker could be started: ${reason}`));
    }
    this.#resort(`no device is left (${reason})`);
  }

  /** Sees to it that a worker with the last resort is there. */
  #resort(why: string): void {
    if (this.#seats.some((seat) => this.#isResort(seat))) return;
    const seat = seatFor(this.#options.lastResort!, this.#nextSeat++);
    this.#notice("warning", `${why}: going on with ${nameOf(seat.target)}`);
    this.#seats.push(seat);
    this.#open(seat);
  }

  #bury(seat: Seat, reason: string): void {
    const task = seat.ready ? seat.posted.shift() : undefined;
    const started = seat.ready;
    this.#vacate(seat);
    if (!started && ++seat.failedStarts >= STARTS) {
      this.#notice("warning", `worker ${seat.index + 1} does not start (${reason}): going on without it`);
      this.#dismiss(seat, reason);
      if (this.#broken !== null) return;
    } else {
      this.#notice("warning", `worker ${seat.index + 1} died (${reason}): a new one takes its place`);
      if (!started) this.#open(seat);
    }
    if (++this.#deaths >= DEATHS) return this.#break(new Error(`workers keep dying: ${reason}`));
    if (task !== undefined) this.#retry(task, seat, { stage: "batch", name: "Error", message: reason });
    this.#pump();
  }

  /** Ends the worker of a seat; what was posted to it waits again, first in the queue. */
  #vacate(seat: Seat): void {
    clearTimeout(seat.timer);
    seat.timer = undefined;
    seat.channel?.close();
    seat.channel = null;
    seat.ready = false;
    seat.jobs.clear();
    const waiting = seat.posted.splice(0).filter((task) => this.#runs.has(task.run));
    this.#queue.unshift(...waiting);
  }

  #break(error: Error): void {
    this.#broken ??= error;
    this.#named.reject(error);
    for (const run of this.#runs) run.fail(error);
    for (const seat of this.#seats) this.#vacate(seat);
    this.#queue.length = 0;
  }

  #notice(level: "debug" | "warning", text: string): void {
    this.#options.onNotice?.(level, text);
  }
}

function nameOf(target: TargetSpec): string {
  return target.kind === "wasm" ? "WASM" : `device ${target.device}`;
}
