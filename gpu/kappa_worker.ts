/** A worker of the fleet that fits kappa distributions on a GPU: the twin of core/losscone/kappa_worker.ts. */
import { serve } from "../core/fleet_worker.ts";
import { openKappa } from "../core/losscone/kappa_station.ts";
import { gpuStart } from "./serve_gpu.ts";

export const start = gpuStart(openKappa);

serve(start);
