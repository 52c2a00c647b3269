// A stand-in for the CUDA runtime that needs no GPU. Device memory is host memory, kernels do nothing, and each copy is printed
// to standard error as "copy <direction> <bytes>". standin_test.go adds functions that return 0 for everything else.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *handle[64];

int cudaGetDeviceCount(int *n) { return *n = 1, 0; }
int cudaGetDevice(int *device) { return *device = 0, 0; }
int cudaDriverGetVersion(int *v) { return *v = 13000, 0; }
int cudaRuntimeGetVersion(int *v) { return *v = 13000, 0; }
int cudaGetDeviceProperties(void *properties, int device) {
  (void)device;
  char *p = properties;
  memset(p, 0, 1024);
  strcpy(p, "stand-in");
  *(size_t *)(p + 288) = (size_t)8 << 30;  // totalGlobalMem
  *(size_t *)(p + 296) = 49152;            // sharedMemPerBlock
  *(int *)(p + 304) = 65536;               // regsPerBlock
  *(int *)(p + 308) = 32;                  // warpSize
  *(int *)(p + 320) = 1024;                // maxThreadsPerBlock
  for (int i = 0; i < 6; i++) ((int *)(p + 324))[i] = 1024;
  *(int *)(p + 360) = 9;    // major
  *(int *)(p + 388) = 132;  // multiProcessorCount
  return 0;
}
int cudaDeviceGetAttribute(int *value, int attribute, int device) {
  (void)device;
  *value = attribute == 75 ? 9 : attribute == 1 ? 1024 : attribute == 10 ? 32 : attribute == 16 ? 132 : attribute == 8 || attribute == 97 ? 49152 : 0;
  return 0;
}

static int allocate(void **p, size_t n) { return (*p = aligned_alloc(256, (n + 255) / 256 * 256)) ? 0 : 2; }
int cudaMalloc(void **p, size_t n) { return allocate(p, n); }
int cudaHostAlloc(void **p, size_t n, unsigned flags) { return (void)flags, allocate(p, n); }
int cudaMallocHost(void **p, size_t n) { return allocate(p, n); }
int cudaFree(void *p) { return free(p), 0; }
int cudaFreeHost(void *p) { return free(p), 0; }
int cudaMemGetInfo(size_t *left, size_t *total) { return *left = *total = (size_t)8 << 30, 0; }

int cudaMemcpy(void *to, const void *from, size_t n, int kind) {
  static const char *names[] = {"host", "up", "down", "device", "any"};
  memcpy(to, from, n);
  fprintf(stderr, "copy %s %zu\n", names[kind], n);
  return 0;
}
int cudaMemcpyAsync(void *to, const void *from, size_t n, int kind, void *stream) { return (void)stream, cudaMemcpy(to, from, n, kind); }
int cudaMemset(void *p, int value, size_t n) { return memset(p, value, n), 0; }
int cudaMemsetAsync(void *p, int value, size_t n, void *stream) { return (void)stream, memset(p, value, n), 0; }

int cudaStreamCreate(void **stream) { return *stream = handle, 0; }
int cudaStreamCreateWithFlags(void **stream, unsigned flags) { return (void)flags, *stream = handle, 0; }
int cudaStreamIsCapturing(void *stream, int *capturing) { return (void)stream, *capturing = 0, 0; }
int cudaEventCreate(void **event) { return *event = handle, 0; }
int cudaEventCreateWithFlags(void **event, unsigned flags) { return (void)flags, *event = handle, 0; }
int cudaLaunchHostFunc(void *stream, void (*f)(void *), void *data) { return (void)stream, f(data), 0; }
int cudaFuncGetAttributes(void *attributes, const void *f) { return (void)f, memset(attributes, 0, 64), 0; }
int cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *n, const void *f, int threads, size_t shared, unsigned flags) {
  return (void)f, (void)threads, (void)shared, (void)flags, *n = 1, 0;
}
int __cudaGetKernel(void **kernel, const void *f) { return (void)f, *kernel = handle, 0; }
int __cudaPushCallConfiguration(void) { return 1; }  // no kernel is launched
void **__cudaRegisterFatBinary(void *binary) { return (void)binary, handle; }
const char *cudaGetErrorString(int e) { return (void)e, "stand-in"; }
const char *cudaGetErrorName(int e) { return (void)e, "stand-in"; }

int cublasCreate_v2(void **made) { return *made = handle, 0; }
int cublasGetMathMode(void *h, int *mode) { return (void)h, *mode = 0, 0; }
const char *cublasGetStatusString(int e) { return (void)e, "stand-in"; }
const char *cublasGetStatusName(int e) { return (void)e, "stand-in"; }
int cudnnCreate(void **made) { return *made = handle, 0; }
int cudnnDestroy(void *h) { return (void)h, 0; }
int cudnnSetStream(void *h, void *stream) { return (void)h, (void)stream, 0; }
