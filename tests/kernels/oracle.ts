/** Kernel-level oracles of the development data: NPZ members as plain arrays. */
import { readNpz } from "../../core/io/npy.ts";

/** Member `name` of an oracle file as float64. */
export type Oracle = (name: string) => Float64Array;

export function oracle(path: string): Oracle {
  const members = readNpz(path);
  return (name) => {
    const member = members.get(name);
    if (member === undefined) throw new Error(`${path} has no member ${name}`);
    return Float64Array.from(member.data as ArrayLike<number>, Number);
  };
}

/** Slices a row-major matrix. */
export function rowOf(matrix: Float64Array, row: number, length: number): Float64Array {
  return matrix.subarray(row * length, (row + 1) * length);
}
