/** How the items of a run are divided among workers. */

/** Smallest batch that work is divided into to employ another worker. */
const WORTHWHILE = 4;

/**
 * Batches no larger than asked for, but so that every worker gets some; no more workers than that employs.
 *
 * @param workers - at most; 0 = none, everything in this thread
 */
export function spread(items: number, batch: number, workers: number): { batch: number; workers: number } {
  if (workers === 0) return { batch, workers };
  const size = Math.max(1, Math.min(batch, Math.max(WORTHWHILE, Math.ceil(items / workers))));
  return { batch: size, workers: Math.max(1, Math.min(workers, Math.ceil(items / size))) };
}

/** Indices of the items that are not done, in batches. */
export function* batches(items: number, size: number, done: (item: number) => boolean): Generator<number[]> {
  let batch: number[] = [];
  for (let item = 0; item < items; item++) {
    if (done(item)) continue;
    batch.push(item);
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}
