/** What `twinspec devices` does. */
import { type DeviceRow, listDevices } from "../../gpu/devices.ts";
import { align } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import type { DevicesCommand } from "./devices.ts";

const GIB = 2 ** 30;

/** Lists the targets. @returns 0 */
export function runDevices(
  _command: DevicesCommand,
  terminal: Terminal,
  list: () => DeviceRow[] = listDevices,
): number {
  const rows = list();
  terminal.document(rows);
  const table = rows.map((row) => [
    row.target,
    row.usable ? "usable" : "not usable",
    row.memory === null ? "–" : `${(row.memory / GIB).toFixed(1)} GiB`,
    row.capability === null ? "–" : `sm_${row.capability.replace(".", "")}`,
    row.driver === null ? "–" : `CUDA ${row.driver}`,
    row.reason === null ? row.name : `${row.name}: ${row.reason}`,
  ]);
  const heading = ["TARGET", "STATE", "MEMORY", "KIND", "DRIVER", "NAME"];
  for (const line of align([heading, ...table])) terminal.print(line);
  return 0;
}
