/** DATASUM and CHECKSUM: FITS standard 4.0, section 4.4.2.7 and appendix J. */
import { swapBigEndian } from "./number_types.ts";

/**
 * 32-bit ones'-complement sum.
 *
 * @param bytes - a multiple of 4, aligned at the start of their buffer; changed (byte order)
 * @param sum - sum of what came before
 */
export function addToSum(bytes: Uint8Array, sum: number = 0): number {
  swapBigEndian(bytes, 4);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  // 2^20 words of 32 bits stay below 2^53.
  const stretch = 1 << 20;
  let total = sum;
  for (let start = 0; start < words.length; start += stretch) {
    const end = Math.min(start + stretch, words.length);
    for (let i = start; i < end; i++) total += words[i];
    total = folded(total);
  }
  return total;
}

/** Sum of two sums. */
export function joinSums(a: number, b: number): number {
  return folded(a + b);
}

function folded(total: number): number {
  let rest = total;
  while (rest > 0xffffffff) rest = rest % 2 ** 32 + Math.floor(rest / 2 ** 32);
  return rest;
}

/**
 * The 16 characters that bring the sum of an HDU to −0, when they stand for `'0000000000000000'` in CHECKSUM.
 *
 * @param sum - of the HDU with 16 zeros as the value of CHECKSUM
 */
export function encodeChecksum(sum: number): string {
  const complement = ~sum >>> 0;
  const out = new Uint8Array(16);
  for (let i = 0; i < 4; i++) {
    const byte = complement >>> (24 - 8 * i) & 0xff;
    const quarter = (byte >> 2) + 0x30;
    const four = [quarter + (byte & 3), quarter, quarter, quarter];
    // Pairs move apart until no character is punctuation; their sum stays.
    while (four.some(isPunctuation)) {
      for (let k = 0; k < 4; k += 2) {
        if (!isPunctuation(four[k]) && !isPunctuation(four[k + 1])) continue;
        four[k]++;
        four[k + 1]--;
      }
    }
    four.forEach((char, k) => out[(4 * k + i + 1) % 16] = char);
  }
  return String.fromCharCode(...out);
}

function isPunctuation(char: number): boolean {
  return (char > 0x39 && char < 0x41) || (char > 0x5a && char < 0x61);
}
