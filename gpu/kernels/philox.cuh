// Philox 4x32-10. Twin: core/assembly/philox.ts.
#pragma once
#include "common.cuh"

namespace twinspec {

struct Words {
  uint32_t w[4];
};

/** One block of a counter and a key. */
static __device__ inline Words philox(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t k0, uint32_t k1) {
  for (int round = 0; round < 10; round++) {
    const uint64_t p0 = static_cast<uint64_t>(0xD2511F53u) * c0;
    const uint64_t p1 = static_cast<uint64_t>(0xCD9E8D57u) * c2;
    c0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<uint32_t>(p1);
    c2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<uint32_t>(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

/** A whole number below n from a word. */
static __device__ inline int below(int n, uint32_t word) {
  return static_cast<int>((static_cast<uint64_t>(word) * static_cast<uint64_t>(n)) >> 32);
}

/** (w + ½)·2⁻³², in (0, 1). */
static __device__ inline double share(uint32_t word) { return (word + 0.5) * 2.3283064365386963e-10; }

}  // namespace twinspec
