/** A worker of the fleet that fits sweeps on a GPU: the twin of core/losscone/losscone_worker.ts. */
import { serve } from "../core/fleet_worker.ts";
import { openLosscone } from "../core/losscone/losscone_station.ts";
import { gpuStart } from "./serve_gpu.ts";

export const start = gpuStart(openLosscone);

serve(start);
