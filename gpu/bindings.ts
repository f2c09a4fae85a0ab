/** Everything that is mechanical between the kernel table and the device library, on both sides of the C interface. */
import type { Argument, Dtype, Kernel } from "../core/kernels/kernel.ts";
import { KERNELS } from "../core/kernels/table.ts";
import { DEVICE_ERRORS } from "./errors.ts";

const C_TYPES: Readonly<Record<Dtype, string>> = {
  f64: "double",
  f32: "float",
  i32: "int32_t",
  u8: "uint8_t",
};
/** Names of arguments that C++ keeps for itself. */
const RESERVED = new Set(["template", "new", "delete", "this", "class", "operator"]);

/** Arguments that travel: all but work arrays. */
export function passed(kernel: Kernel): readonly Argument[] {
  return kernel.args.filter((a) => a.role !== "work");
}

function identifier(name: string): string {
  return RESERVED.has(name) ? `${name}_` : name;
}

/** `errors.h`: the error table as C. */
export function errorHeader(): string {
  const rows = DEVICE_ERRORS.map(({ code, name, meaning }) => `  TS_${name} = ${code}, /* ${meaning} */`);
  return `/* Written from gpu/errors.ts. */\n#pragma once\nenum ts_error {\n${rows.join("\n")}\n};\n`;
}

/** `kernel_table.h`: per kernel a struct of its dimensions and arguments, and the function that its family defines. */
export function kernelHeader(kernels: readonly Kernel[] = KERNELS): string {
  const parts = kernels.map((kernel) => {
    const dims = Object.keys(kernel.dims).map((d) => `  int32_t ${identifier(d)};`);
    const args = passed(kernel).map((a) =>
      `  ${a.role === "in" ? "const " : ""}${C_TYPES[a.dtype]}* ${identifier(a.name)};  // ${a.role}, [${
        a.shape.join("][")
      }]`
    );
    const fields = [...dims, ...args].join("\n");
    return `struct ${kernel.name}_call {\n${fields}\n};\n` +
      `int32_t ${kernel.name}(Context& context, const ${kernel.name}_call& c, Work& work);\n`;
  });
  return '// Written from the kernel table.\n#pragma once\n#include "../device/context.cuh"\n\n' +
    `namespace twinspec {\n\n${parts.join("\n")}\n}  // namespace twinspec\n`;
}

/** `entries.cu`: the exported symbols. */
export function kernelEntries(kernels: readonly Kernel[] = KERNELS): string {
  const parts = kernels.map((kernel) => {
    const dims = Object.keys(kernel.dims).map((_, i) => `dims[${i}]`);
    const args = passed(kernel).map((a, i) =>
      `reinterpret_cast<${a.role === "in" ? "const " : ""}${
        C_TYPES[a.dtype]
      }*>(static_cast<intptr_t>(args[${i}]))`
    );
    return `TS_API int32_t ts_${kernel.name}(int32_t context, const int32_t* dims, const int64_t* args, int64_t* work) {
  const ${kernel.name}_call c = {${[...dims, ...args].join(", ")}};
  (void)args;
  return enter("${kernel.name}", context, work, [&](Context& own, Work& w) { return ${kernel.name}(own, c, w); });
}
`;
  });
  return `// Written from the kernel table.
#include "../device/enter.cuh"
#include "../include/twinspec_gpu.h"
#include "kernel_table.h"

using namespace twinspec;

extern "C" {

${parts.join("\n")}
}
`;
}

const CALLS = {
  ts_abi: { parameters: [], result: "i32" },
  ts_kind: { parameters: [], result: "i32" },
  ts_error_text: { parameters: ["buffer", "i32"], result: "i32" },
  ts_device_count: { parameters: ["buffer"], result: "i32" },
  ts_device_properties: { parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },
  ts_open: { parameters: ["i32", "buffer"], result: "i32" },
  ts_close: { parameters: ["i32"], result: "i32" },
  ts_memory: { parameters: ["i32", "buffer"], result: "i32" },
  ts_allocate: { parameters: ["i32", "i64", "buffer"], result: "i32" },
  ts_free: { parameters: ["i32", "i64"], result: "i32" },
  ts_upload: { parameters: ["i32", "i64", "buffer", "i64"], result: "i32" },
  ts_download: { parameters: ["i32", "i64", "buffer", "i64"], result: "i32" },
  ts_synchronize: { parameters: ["i32"], result: "i32" },
  ts_emulate: { parameters: ["i32", "i64"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

const KERNEL_CALL = {
  parameters: ["i32", "buffer", "buffer", "buffer"],
  result: "i32",
  optional: true,
} as const;

/** Symbols of the library: the fixed calls, then `ts_<kernel>` for each row of the table. */
export function symbols(kernels: readonly Kernel[] = KERNELS): Deno.ForeignLibraryInterface {
  return { ...CALLS, ...Object.fromEntries(kernels.map((k) => [`ts_${k.name}`, KERNEL_CALL])) };
}

/** A kernel's symbol: context, dimensions, addresses, scratch. Null where the library was built before the kernel. */
export type KernelCall = (
  context: number,
  dims: Int32Array<ArrayBuffer>,
  args: BigInt64Array<ArrayBuffer>,
  work: BigInt64Array<ArrayBuffer>,
) => number;

export type DeviceCalls = Deno.DynamicLibrary<typeof CALLS>["symbols"];
