/** What `twinspec templates import` and `twinspec templates info` do. */
import { existsSync } from "node:fs";
import type { LineSpread } from "../../core/io/spectra.ts";
import { InputError } from "../../core/io/input_error.ts";
import { openLibrary, writeLibrary } from "../../core/templates/library_file.ts";
import { shownPath, userPath } from "../paths.ts";
import { align } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import type { ImportCommand, InfoCommand } from "./templates.ts";

/**
 * Runs `templates import`.
 *
 * @returns the exit code
 */
export async function runImport(command: ImportCommand, terminal: Terminal): Promise<number> {
  const { importLibrary } = await import("../../core/templates/import_library.ts");
  const source = userPath(command.source), out = userPath(command.out);
  if (existsSync(out) && !command.overwrite) {
    throw new InputError(`${out}: is there already; give --overwrite to replace it`);
  }
  const library = importLibrary(source, {
    air: command.air,
    maxTemplates: command.maxTemplates,
    ...(command.resolution === undefined ? {} : { resolution: command.resolution }),
  });
  writeLibrary(out, library);
  terminal.log("info", `${shownPath(out)}: ${library.templates} templates of ${shownPath(source)}`);
  describe(out, terminal);
  return 0;
}

/**
 * Runs `templates info`.
 *
 * @returns the exit code
 */
export function runInfo(command: InfoCommand, terminal: Terminal): number {
  describe(userPath(command.library), terminal);
  return 0;
}

function describe(path: string, terminal: Terminal): void {
  using library = openLibrary(path);
  const nodes = library.axes.reduce((product, axis) => product * axis.values.length, 1);
  const holes = library.idgrid.reduce((sum, id) => sum + (id < 0 ? 1 : 0), 0);
  const classes = library.classes === null ? [] : [...new Set(library.classes)].sort();
  terminal.document({
    path,
    name: library.name,
    templates: library.templates,
    checksum: library.checksum,
    axes: library.axes.map((axis) => ({ ...axis, values: [...axis.values] })),
    nodes: library.axes.length === 0 ? 0 : nodes,
    holes,
    classes,
    builds: library.builds.map((build) => ({
      name: build.name,
      arms: build.arms.map((arm) => ({ ...arm, lastWavelength: last(arm) })),
    })),
    provenance: library.provenance,
  });
  const facts = [
    `library    ${library.name}`,
    `file       ${shownPath(path)}`,
    `templates  ${library.templates}`,
    `checksum   ${library.checksum}`,
  ];
  if (library.axes.length === 0) {
    facts.push("parameters none: radial velocity and class only (--rv-only)");
  } else {
    facts.push(`grid       ${nodes} nodes, ${holes} of them empty`);
  }
  if (classes.length > 0) facts.push(`classes    ${classes.join(", ")}`);
  terminal.print(facts.join("\n"));
  if (library.axes.length > 0) {
    terminal.print(
      "\n" + align([
        ["parameter", "from", "to", "nodes", "interpolated in"],
        ...library.axes.map((axis) => [
          axis.name,
          String(axis.values[0]),
          String(axis.values[axis.values.length - 1]),
          String(axis.values.length),
          (axis.log10 ? "log10 " : "") + axis.unit,
        ]),
      ]).join("\n"),
    );
  }
  terminal.print(
    "\n" + align([
      ["build", "set-up", "from Å", "to Å", "pixels", "medium", "line spread"],
      ...library.builds.flatMap((build) =>
        build.arms.map((arm) => [
          build.name,
          arm.setup,
          arm.lam0.toFixed(1),
          last(arm).toFixed(1),
          String(arm.npix),
          arm.medium,
          lineSpread(arm.lsf),
        ])
      ),
    ]).join("\n"),
  );
  const provenance = Object.entries(library.provenance);
  if (provenance.length > 0) {
    terminal.print("\n" + provenance.map(([key, value]) => `${key}: ${value}`).join("\n"));
  }
}

/** Å. */
function last(arm: { readonly lam0: number; readonly dlnlam: number; readonly npix: number }): number {
  return arm.lam0 * Math.exp((arm.npix - 1) * arm.dlnlam);
}

function lineSpread(lsf: LineSpread): string {
  switch (lsf.kind) {
    case "fwhm":
      return `FWHM ${lsf.angstrom} Å`;
    case "sigma":
      return `σ ${lsf.angstrom} Å`;
    case "resolution":
      return `R ${lsf.R}`;
    case "table":
      return "tabulated";
  }
}
