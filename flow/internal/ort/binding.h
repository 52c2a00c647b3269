// C functions that cgo can call: it cannot call the function pointers of ONNX Runtime's table itself.
// Each OrtStatus is NULL on success, else an error that the caller releases.
#ifndef WWFLOW_ORT_BINDING_H
#define WWFLOW_ORT_BINDING_H

#include "api.h"

// ort_load gets the table from the library at path. It returns NULL, or an error message for free().
char *ort_load(const char *path);
OrtStatus *ort_providers(char ***names, int *n);
void ort_providers_release(char **names, int n);

const char *ort_status_message(OrtStatus *status);
void ort_status_release(OrtStatus *status);

// Number of inputs or outputs of a graph. For each: its name, for free(), its element type, 0 if it is no tensor, and the
// number of its dimensions, of which the first ORT_DIMENSIONS are given, -1 for one that the graph leaves open.
enum { ORT_DIMENSIONS = 8 };
OrtStatus *ort_session_count(OrtSession *session, int outputs, size_t *n);
OrtStatus *ort_session_port(OrtSession *session, int outputs, size_t i, char **name, int *type, int64_t *shape, size_t *dimensions);

OrtStatus *ort_memory_new(const char *name, int device, int host_accessible, OrtMemoryInfo **out);
void ort_memory_release(OrtMemoryInfo *memory);

// An allocator must be released after its memory is freed, and before its session.
OrtStatus *ort_allocator_new(OrtSession *session, OrtMemoryInfo *memory, OrtAllocator **out);
void ort_allocator_release(OrtAllocator *allocator);
OrtStatus *ort_alloc(OrtAllocator *allocator, size_t bytes, void **out);
void ort_free(OrtAllocator *allocator, void *memory);

// ort_tensor_wrap makes a tensor over host memory, which the caller still owns.
OrtStatus *ort_tensor_wrap(void *data, size_t bytes, const int64_t *shape, size_t dimensions, int type, OrtValue **out);
// ort_tensor_memory gives the name of the memory that holds the tensor. The name belongs to the tensor.
OrtStatus *ort_tensor_memory(OrtValue *tensor, const char **name);
OrtStatus *ort_tensor_type(OrtValue *tensor, int *type);
void ort_value_release(OrtValue *value);

OrtStatus *ort_run_options_new(OrtRunOptions **out);
OrtStatus *ort_run_options_terminate(OrtRunOptions *options);
void ort_run_options_release(OrtRunOptions *options);

// ort_run computes the outputs. It fills those that are given; for one that is NULL it makes a tensor in memories[i].
OrtStatus *ort_run(OrtSession *session, OrtRunOptions *options, size_t inputs, const char *const *input_names, OrtValue *const *input,
                   size_t outputs, const char *const *output_names, OrtValue **output, OrtMemoryInfo *const *memories);

#endif
