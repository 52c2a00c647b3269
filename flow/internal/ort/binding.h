// What Go calls of ONNX Runtime's C interface: an OrtApi is a table of function pointers, which cgo can't call.
// Each function returns NULL, or a status that the caller releases; what it makes, the caller releases too.
#ifndef WWFLOW_ORT_BINDING_H
#define WWFLOW_ORT_BINDING_H

#include <stddef.h>
#include <stdint.h>
#include "onnxruntime_c_api.h"

// ort_load finds the interface of the library at path, which onnxruntime_go has loaded. It returns words of what failed, for free(), or NULL.
char *ort_load(const char *path);
OrtStatus *ort_available(char ***names, int *n);
void ort_available_release(char **names, int n);

const char *ort_status_message(OrtStatus *status);
void ort_status_release(OrtStatus *status);

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
