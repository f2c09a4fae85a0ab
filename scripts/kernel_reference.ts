/**
 * The reference page of the kernels, made from the kernel table: `deno run -A scripts/kernel_reference.ts` writes
 * docs/kernels.md; `--check` only tells whether it is up to date.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { type Case, CASES } from "../bench/kernel_cases.ts";
import { bytes, type Kernel } from "../core/kernels/kernel.ts";
import { KERNELS } from "../core/kernels/table.ts";

/** Where the page is. */
export const PAGE = new URL("../docs/kernels.md", import.meta.url);

const ROLES = { in: "in", out: "out", inout: "in, out", work: "scratch" } as const;

/** A cell of a table. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").trim() || "–";
}

function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(heading), line(heading.map(() => "---")), ...rows.map(line)].join("\n");
}

function amount(value: number): string {
  return Number(value.toPrecision(3)).toString();
}

/** What one row of the bench's batch costs, all arms together. */
function cost({ kernel, rows, calls, name }: Case): string {
  const variant = name.startsWith(`${kernel.name}, `) ? `; ${name.slice(kernel.name.length + 2)}: ` : "";
  const sum = (of: (dims: Case["calls"][number]["dims"]) => number) =>
    calls.reduce((total, { dims }) => total + of(dims), 0) / rows;
  const flops = amount(sum((dims) => kernel.flops(dims)) / 1e3);
  const moved = amount(sum((dims) => bytes(kernel, dims)) / 1e3);
  return `${variant}${flops} kflop, ${moved} kB`;
}

function section(kernel: Kernel): string {
  const { relative, absolute, reason } = kernel.tolerance;
  const limits = [`${relative} relative`, ...(absolute > 0 ? [`${absolute} absolute`] : [])].join(", ");
  const costs = CASES.filter((one) => one.kernel === kernel).map(cost);
  return [
    `### ${kernel.name}`,
    kernel.doc,
    `Source: ${kernel.source}.`,
    "Sizes: " + Object.entries(kernel.dims).map(([name, doc]) => `\`${name}\` ${doc}`).join("; ") + ".",
    table(
      ["argument", "role", "type", "shape", "unit", "meaning"],
      kernel.args.map((a) => [
        `\`${a.name}\``,
        ROLES[a.role],
        a.dtype,
        a.shape.map((axis) => `\`${axis}\``).join(" × "),
        a.unit,
        a.doc,
      ]),
    ),
    `Tolerance between twins: ${limits}${reason === undefined ? "" : ` (${reason})`}. NaN in an input: ${
      kernel.nan === "not allowed" ? "not allowed" : "propagates within its batch row"
    }.`,
    `Cost of a row: ${costs.join("")}.`,
  ].join("\n\n");
}

/** The page before it is formatted. */
export function kernelReference(): string {
  const families = [...new Set(KERNELS.map((kernel) => kernel.family))].sort();
  return [
    "<!-- Made by scripts/kernel_reference.ts from core/kernels; do not edit. -->",
    "# Kernels",
    "Every kernel is batched: the first axis of a batched argument is the batch. Arrays are row-major, the last axis " +
    "fast. The exported function takes the sizes (int32) in the order given here, then the arguments (addresses) in " +
    "the order of the table, and returns nothing. Scratch is found by the target. Shapes are whole-number " +
    "expressions in the sizes.",
    "Costs are those of one row of the batch that `deno task bench` times: one star (spectrum, template) in the three " +
    "arms of DESI, 2751, 2326 and 2881 pixels, with a library of 0.4 Å steps; kernels without a batch: the whole " +
    "call. Bytes are the fewest that a call can move.",
    table(
      ["family", "AssemblyScript", "CUDA", "kernels"],
      families.map((family) => [
        family,
        `[${family}.ts](../core/assembly/${family}.ts)`,
        `[${family}.cu](../gpu/kernels/${family}.cu)`,
        KERNELS.filter((kernel) => kernel.family === family)
          .map(({ name }) => `[${name}](#${name})`).join(", "),
      ]),
    ),
    ...families.flatMap((family) => [
      `## ${family}`,
      ...KERNELS.filter((kernel) => kernel.family === family).map(section),
    ]),
  ].join("\n\n") + "\n";
}

/** Text of a Markdown file as `deno fmt` leaves it. */
export async function formatted(text: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", "md", "-"],
    cwd: new URL("../", import.meta.url),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(`deno fmt: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** The page as it is in the repository; empty where it is not. */
export function writtenPage(): string {
  try {
    return readFileSync(PAGE, "utf8");
  } catch {
    return "";
  }
}

if (import.meta.main) {
  const page = await formatted(kernelReference());
  if (page === writtenPage()) console.error("docs/kernels.md is up to date");
  else if (Deno.args.includes("--check")) {
    console.error("docs/kernels.md is out of date: run deno run -A scripts/kernel_reference.ts");
    Deno.exit(1);
  } else {
    writeFileSync(PAGE, page);
    console.error("docs/kernels.md written");
  }
}
