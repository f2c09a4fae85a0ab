// The part of CUDA that the kernels use, on a CPU: a test device.
//
// Threads of a block are fibers that one CPU thread runs in turn; a barrier switches to the next. A thread that meets
// no barrier costs no switch. Shared memory is filled with NaN before every block, device memory when it is allocated.
// The order of threads is a setting (ts_emulate), for a missing barrier shows in some orders only.
#pragma once
#include <math.h>
#include <cstddef>
#include <cstdint>
#include <cstring>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __restrict__ __restrict

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

namespace emulated {

constexpr int WARP = 32;
constexpr int MAX_THREADS = 1024;

/** What the running thread of a block sees. */
struct Machine {
  dim3 thread, block, grid, blockSize;
  void* shared;
  /** Lane exchange of each warp, two buffers in turn. */
  uint64_t lanes[2][MAX_THREADS];
  int vote[2];
};

extern thread_local Machine* machine;

void blockBarrier();
void warpBarrier();
/** Bits of lane `source` of this warp, after every lane has shown its own. */
uint64_t exchange(uint64_t bits, int source);
int vote(int predicate);

using Body = void (*)(const void* arguments);
void launch(Body body, const void* arguments, const void* kernel, const char* name, dim3 grid, dim3 block, size_t shared);

template <class T>
T shuffle(T value, int source) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  bits = exchange(bits, source);
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

/** One struct by value, as every kernel here takes. */
template <class A>
void start(void (*kernel)(A), const char* name, dim3 grid, dim3 block, size_t shared, const A& argument) {
  struct Packed {
    void (*kernel)(A);
    const A* argument;
  } packed{kernel, &argument};
  launch(
      [](const void* p) {
        const Packed* q = static_cast<const Packed*>(p);
        q->kernel(*q->argument);
      },
      &packed, reinterpret_cast<const void*>(kernel), name, grid, block, shared);
}

}  // namespace emulated

#define threadIdx (emulated::machine->thread)
#define blockIdx (emulated::machine->block)
#define gridDim (emulated::machine->grid)
#define blockDim (emulated::machine->blockSize)

inline void __syncthreads() { emulated::blockBarrier(); }
inline int __syncthreads_or(int predicate) { return emulated::vote(predicate); }
inline void __syncwarp(unsigned = 0xffffffffu) { emulated::warpBarrier(); }

template <class T>
T __shfl_sync(unsigned, T value, int source) {
  return emulated::shuffle(value, source & 31);
}
template <class T>
T __shfl_down_sync(unsigned, T value, int delta) {
  const int lane = static_cast<int>(threadIdx.x) & 31;
  const int source = lane + delta;
  return emulated::shuffle(value, source < 32 ? source : lane);
}
template <class T>
T __shfl_xor_sync(unsigned, T value, int mask) {
  return emulated::shuffle(value, (static_cast<int>(threadIdx.x) & 31) ^ mask);
}

inline double __longlong_as_double(long long bits) {
  double value;
  std::memcpy(&value, &bits, 8);
  return value;
}
inline long long __double_as_longlong(double value) {
  long long bits;
  std::memcpy(&bits, &value, 8);
  return bits;
}

#define TS_DYNAMIC_SHARED(name) double* name = static_cast<double*>(emulated::machine->shared)
#define TS_START(kernel, grid, block, shared, stream, argument) \
  (static_cast<void>(stream), emulated::start(kernel, #kernel, grid, block, shared, argument))

// RUNTIME //

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInvalidConfiguration = 9,
  cudaErrorInsufficientDriver = 35,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorIllegalAddress = 700,
  cudaErrorLaunchFailure = 719,
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 };
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };
constexpr unsigned cudaStreamNonBlocking = 1;
constexpr unsigned cudaEventDisableTiming = 2;
using cudaStream_t = void*;
using cudaEvent_t = void*;

struct cudaDeviceProp {
  char name[256];
  size_t totalGlobalMem;
  int major, minor, multiProcessorCount;
};

const char* cudaGetErrorName(cudaError_t);
const char* cudaGetErrorString(cudaError_t);
cudaError_t cudaGetLastError();
cudaError_t cudaGetDeviceCount(int*);
cudaError_t cudaSetDevice(int);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp*, int);
cudaError_t cudaMemGetInfo(size_t* free, size_t* total);
cudaError_t cudaDriverGetVersion(int*);
cudaError_t cudaRuntimeGetVersion(int*);
cudaError_t cudaMalloc(void**, size_t);
cudaError_t cudaFree(void*);
cudaError_t cudaMallocHost(void**, size_t);
cudaError_t cudaFreeHost(void*);
cudaError_t cudaMemcpyAsync(void*, const void*, size_t, cudaMemcpyKind, cudaStream_t);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t*, unsigned);
cudaError_t cudaStreamDestroy(cudaStream_t);
cudaError_t cudaStreamSynchronize(cudaStream_t);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t*, unsigned);
cudaError_t cudaEventDestroy(cudaEvent_t);
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t);
cudaError_t cudaEventSynchronize(cudaEvent_t);
cudaError_t emulatedSharedLimit(const void* kernel, size_t bytes);
template <class K>
cudaError_t cudaFuncSetAttribute(K kernel, cudaFuncAttribute, int bytes) {
  return emulatedSharedLimit(reinterpret_cast<const void*>(kernel), static_cast<size_t>(bytes));
}
