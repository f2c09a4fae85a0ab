// Host side that every family shares: contexts, errors, scratch, launches.
#pragma once
#include <cstdint>

#ifdef TWINSPEC_EMULATED
#include "../emulated/cuda_shim.h"
#else
#include <cuda_runtime.h>
#define TS_DYNAMIC_SHARED(name) extern __shared__ double name[]
#define TS_START(kernel, grid, block, shared, stream, argument) kernel<<<grid, block, shared, stream>>>(argument)
#endif

#include "errors.h"

namespace twinspec {

/** One stream on one device. */
struct Context {
  int device;
  cudaStream_t stream;
};

/** Keeps the text for ts_error_text and returns the code. */
int32_t fail(int32_t code, const char* format, ...);
/** The same for an error of the runtime. */
int32_t failed(cudaError_t error, const char* what);

/** Scratch of one call, or the question how much is wanted. */
struct Work {
  char* address;
  int64_t bytes;
  bool asked;
  int64_t least, most;

  /** For kernels without scratch: true where the call was only a question. */
  bool none() const { return asked; }

  /**
   * `count` independent pieces of work with `each` bytes of scratch a piece: how many go at a time. Answers the question
   * and returns true where the call was only one.
   */
  bool plan(int64_t each, int64_t count, int64_t* slots) {
    each = each > 0 ? each : 1;
    if (asked) {
      least = count > 0 ? each : 0;
      most = each * count;
      return true;
    }
    *slots = bytes / each < count ? bytes / each : count;
    if (*slots > 65535) *slots = 65535;
    return false;
  }
};

/** Allows a kernel more than 48 KiB of dynamic shared memory. */
template <class K>
cudaError_t allowShared(K kernel, size_t bytes) {
  if (bytes <= 48 * 1024) return cudaSuccess;
  return cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
}

inline int64_t ceilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

/** Threads of a block, everywhere. */
constexpr int BLOCK = 256;

/** Blocks for n elements, a thread each. */
inline dim3 blocksFor(int64_t n) { return dim3(static_cast<unsigned>(ceilDivide(n, BLOCK))); }

}  // namespace twinspec

/** Starts a kernel on the context's stream; returns from the calling function where that fails. */
#define TS_LAUNCH(kernel, grid, shared, argument)                                      \
  do {                                                                                 \
    cudaError_t error_ = allowShared(kernel, shared);                                  \
    if (error_ == cudaSuccess) {                                                       \
      TS_START(kernel, grid, BLOCK, shared, context.stream, argument);                 \
      error_ = cudaGetLastError();                                                     \
    }                                                                                  \
    if (error_ != cudaSuccess) return failed(error_, #kernel);                         \
  } while (0)
