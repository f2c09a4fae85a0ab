/** A line to one worker: a thread of its own, or this thread. */
import type { FromWorker, Start, ToWorker } from "./fleet_protocol.ts";
import { listener } from "./fleet_worker.ts";

export interface Channel {
  post(message: ToWorker, transfer: Transferable[]): void;
  /** Ends the worker at once; nothing is reported after. */
  close(): void;
}

export interface ChannelEvents {
  onMessage(message: FromWorker): void;
  /** The worker is gone, and why. */
  onDeath(reason: string): void;
}

/** A worker in a thread of its own. */
export function threadChannel(module: URL, name: string, events: ChannelEvents): Channel {
  const worker = new Worker(module, { type: "module", name });
  let closed = false;
  worker.onmessage = (event: MessageEvent<FromWorker>) => {
    if (!closed) events.onMessage(event.data);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    if (!closed) events.onDeath(event.message || "uncaught error");
  };
  worker.onmessageerror = () => {
    if (!closed) events.onDeath("its answer could not be read");
  };
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    close() {
      closed = true;
      worker.terminate();
    },
  };
}

/** The worker's module run in this thread, one message an event-loop turn. */
export function localChannel(module: URL, events: ChannelEvents): Channel {
  let closed = false;
  const loaded: Promise<{ start: Start<unknown, unknown, unknown> }> = import(module.href);
  let queue: Promise<unknown> = loaded.then(({ start }) => {
    listen = listener(start, (message) => {
      if (!closed) events.onMessage(message);
    });
  });
  let listen: (message: ToWorker) => void;
  return {
    post(message) {
      queue = queue
        .then(() => new Promise((resolve) => setTimeout(resolve)))
        .then(() => {
          if (!closed) listen(message);
        })
        .catch((error) => {
          if (!closed) events.onDeath(error instanceof Error ? error.message : String(error));
        });
    },
    close() {
      closed = true;
    },
  };
}
