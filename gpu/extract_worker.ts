/** A worker of the fleet that extracts on a GPU: the twin of core/extraction/extract_worker.ts. */
import { openExtraction } from "../core/extraction/extract_station.ts";
import { serve } from "../core/fleet_worker.ts";
import { gpuStart } from "./serve_gpu.ts";

export const start = gpuStart(openExtraction);

serve(start);
