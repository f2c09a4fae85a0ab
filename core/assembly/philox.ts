// Counter-based random numbers: Philox 4x32-10 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as
// 1, 2, 3"), as in core/random.ts. Twins: gpu/kernels/philox.cu, core/kernels/philox.ts.

/** The four words of the last block. */
export let word0: u32 = 0, word1: u32 = 0, word2: u32 = 0, word3: u32 = 0;

/** One block of a counter and a key. */
export function philox(c0: u32, c1: u32, c2: u32, c3: u32, k0: u32, k1: u32): void {
  for (let round = 0; round < 10; round++) {
    const p0 = <u64> 0xD2511F53 * <u64> c0;
    const p1 = <u64> 0xCD9E8D57 * <u64> c2;
    c0 = <u32> (p1 >> 32) ^ c1 ^ k0;
    c1 = <u32> p1;
    c2 = <u32> (p0 >> 32) ^ c3 ^ k1;
    c3 = <u32> p0;
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  word0 = c0;
  word1 = c1;
  word2 = c2;
  word3 = c3;
}

/** A whole number below n from a word. */
// @ts-ignore: decorator
@inline
export function below(n: i32, word: u32): i32 {
  return <i32> ((<u64> word * <u64> n) >> 32);
}

/** (w + ½)·2⁻³², in (0, 1). */
// @ts-ignore: decorator
@inline
export function share(word: u32): f64 {
  return (<f64> word + 0.5) * 2.3283064365386963e-10;
}

/** Words of B counters with one key. */
export function philox_words(B: i32, counter: usize, key: usize, words: usize): void {
  const k0 = load<u32>(key), k1 = load<u32>(key + 4);
  for (let b = 0; b < B; b++) {
    const from = counter + (<usize> b << 4), to = words + (<usize> b << 4);
    philox(load<u32>(from), load<u32>(from + 4), load<u32>(from + 8), load<u32>(from + 12), k0, k1);
    store<u32>(to, word0);
    store<u32>(to + 4, word1);
    store<u32>(to + 8, word2);
    store<u32>(to + 12, word3);
  }
}
