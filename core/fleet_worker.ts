/** The worker's side of a fleet: answers messages with what a station does. Runs in a worker or, for tests, without. */
import type { Fault, FromWorker, Start, Station, ToWorker } from "./fleet_protocol.ts";

type Post = (message: FromWorker, transfer: Transferable[]) => void;

/** A function that takes the fleet's messages and posts the answers. */
export function listener<Job, Batch, Result>(
  start: Start<Job, Batch, Result>,
  post: Post,
): (message: ToWorker) => void {
  let station: Station<Job, Batch, Result> | null = null;
  const jobs = new Map<number, Job>();
  let open: { readonly job: number; readonly fit: ReturnType<Station<Job, Batch, Result>["open"]> } | null =
    null;

  const answer = (ticket: number, job: number, batch: Batch) => {
    if (open?.job !== job) {
      open = null;
      try {
        open = { job, fit: station!.open(jobs.get(job)!) };
      } catch (error) {
        return post({ type: "failed", ticket, fault: fault(error, "job") }, []);
      }
    }
    try {
      const { result, transfer } = open.fit(batch);
      post({ type: "done", ticket, result }, transfer);
    } catch (error) {
      post(
        { type: "failed", ticket, fault: fault(error, error instanceof RangeError ? "memory" : "batch") },
        [],
      );
    }
  };

  return (message) => {
    switch (message.type) {
      case "start":
        try {
          station = start(message.target, message.shared);
        } catch (error) {
          return post({ type: "unable", reason: fault(error, "job").message }, []);
        }
        return post({ type: "ready", name: station.name }, []);
      case "job":
        jobs.set(message.job, message.data as Job);
        return;
      case "batch":
        return answer(message.ticket, message.job, message.data as Batch);
      case "drop":
        jobs.delete(message.job);
        if (open?.job === message.job) open = null;
    }
  };
}

/** Makes a module a worker of a fleet, where it runs as one; does nothing in the main thread. */
export function serve<Job, Batch, Result>(start: Start<Job, Batch, Result>): void {
  if (!("WorkerGlobalScope" in globalThis)) return;
  const scope = globalThis as unknown as {
    onmessage: (event: MessageEvent<ToWorker>) => void;
    postMessage(message: FromWorker, transfer: Transferable[]): void;
  };
  const listen = listener(start, (message, transfer) => scope.postMessage(message, transfer));
  scope.onmessage = (event) => listen(event.data);
}

function fault(error: unknown, stage: Fault["stage"]): Fault {
  if (!(error instanceof Error)) return { stage, name: "Error", message: String(error) };
  return { stage, name: error.name, message: error.message };
}
