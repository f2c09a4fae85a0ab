// Random words, a thread a block of four. Twins: core/assembly/philox.ts, core/kernels/philox.ts.
#include "philox.cuh"

namespace twinspec {

__global__ void __launch_bounds__(BLOCK) philoxWordsKernel(philox_words_call c) {
  const int64_t b = globalIndex();
  if (b >= c.B) return;
  const uint32_t* from = reinterpret_cast<const uint32_t*>(c.counter) + 4 * b;
  const uint32_t* key = reinterpret_cast<const uint32_t*>(c.key);
  const Words words = philox(from[0], from[1], from[2], from[3], key[0], key[1]);
  for (int i = 0; i < 4; i++) c.words[4 * b + i] = static_cast<int32_t>(words.w[i]);
}

int32_t philox_words(Context& context, const philox_words_call& c, Work& work) {
  if (work.none() || c.B == 0) return TS_OK;
  TS_LAUNCH(philoxWordsKernel, blocksFor(c.B), 0, c);
  return TS_OK;
}

}  // namespace twinspec
