/** A worker of the fleet that fits stars on WASM. */
import { serve } from "../fleet_worker.ts";
import { wasmStart } from "../wasm/serve_wasm.ts";
import { openFit } from "./fit_station.ts";

export const start = wasmStart(openFit);

serve(start);
