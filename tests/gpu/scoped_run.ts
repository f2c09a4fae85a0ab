/** Started with permission for the library's folder only, by target_test.ts. */
import { GpuTarget } from "../../gpu/target.ts";

const target = new GpuTarget("emulated");
const array = target.allocate("f64", 3);
target.upload(array, Float64Array.of(1, 2, 3));
console.log([...target.download(array)].join());
