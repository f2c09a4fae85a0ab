/*
 * C interface of the device library: libtwinspec_cuda.so and libtwinspec_emulated.so export the same symbols.
 *
 * Buffers and integers only. Every call returns a code of the error table (gpu/errors.ts, TS_OK = 0); the text of the
 * last error of the calling thread is copied out by ts_error_text. Device addresses travel as 64-bit integers. A context
 * is one stream on one device with its own pinned staging; contexts of different threads do not disturb each other, two
 * on the same device overlap copies with kernels. A context belongs to the thread that opened it and is closed, with all
 * its memory, when that thread ends. Within a context everything happens in the order of the calls.
 *
 * Kernels: for each row of the kernel table
 *
 *   int32_t ts_<kernel>(int32_t context, const int32_t* dims, const int64_t* args, int64_t* work);
 *
 * with the dimensions in the order declared and the device addresses of all arguments but work arrays in the order
 * declared. work[1] < 0 asks: the call then starts nothing and writes the least number of scratch bytes to work[0] and
 * the most useful one to work[1]. Otherwise work[0] is the device address of work[1] bytes of scratch.
 */
#pragma once
#include <stdint.h>

#define TS_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* Version of this interface. */
#define TS_ABI 1

TS_API int32_t ts_abi(void);
/* 0: CUDA, 1: emulated. */
TS_API int32_t ts_kind(void);
/* Copies the text of this thread's last error, at most `bytes` with the final zero; returns its length. */
TS_API int32_t ts_error_text(uint8_t* text, int32_t bytes);

TS_API int32_t ts_device_count(int32_t* count);
/* numbers: total and free memory in bytes, major, minor, multiprocessors, driver version, runtime version, 0. */
TS_API int32_t ts_device_properties(int32_t device, int64_t* numbers, uint8_t* name, int32_t bytes);

TS_API int32_t ts_open(int32_t device, int32_t* context);
TS_API int32_t ts_close(int32_t context);
/* numbers: free, total; bytes. */
TS_API int32_t ts_memory(int32_t context, int64_t* numbers);
TS_API int32_t ts_allocate(int32_t context, int64_t bytes, int64_t* address);
TS_API int32_t ts_free(int32_t context, int64_t address);
/* Returns once `data` may be overwritten; the copy is on its way, before whatever is asked for next. */
TS_API int32_t ts_upload(int32_t context, int64_t address, const uint8_t* data, int64_t bytes);
/* Waits for everything asked for before. */
TS_API int32_t ts_download(int32_t context, int64_t address, uint8_t* data, int64_t bytes);
TS_API int32_t ts_synchronize(int32_t context);

/* Emulated device only; TS_UNSUPPORTED elsewhere. Settings of the process.
 *   0 thread order: 0 ascending, 1 descending, n ≥ 2 shuffled with seed n
 *   1 devices
 *   2 memory of each, bytes
 *   3 the n-th allocation from now fails (1: the next; 0: none)
 *   4 the n-th launch from now fails
 *   5 the n-th launch from now never returns to the host before this many ms have passed: n * 2^32 + ms */
TS_API int32_t ts_emulate(int32_t setting, int64_t value);

#ifdef __cplusplus
}
#endif
