/** What a worker of the fleet does once it has its target: opens jobs, puts batches through them. */
import type { Station } from "./fleet_protocol.ts";
import type { Target } from "./target.ts";

/** Answers batches of one job. */
export type Answer<Batch, Result> = (
  batch: Batch,
) => { readonly result: Result; readonly transfer: Transferable[] };

/**
 * @param open - prepares for a job; what it allocates stays until the next job
 * @param lost - told of every error of a batch; true: the target is gone, so that nothing is to be released on it
 */
export function stationOf<Job, Batch, Result>(
  target: Target,
  open: (target: Target, job: Job) => Answer<Batch, Result>,
  lost: (error: unknown) => boolean = () => false,
): Station<Job, Batch, Result> {
  const empty = target.mark();
  return {
    name: target.name,
    open(job) {
      target.release(empty);
      const answer = open(target, job);
      return (batch) => {
        const mark = target.mark();
        try {
          return answer(batch);
        } catch (error) {
          if (!lost(error)) target.release(mark);
          throw error;
        }
      };
    },
  };
}
