// The CUDA runtime calls of the emulated device: memory that is counted and limited, faults on request.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstdio>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "fibers.h"

namespace emulated {
namespace {

constexpr size_t SHARED_DEFAULT = 48 * 1024;
constexpr size_t SHARED_MOST = 160 * 1024;

std::mutex lock;
std::map<uintptr_t, std::pair<size_t, int>> allocations;  // address → bytes, device
std::map<const void*, size_t> sharedLimits;
std::vector<size_t> used(16, 0);
std::atomic<int> order{0}, devices{1};
std::atomic<int64_t> memory{int64_t{4} << 30}, failAllocation{0}, failLaunch{0}, hang{0};
thread_local int device = 0;
thread_local cudaError_t last = cudaSuccess;
thread_local const char* barrierText = nullptr;

/** True where the countdown reaches its end with this call. */
bool due(std::atomic<int64_t>& countdown) { return countdown.load() > 0 && countdown.fetch_sub(1) == 1; }

struct FromEnvironment {
  FromEnvironment() {
    if (const char* text = std::getenv("TWINSPEC_EMULATED_ORDER")) order = std::atoi(text);
    if (const char* text = std::getenv("TWINSPEC_EMULATED_DEVICES")) devices = std::atoi(text);
    if (const char* text = std::getenv("TWINSPEC_EMULATED_MEMORY")) memory = std::atoll(text);
  }
} fromEnvironment;

/** Whether the bytes lie within one allocation. */
bool known(const void* address, size_t bytes) {
  std::lock_guard<std::mutex> hold(lock);
  const uintptr_t at = reinterpret_cast<uintptr_t>(address);
  auto after = allocations.upper_bound(at);
  if (after == allocations.begin()) return false;
  --after;
  return at + bytes <= after->first + after->second.first;
}

}  // namespace

int32_t setting(int32_t which, int64_t value) {
  switch (which) {
    case 0: order = static_cast<int>(value); return 0;
    case 1: devices = static_cast<int>(value < 0 ? 0 : value > 16 ? 16 : value); return 0;
    case 2: memory = value; return 0;
    case 3: failAllocation = value; return 0;
    case 4: failLaunch = value; return 0;
    case 5: hang = value; return 0;
  }
  return 4;
}

const char* takeBarrierText() {
  const char* text = barrierText;
  barrierText = nullptr;
  return text;
}

void launch(Body body, const void* arguments, const void* kernel, const char*, dim3 grid, dim3 block, size_t shared) {
  if (due(failLaunch)) {
    last = cudaErrorLaunchFailure;
    return;
  }
  const int64_t hanging = hang.load();
  if (hanging >> 32 > 0 && hang.fetch_sub(int64_t{1} << 32) >> 32 == 1) {
    std::this_thread::sleep_for(std::chrono::milliseconds(hanging & 0xffffffff));
  }
  size_t limit = SHARED_DEFAULT;
  {
    std::lock_guard<std::mutex> hold(lock);
    auto own = sharedLimits.find(kernel);
    if (own != sharedLimits.end()) limit = own->second;
  }
  const bool sizes = grid.x > 0 && grid.y > 0 && grid.z > 0 && grid.y < 65536 && grid.z < 65536 && block.x > 0 &&
      block.x <= MAX_THREADS && block.y == 1 && block.z == 1;
  if (!sizes || shared > limit) {
    last = cudaErrorInvalidConfiguration;
    return;
  }
  if (const char* text = runGrid(body, arguments, grid, block, shared, order)) {
    barrierText = text;
    last = cudaErrorLaunchFailure;
  }
}

}  // namespace emulated

using namespace emulated;

const char* cudaGetErrorName(cudaError_t e) {
  switch (e) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorInvalidValue: return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration: return "cudaErrorInvalidConfiguration";
    case cudaErrorInsufficientDriver: return "cudaErrorInsufficientDriver";
    case cudaErrorNoDevice: return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice: return "cudaErrorInvalidDevice";
    case cudaErrorIllegalAddress: return "cudaErrorIllegalAddress";
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
  }
  return "unknown";
}

const char* cudaGetErrorString(cudaError_t e) {
  switch (e) {
    case cudaSuccess: return "no error";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorInvalidDevice: return "invalid device ordinal";
    case cudaErrorInvalidConfiguration: return "invalid configuration argument";
    case cudaErrorLaunchFailure: return "unspecified launch failure";
    default: return "emulated device";
  }
}

cudaError_t cudaGetLastError() {
  const cudaError_t e = last;
  last = cudaSuccess;
  return e;
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = devices;
  return devices > 0 ? cudaSuccess : cudaErrorNoDevice;
}

cudaError_t cudaSetDevice(int which) {
  if (which < 0 || which >= devices) return cudaErrorInvalidDevice;
  device = which;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int which) {
  if (which < 0 || which >= devices) return cudaErrorInvalidDevice;
  *p = cudaDeviceProp{};
  std::snprintf(p->name, sizeof p->name, "emulated device (tests only)");
  p->totalGlobalMem = static_cast<size_t>(memory.load());
  p->multiProcessorCount = 1;
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  std::lock_guard<std::mutex> hold(lock);
  *total = static_cast<size_t>(memory.load());
  const size_t taken = used[static_cast<size_t>(device)];
  *free = taken < *total ? *total - taken : 0;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = 0;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 0;
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** address, size_t bytes) {
  if (due(failAllocation)) return cudaErrorMemoryAllocation;
  std::lock_guard<std::mutex> hold(lock);
  size_t& taken = used[static_cast<size_t>(device)];
  if (taken + bytes > static_cast<size_t>(memory.load())) return cudaErrorMemoryAllocation;
  void* p = std::malloc(bytes > 0 ? bytes : 1);
  if (p == nullptr) return cudaErrorMemoryAllocation;
  // large blocks come from the system as zeros and are mostly unused: poisoning them would make them resident
  if (bytes <= size_t{1} << 22) std::memset(p, 0xff, bytes);
  taken += bytes;
  allocations[reinterpret_cast<uintptr_t>(p)] = {bytes, device};
  *address = p;
  return cudaSuccess;
}

cudaError_t cudaFree(void* address) {
  if (address == nullptr) return cudaSuccess;
  std::lock_guard<std::mutex> hold(lock);
  auto found = allocations.find(reinterpret_cast<uintptr_t>(address));
  if (found == allocations.end()) return cudaErrorInvalidValue;
  used[static_cast<size_t>(found->second.second)] -= found->second.first;
  allocations.erase(found);
  std::free(address);
  return cudaSuccess;
}

cudaError_t cudaMallocHost(void** address, size_t bytes) {
  *address = std::malloc(bytes);
  return *address == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}
cudaError_t cudaFreeHost(void* address) {
  std::free(address);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t) {
  if (!known(kind == cudaMemcpyHostToDevice ? to : from, bytes)) return cudaErrorInvalidValue;
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = nullptr;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = nullptr;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) { return cudaSuccess; }
cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }

cudaError_t emulatedSharedLimit(const void* kernel, size_t bytes) {
  if (bytes > SHARED_MOST) return cudaErrorInvalidValue;
  std::lock_guard<std::mutex> hold(lock);
  sharedLimits[kernel] = bytes;
  return cudaSuccess;
}
