/** A worker of the fleet that extracts on WASM. */
import { serve } from "../fleet_worker.ts";
import { wasmStart } from "../wasm/serve_wasm.ts";
import { openExtraction } from "./extract_station.ts";

export const start = wasmStart(openExtraction);

serve(start);
