/** A worker that fits sweeps but throws on batches that hold sweep 3. */
import { serve } from "../../core/fleet_worker.ts";
import { openLosscone } from "../../core/losscone/losscone_station.ts";
import { wasmStart } from "../../core/wasm/serve_wasm.ts";

export const start = wasmStart<
  Parameters<typeof openLosscone>[1],
  Parameters<ReturnType<typeof openLosscone>>[0],
  ReturnType<ReturnType<typeof openLosscone>>["result"]
>((target, job) => {
  const answer = openLosscone(target, job);
  return (raw) => {
    if (raw.heads.some(({ specNo }) => specNo === 3)) throw new Error("thrown for a test");
    return answer(raw);
  };
});

serve(start);
