/** A worker of the fleet that fits sweeps on WASM. */
import { serve } from "../fleet_worker.ts";
import { wasmStart } from "../wasm/serve_wasm.ts";
import { openLosscone } from "./losscone_station.ts";

export const start = wasmStart(openLosscone);

serve(start);
