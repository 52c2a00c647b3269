#define _GNU_SOURCE
#include "binding.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The functions of the table, by name.
static struct {
#define X(index, result, name, parameters) result(*name) parameters;
  ORT_FUNCTIONS(X)
#undef X
} api;

static char *message(const char *format, const char *detail) {
  char *text = NULL;
  if (asprintf(&text, format, detail) < 0) return NULL;
  return text;
}

char *ort_load(const char *path) {
  void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
  if (!library) return message("%s", dlerror());
  const struct ort_base *(*get)(void) = (const struct ort_base *(*)(void))dlsym(library, "OrtGetApiBase");
  if (!get) {
    dlclose(library);
    return message("%s", "it has no function OrtGetApiBase");
  }
  const void *const *table = get()->GetApi(ORT_TABLE_VERSION);
  if (!table) {
    char *text = message("it is version %s", get()->GetVersionString());
    dlclose(library);
    return text;
  }
#define X(index, result, name, parameters) api.name = (result(*) parameters)table[index];
  ORT_FUNCTIONS(X)
#undef X
  return NULL;
}

OrtStatus *ort_providers(char ***names, int *n) { return api.GetAvailableProviders(names, n); }
void ort_providers_release(char **names, int n) {
  OrtStatus *status = api.ReleaseAvailableProviders(names, n);
  if (status) api.ReleaseStatus(status);
}

const char *ort_status_message(OrtStatus *status) { return api.GetErrorMessage(status); }
void ort_status_release(OrtStatus *status) { api.ReleaseStatus(status); }

OrtStatus *ort_session_count(OrtSession *session, int outputs, size_t *n) {
  return outputs ? api.SessionGetOutputCount(session, n) : api.SessionGetInputCount(session, n);
}

OrtStatus *ort_session_port(OrtSession *session, int outputs, size_t i, char **name, int *type, int64_t *shape, size_t *dimensions) {
  OrtTypeInfo *info = NULL;
  OrtStatus *status = outputs ? api.SessionGetOutputTypeInfo(session, i, &info) : api.SessionGetInputTypeInfo(session, i, &info);
  if (status) return status;
  const OrtTensorTypeAndShapeInfo *tensor = NULL;  // belongs to info
  ONNXTensorElementDataType found = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  status = api.CastTypeInfoToTensorInfo(info, &tensor);
  if (!status && tensor) status = api.GetTensorElementType(tensor, &found);
  if (!status && tensor) status = api.GetDimensionsCount(tensor, dimensions);
  if (!status && tensor) status = api.GetDimensions(tensor, shape, *dimensions < ORT_DIMENSIONS ? *dimensions : ORT_DIMENSIONS);
  api.ReleaseTypeInfo(info);
  if (status) return status;
  *type = found;

  OrtAllocator *allocator = NULL;
  if ((status = api.GetAllocatorWithDefaultOptions(&allocator))) return status;
  char *given = NULL;
  status = outputs ? api.SessionGetOutputName(session, i, allocator, &given) : api.SessionGetInputName(session, i, allocator, &given);
  if (status) return status;
  *name = strdup(given);
  return api.AllocatorFree(allocator, given);
}

OrtStatus *ort_memory_new(const char *name, int device, int host_accessible, OrtMemoryInfo **out) {
  return api.CreateMemoryInfo(name, OrtDeviceAllocator, device, host_accessible ? OrtMemTypeCPUOutput : OrtMemTypeDefault, out);
}

void ort_memory_release(OrtMemoryInfo *memory) { api.ReleaseMemoryInfo(memory); }

OrtStatus *ort_allocator_new(OrtSession *session, OrtMemoryInfo *memory, OrtAllocator **out) {
  return api.CreateAllocator(session, memory, out);
}

void ort_allocator_release(OrtAllocator *allocator) { api.ReleaseAllocator(allocator); }

OrtStatus *ort_alloc(OrtAllocator *allocator, size_t bytes, void **out) {
  OrtStatus *status = api.AllocatorAlloc(allocator, bytes, out);
  if (!status && !*out) status = api.CreateStatus(ORT_FAIL, "Failed to allocate memory on the host");
  return status;
}

void ort_free(OrtAllocator *allocator, void *memory) {
  OrtStatus *status = api.AllocatorFree(allocator, memory);
  if (status) api.ReleaseStatus(status);
}

OrtStatus *ort_tensor_wrap(void *data, size_t bytes, const int64_t *shape, size_t dimensions, int type, OrtValue **out) {
  OrtMemoryInfo *memory = NULL;
  OrtStatus *status = api.CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &memory);
  if (status) return status;
  status = api.CreateTensorWithDataAsOrtValue(memory, data, bytes, shape, dimensions, (ONNXTensorElementDataType)type, out);
  api.ReleaseMemoryInfo(memory);
  return status;
}

OrtStatus *ort_tensor_memory(OrtValue *tensor, const char **name) {
  const OrtMemoryInfo *memory = NULL;  // belongs to the tensor
  OrtStatus *status = api.GetTensorMemoryInfo(tensor, &memory);
  if (status) return status;
  return api.MemoryInfoGetName(memory, name);
}

OrtStatus *ort_tensor_type(OrtValue *tensor, int *out) {
  OrtTensorTypeAndShapeInfo *info = NULL;
  OrtStatus *status = api.GetTensorTypeAndShape(tensor, &info);
  if (status) return status;
  ONNXTensorElementDataType elements = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  status = api.GetTensorElementType(info, &elements);
  api.ReleaseTensorTypeAndShapeInfo(info);
  *out = elements;
  return status;
}

void ort_value_release(OrtValue *value) { api.ReleaseValue(value); }

OrtStatus *ort_run_options_new(OrtRunOptions **out) { return api.CreateRunOptions(out); }
OrtStatus *ort_run_options_terminate(OrtRunOptions *options) { return api.RunOptionsSetTerminate(options); }
void ort_run_options_release(OrtRunOptions *options) { api.ReleaseRunOptions(options); }

// take_outputs moves the tensors that the run made into output.
static OrtStatus *take_outputs(OrtIoBinding *binding, size_t outputs, OrtValue **output) {
  OrtAllocator *allocator = NULL;
  OrtStatus *status = api.GetAllocatorWithDefaultOptions(&allocator);
  if (status) return status;
  OrtValue **made = NULL;
  size_t n = 0;
  if ((status = api.GetBoundOutputValues(binding, allocator, &made, &n))) return status;
  if (n != outputs) status = api.CreateStatus(ORT_FAIL, "the number of outputs differs from the number bound");
  for (size_t i = 0; i < n; i++) {
    if (!status && !output[i])
      output[i] = made[i];
    else
      api.ReleaseValue(made[i]);  // a second handle for a tensor that the caller already has
  }
  if (made) {
    OrtStatus *freed = api.AllocatorFree(allocator, made);
    if (freed) api.ReleaseStatus(freed);
  }
  return status;
}

OrtStatus *ort_run(OrtSession *session, OrtRunOptions *options, size_t inputs, const char *const *input_names, OrtValue *const *input,
                   size_t outputs, const char *const *output_names, OrtValue **output, OrtMemoryInfo *const *memories) {
  OrtIoBinding *binding = NULL;
  OrtStatus *status = api.CreateIoBinding(session, &binding);
  for (size_t i = 0; !status && i < inputs; i++) status = api.BindInput(binding, input_names[i], input[i]);
  for (size_t i = 0; !status && i < outputs; i++)
    status = output[i] ? api.BindOutput(binding, output_names[i], output[i]) : api.BindOutputToDevice(binding, output_names[i], memories[i]);
  if (!status) status = api.RunWithBinding(session, options, binding);
  if (!status) {
    status = take_outputs(binding, outputs, output);
  } else if (binding) {
    // The device may still work on a run that was stopped. Wait, because the caller may now free the memory that it uses.
    OrtStatus *waited = api.SynchronizeBoundInputs(binding);
    if (!waited) waited = api.SynchronizeBoundOutputs(binding);
    if (waited) api.ReleaseStatus(waited);
  }
  if (binding) api.ReleaseIoBinding(binding);
  return status;
}
