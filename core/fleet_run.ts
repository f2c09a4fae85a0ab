/** One run through a fleet: its batches, what has come back of them, and in which order it goes out. */

/** Some items of a batch: answered together, or one that failed and why. */
export type Piece<Item, Result> =
  | { readonly items: readonly Item[]; readonly result: Result; readonly failure?: undefined }
  | { readonly items: readonly Item[]; readonly result?: undefined; readonly failure: string };

export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  /** Pieces as they are done, not in the order of the items. */
  readonly asCompleted?: boolean;
}

/** A batch or a part of one, on its way. */
export interface Task {
  readonly run: FleetRun;
  /** Batch of the run. */
  readonly group: number;
  /** Place of the first item in the batch. */
  readonly offset: number;
  readonly items: readonly unknown[];
  /** A half, or a half of a half. */
  readonly part: boolean;
  /** Failures so far. */
  attempts: number;
  /** Worker it failed on. */
  avoid: number | null;
  /** Only the fleet's last resort may try it now. */
  resort?: boolean;
  ticket: number;
}

type AnyPiece = Piece<unknown, unknown>;

export class FleetRun {
  readonly #groups: Iterator<readonly unknown[]>;
  readonly #window: () => number;
  readonly #asCompleted: boolean;
  /** Batches not yet complete, or complete and waiting for their turn. */
  readonly #open = new Map<number, { missing: number; pieces: { offset: number; piece: AnyPiece }[] }>();
  readonly #ready: AnyPiece[] = [];
  #pulled = 0;
  #turn = 0;
  #exhausted = false;
  #wake: () => void = () => {};
  failure: { readonly reason: unknown } | null = null;

  constructor(
    readonly job: number,
    readonly data: object,
    groups: Iterable<readonly unknown[]>,
    readonly load: (items: readonly unknown[]) => { batch: unknown; transfer: Transferable[] },
    options: RunOptions,
    window: () => number,
  ) {
    this.#groups = groups[Symbol.iterator]();
    this.#window = window;
    this.#asCompleted = options.asCompleted ?? false;
  }

  get finished(): boolean {
    return this.#exhausted && this.#open.size === 0 && this.#ready.length === 0;
  }

  /** Resolves at the next event. */
  change(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    return promise;
  }

  /** New batches, as many as the window allows. */
  pull(): Task[] {
    const tasks: Task[] = [];
    while (
      !this.#exhausted && this.failure === null && this.#open.size + this.#ready.length < this.#window()
    ) {
      const next = this.#groups.next();
      if (next.done) {
        this.#exhausted = true;
        break;
      }
      const items = next.value;
      if (items.length === 0) continue;
      const group = this.#pulled++;
      this.#open.set(group, { missing: items.length, pieces: [] });
      tasks.push({ run: this, group, offset: 0, items, part: false, attempts: 0, avoid: null, ticket: -1 });
    }
    return tasks;
  }

  halves(task: Task): Task[] {
    const middle = Math.ceil(task.items.length / 2);
    const half = { ...task, part: true, attempts: 0, avoid: null, ticket: -1 };
    return [
      { ...half, items: task.items.slice(0, middle) },
      { ...half, items: task.items.slice(middle), offset: task.offset + middle },
    ];
  }

  settle(task: Task, piece: AnyPiece): void {
    const batch = this.#open.get(task.group);
    if (batch === undefined) return;
    batch.missing -= task.items.length;
    if (this.#asCompleted) {
      this.#ready.push(piece);
      if (batch.missing === 0) this.#open.delete(task.group);
    } else {
      batch.pieces.push({ offset: task.offset, piece });
      this.#release(false);
    }
    this.#wake();
  }

  /** The next piece to go out, if any. */
  next(): AnyPiece | undefined {
    return this.#ready.shift();
  }

  /** No more batches; what is done goes out, then the run throws. */
  fail(reason: unknown): void {
    if (this.failure !== null) return;
    this.failure = { reason };
    this.#release(true);
    this.#wake();
  }

  /** Moves batches whose turn has come, or everything that is done. */
  #release(all: boolean): void {
    for (const [group, batch] of this.#open) {
      if (!all && (group !== this.#turn || batch.missing > 0)) break;
      batch.pieces.sort((a, b) => a.offset - b.offset);
      this.#ready.push(...batch.pieces.map(({ piece }) => piece));
      this.#open.delete(group);
      this.#turn++;
    }
  }
}
