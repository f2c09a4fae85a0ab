/** A worker of the fleet that fits kappa distributions on WASM. */
import { serve } from "../fleet_worker.ts";
import { wasmStart } from "../wasm/serve_wasm.ts";
import { openKappa } from "./kappa_station.ts";

export const start = wasmStart(openKappa);

serve(start);
