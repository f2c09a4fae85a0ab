/** How much memory the arrays of a pipeline take on a target. */
import { DTYPE_BYTES } from "../../core/kernels/kernel.ts";
import type { Target } from "../../core/target.ts";

/** A target that notes the most bytes that arrays of its caller took at a time; scratch of kernels is not among them. */
export function noting(target: Target): Target & { readonly most: number } {
  let used = 0, most = 0;
  const marks = new Map<number, number>();
  const noted: Partial<Target> = {
    allocate(dtype, length) {
      used += DTYPE_BYTES[dtype] * length;
      most = Math.max(most, used);
      return target.allocate(dtype, length);
    },
    mark() {
      const mark = target.mark();
      marks.set(mark, used);
      return mark;
    },
    release(mark) {
      used = marks.get(mark)!;
      target.release(mark);
    },
  };
  return new Proxy(target, {
    get(on, key) {
      if (key === "most") return most;
      const value = Reflect.get(key in noted ? noted : on, key);
      return typeof value === "function" && !(key in noted) ? value.bind(on) : value;
    },
  }) as Target & { readonly most: number };
}
