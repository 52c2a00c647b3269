// What Go calls of ONNX Runtime's C interface: an OrtApi is a table of function pointers, which cgo can't call.
// Each function returns NULL, or a status that the caller releases; what it makes, the caller releases too.
#ifndef WWFLOW_ORT_BINDING_H
#define WWFLOW_ORT_BINDING_H

#include <stddef.h>
#include <stdint.h>
#include "onnxruntime_c_api.h"

// ort_load loads the library and makes the environment. It returns words of what failed, for free(), or NULL.
char *ort_load(const char *path);
const char *ort_version(void);
OrtStatus *ort_available(char ***names, int *n);
void ort_available_release(char **names, int n);

OrtErrorCode ort_status_code(OrtStatus *status);
const char *ort_status_message(OrtStatus *status);
void ort_status_release(OrtStatus *status);

OrtStatus *ort_options_new(int threads, OrtSessionOptions **out);
OrtStatus *ort_options_entry(OrtSessionOptions *options, const char *key, const char *value);
OrtStatus *ort_options_cuda(OrtSessionOptions *options, const char *const *keys, const char *const *values, size_t n);
OrtStatus *ort_options_tensorrt(OrtSessionOptions *options, const char *const *keys, const char *const *values, size_t n);
OrtStatus *ort_options_provider(OrtSessionOptions *options, const char *name, const char *const *keys, const char *const *values, size_t n);
void ort_options_release(OrtSessionOptions *options);

OrtStatus *ort_session_new(const void *graph, size_t bytes, OrtSessionOptions *options, OrtSession **out);
void ort_session_release(OrtSession *session);
// How many inputs (or outputs) the graph has; each one's name, for free(), and element type (0 where it is no tensor).
OrtStatus *ort_session_count(OrtSession *session, int outputs, size_t *n);
OrtStatus *ort_session_port(OrtSession *session, int outputs, size_t i, char **name, int *elements);

OrtStatus *ort_memory_new(const char *name, int id, int on_host, OrtMemoryInfo **out);
void ort_memory_release(OrtMemoryInfo *memory);

// An allocator must outlive what was taken from it, and the session must outlive the allocator.
OrtStatus *ort_allocator_new(OrtSession *session, OrtMemoryInfo *memory, OrtAllocator **out);
void ort_allocator_release(OrtAllocator *allocator);

OrtStatus *ort_alloc(OrtAllocator *allocator, size_t bytes, void **out);
void ort_free(OrtAllocator *allocator, void *memory);

// ort_tensor_over wraps host memory that stays the caller's.
OrtStatus *ort_tensor_over(void *data, size_t bytes, const int64_t *shape, size_t dims, int elements, OrtValue **out);
OrtStatus *ort_tensor_place(OrtValue *tensor, const char **name);
OrtStatus *ort_tensor_elements(OrtValue *tensor, int *out);
void ort_value_release(OrtValue *value);

OrtStatus *ort_run_options_new(OrtRunOptions **out);
OrtStatus *ort_run_options_terminate(OrtRunOptions *options);
void ort_run_options_release(OrtRunOptions *options);

// ort_run computes the outputs: those that are NULL are made where their place says, the others are filled.
OrtStatus *ort_run(OrtSession *session, OrtRunOptions *options, size_t inputs, const char *const *input_names, OrtValue *const *input,
                   size_t outputs, const char *const *output_names, OrtValue **output, OrtMemoryInfo *const *places);

#endif
