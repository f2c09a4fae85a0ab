/** A worker of the fleet that fits stars on a GPU: the twin of core/stellar/fit_worker.ts. */
import { serve } from "../core/fleet_worker.ts";
import { openFit } from "../core/stellar/fit_station.ts";
import { gpuStart } from "./serve_gpu.ts";

export const start = gpuStart(openFit);

serve(start);
