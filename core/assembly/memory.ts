// Element access by pointer, and the SIMD idioms that several families share. No bounds checks: the table's argument
// checks stand in front of every exported kernel.

/** Element i of float64s at p. */
// @ts-ignore: decorator
@inline
export function get(p: usize, i: i32): f64 {
  return load<f64>(p + ((<usize> i) << 3));
}

// @ts-ignore: decorator
@inline
export function set(p: usize, i: i32, value: f64): void {
  store<f64>(p + ((<usize> i) << 3), value);
}

/** Address of element i of float64s at p. */
// @ts-ignore: decorator
@inline
export function at(p: usize, i: i32): usize {
  return p + ((<usize> i) << 3);
}

/** Elements i and i+1. */
// @ts-ignore: decorator
@inline
export function get2(p: usize, i: i32): v128 {
  return v128.load(p + ((<usize> i) << 3));
}

// @ts-ignore: decorator
@inline
export function set2(p: usize, i: i32, value: v128): void {
  v128.store(p + ((<usize> i) << 3), value);
}

/** Sum of both lanes, the even lane first. */
// @ts-ignore: decorator
@inline
export function across(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

/** First byte that the core does not use itself; the target's arena begins there. */
export function heapBase(): usize {
  return __heap_base;
}
