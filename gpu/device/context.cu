// The calls of twinspec_gpu.h that are no kernels.
#include "context.cuh"

#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "../include/twinspec_gpu.h"
#include "enter.cuh"

#ifdef TWINSPEC_EMULATED
#include "../emulated/fibers.h"
#endif

namespace twinspec {
namespace {

/** Two halves in turn: one is filled while the other travels. */
constexpr int64_t STAGING = int64_t{8} << 20;

struct Slot {
  Context context;
  char* staging;
  cudaEvent_t free[2];
  int next;
  std::set<void*> allocations;
};

std::mutex lock;
std::vector<Slot*> slots;
thread_local char text[512] = "";

/** Takes the context out of the list and gives back everything that it holds; the first error of that. */
cudaError_t closeSlot(int32_t handle) {
  Slot* slot = nullptr;
  {
    std::lock_guard<std::mutex> hold(lock);
    if (handle < 0 || handle >= static_cast<int32_t>(slots.size())) return cudaSuccess;
    std::swap(slot, slots[static_cast<size_t>(handle)]);
  }
  if (slot == nullptr) return cudaSuccess;
  cudaError_t first = cudaSetDevice(slot->context.device);
  const auto keep = [&first](cudaError_t error) {
    if (first == cudaSuccess) first = error;
  };
  keep(cudaStreamSynchronize(slot->context.stream));
  for (void* address : slot->allocations) keep(cudaFree(address));
  for (cudaEvent_t event : slot->free) keep(cudaEventDestroy(event));
  keep(cudaFreeHost(slot->staging));
  keep(cudaStreamDestroy(slot->context.stream));
  delete slot;
  return first;
}

/** Contexts that this thread has opened: a thread that is ended leaves no device memory behind. */
struct Owned {
  std::vector<int32_t> handles;
  ~Owned() {
    for (int32_t handle : handles) closeSlot(handle);
  }
};
thread_local Owned owned;

Slot* slotOf(int32_t handle) {
  std::lock_guard<std::mutex> hold(lock);
  if (handle < 0 || handle >= static_cast<int32_t>(slots.size())) return nullptr;
  return slots[static_cast<size_t>(handle)];
}

int32_t codeOf(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return TS_OK;
    case cudaErrorInsufficientDriver: return TS_NO_DRIVER;
    case cudaErrorNoDevice:
    case cudaErrorInvalidDevice: return TS_NO_DEVICE;
    case cudaErrorMemoryAllocation: return TS_OUT_OF_MEMORY;
    case cudaErrorInvalidValue: return TS_INVALID;
    case cudaErrorInvalidConfiguration: return TS_LAUNCH_FAILED;
    default: return TS_DEVICE;
  }
}

}  // namespace

int32_t fail(int32_t code, const char* format, ...) {
  va_list values;
  va_start(values, format);
  std::vsnprintf(text, sizeof text, format, values);
  va_end(values);
  return code;
}

int32_t failed(cudaError_t error, const char* what) {
#ifdef TWINSPEC_EMULATED
  if (const char* barrier = emulated::takeBarrierText()) return fail(TS_BARRIER, "%s: %s", what, barrier);
#endif
  return fail(codeOf(error), "%s: %s: %s", what, cudaGetErrorName(error), cudaGetErrorString(error));
}

Context* contextOf(int32_t handle) {
  Slot* slot = slotOf(handle);
  if (slot == nullptr) {
    fail(TS_INVALID, "no context %d", handle);
    return nullptr;
  }
  const cudaError_t error = cudaSetDevice(slot->context.device);
  if (error != cudaSuccess) {
    failed(error, "cudaSetDevice");
    return nullptr;
  }
  return &slot->context;
}

}  // namespace twinspec

using namespace twinspec;

#define TS_TRY(call)                                             \
  do {                                                           \
    const cudaError_t error_ = (call);                           \
    if (error_ != cudaSuccess) return failed(error_, #call);     \
  } while (0)

extern "C" {

int32_t ts_abi(void) { return TS_ABI; }

int32_t ts_kind(void) {
#ifdef TWINSPEC_EMULATED
  return 1;
#else
  return 0;
#endif
}

int32_t ts_error_text(uint8_t* out, int32_t bytes) {
  const int32_t length = static_cast<int32_t>(std::strlen(text));
  if (bytes <= 0) return length;
  const int32_t n = length < bytes - 1 ? length : bytes - 1;
  std::memcpy(out, text, static_cast<size_t>(n));
  out[n] = 0;
  return n;
}

int32_t ts_device_count(int32_t* count) {
  int n = 0;
  *count = 0;
  const cudaError_t error = cudaGetDeviceCount(&n);
  if (error != cudaSuccess) {
    cudaGetLastError();
    if (codeOf(error) == TS_NO_DRIVER) {
      return fail(TS_NO_DRIVER, "no usable NVIDIA driver: %s: %s", cudaGetErrorName(error), cudaGetErrorString(error));
    }
    return failed(error, "cudaGetDeviceCount");
  }
  *count = n;
  return TS_OK;
}

int32_t ts_device_properties(int32_t device, int64_t* numbers, uint8_t* name, int32_t bytes) {
  cudaDeviceProp p;
  TS_TRY(cudaGetDeviceProperties(&p, device));
  TS_TRY(cudaSetDevice(device));
  size_t free = 0, total = 0;
  TS_TRY(cudaMemGetInfo(&free, &total));
  int driver = 0, runtime = 0;
  TS_TRY(cudaDriverGetVersion(&driver));
  TS_TRY(cudaRuntimeGetVersion(&runtime));
  const int64_t all[8] = {static_cast<int64_t>(total), static_cast<int64_t>(free), p.major, p.minor,
                          p.multiProcessorCount,       driver,                     runtime, 0};
  std::memcpy(numbers, all, sizeof all);
  std::snprintf(reinterpret_cast<char*>(name), static_cast<size_t>(bytes), "%s", p.name);
  return TS_OK;
}

int32_t ts_open(int32_t device, int32_t* handle) {
  int count = 0;
  TS_TRY(cudaGetDeviceCount(&count));
  if (device < 0 || device >= count) {
    return fail(TS_NO_DEVICE, "no device %d: there %s %d", device, count == 1 ? "is" : "are", count);
  }
  TS_TRY(cudaSetDevice(device));
  Slot* slot = new Slot{};
  slot->context.device = device;
  TS_TRY(cudaStreamCreateWithFlags(&slot->context.stream, cudaStreamNonBlocking));
  TS_TRY(cudaMallocHost(reinterpret_cast<void**>(&slot->staging), static_cast<size_t>(2 * STAGING)));
  for (cudaEvent_t& event : slot->free) TS_TRY(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
  std::lock_guard<std::mutex> hold(lock);
  *handle = static_cast<int32_t>(slots.size());
  slots.push_back(slot);
  owned.handles.push_back(*handle);
  return TS_OK;
}

int32_t ts_close(int32_t handle) {
  if (contextOf(handle) == nullptr) return TS_INVALID;
  TS_TRY(closeSlot(handle));
  return TS_OK;
}

int32_t ts_memory(int32_t handle, int64_t* numbers) {
  if (contextOf(handle) == nullptr) return TS_INVALID;
  size_t free = 0, total = 0;
  TS_TRY(cudaMemGetInfo(&free, &total));
  numbers[0] = static_cast<int64_t>(free);
  numbers[1] = static_cast<int64_t>(total);
  return TS_OK;
}

int32_t ts_allocate(int32_t handle, int64_t bytes, int64_t* address) {
  if (contextOf(handle) == nullptr) return TS_INVALID;
  void* p = nullptr;
  const cudaError_t error = cudaMalloc(&p, static_cast<size_t>(bytes));
  if (error != cudaSuccess) {
    cudaGetLastError();
    return fail(codeOf(error), "cudaMalloc of %lld bytes: %s: %s", static_cast<long long>(bytes),
                cudaGetErrorName(error), cudaGetErrorString(error));
  }
  slotOf(handle)->allocations.insert(p);
  *address = static_cast<int64_t>(reinterpret_cast<intptr_t>(p));
  return TS_OK;
}

int32_t ts_free(int32_t handle, int64_t address) {
  if (contextOf(handle) == nullptr) return TS_INVALID;
  void* p = reinterpret_cast<void*>(static_cast<intptr_t>(address));
  TS_TRY(cudaFree(p));
  slotOf(handle)->allocations.erase(p);
  return TS_OK;
}

int32_t ts_upload(int32_t handle, int64_t address, const uint8_t* data, int64_t bytes) {
  Context* context = contextOf(handle);
  if (context == nullptr) return TS_INVALID;
  Slot& slot = *slotOf(handle);
  char* to = reinterpret_cast<char*>(static_cast<intptr_t>(address));
  for (int64_t done = 0; done < bytes;) {
    const int64_t n = bytes - done < STAGING ? bytes - done : STAGING;
    char* half = slot.staging + slot.next * STAGING;
    TS_TRY(cudaEventSynchronize(slot.free[slot.next]));
    std::memcpy(half, data + done, static_cast<size_t>(n));
    TS_TRY(cudaMemcpyAsync(to + done, half, static_cast<size_t>(n), cudaMemcpyHostToDevice, context->stream));
    TS_TRY(cudaEventRecord(slot.free[slot.next], context->stream));
    slot.next ^= 1;
    done += n;
  }
  return TS_OK;
}

int32_t ts_download(int32_t handle, int64_t address, uint8_t* data, int64_t bytes) {
  Context* context = contextOf(handle);
  if (context == nullptr) return TS_INVALID;
  Slot& slot = *slotOf(handle);
  const char* from = reinterpret_cast<const char*>(static_cast<intptr_t>(address));
  // the halves travel in turn: the copy out of one runs under the transfer of the other
  int64_t asked = 0, done = 0;
  int64_t sizes[2] = {0, 0};
  int ahead = slot.next, behind = slot.next;
  while (done < bytes) {
    while (asked < bytes && sizes[ahead] == 0) {
      const int64_t n = bytes - asked < STAGING ? bytes - asked : STAGING;
      TS_TRY(cudaEventSynchronize(slot.free[ahead]));
      TS_TRY(cudaMemcpyAsync(slot.staging + ahead * STAGING, from + asked, static_cast<size_t>(n),
                             cudaMemcpyDeviceToHost, context->stream));
      TS_TRY(cudaEventRecord(slot.free[ahead], context->stream));
      sizes[ahead] = n;
      asked += n;
      ahead ^= 1;
    }
    TS_TRY(cudaEventSynchronize(slot.free[behind]));
    std::memcpy(data + done, slot.staging + behind * STAGING, static_cast<size_t>(sizes[behind]));
    done += sizes[behind];
    sizes[behind] = 0;
    behind ^= 1;
  }
  if (bytes == 0) TS_TRY(cudaStreamSynchronize(context->stream));
  return TS_OK;
}

int32_t ts_synchronize(int32_t handle) {
  Context* context = contextOf(handle);
  if (context == nullptr) return TS_INVALID;
  TS_TRY(cudaStreamSynchronize(context->stream));
  return TS_OK;
}

int32_t ts_emulate(int32_t setting, int64_t value) {
#ifdef TWINSPEC_EMULATED
  if (emulated::setting(setting, value) == 0) return TS_OK;
  return fail(TS_INVALID, "no setting %d", setting);
#else
  (void)value;
  return fail(TS_UNSUPPORTED, "setting %d: this is no emulated device", setting);
#endif
}

}  // extern "C"
