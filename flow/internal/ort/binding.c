#define _GNU_SOURCE
#include "binding.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const OrtApi *api;

static char *words(const char *format, const char *detail) {
  char *text = NULL;
  if (asprintf(&text, format, detail) < 0) return NULL;
  return text;
}

char *ort_load(const char *path) {
  void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
  if (!library) return words("%s", dlerror());
  const OrtApiBase *(*get)(void) = (const OrtApiBase *(*)(void))dlsym(library, "OrtGetApiBase");
  if (!get) {
    dlclose(library);
    return words("%s", "it is no ONNX Runtime");
  }
  const OrtApiBase *found = get();
  const OrtApi *table = found->GetApi(ORT_API_VERSION);
  if (!table) {
    char *text = words("it is version %s", found->GetVersionString());
    dlclose(library);
    return text;
  }
  api = table;
  return NULL;
}

OrtStatus *ort_available(char ***names, int *n) { return api->GetAvailableProviders(names, n); }
void ort_available_release(char **names, int n) {
  OrtStatus *status = api->ReleaseAvailableProviders(names, n);
  if (status) api->ReleaseStatus(status);
}

const char *ort_status_message(OrtStatus *status) { return api->GetErrorMessage(status); }
void ort_status_release(OrtStatus *status) { api->ReleaseStatus(status); }

OrtStatus *ort_session_count(OrtSession *session, int outputs, size_t *n) {
  return outputs ? api->SessionGetOutputCount(session, n) : api->SessionGetInputCount(session, n);
}

OrtStatus *ort_session_port(OrtSession *session, int outputs, size_t i, char **name, int *elements) {
  OrtTypeInfo *type = NULL;
  OrtStatus *status = outputs ? api->SessionGetOutputTypeInfo(session, i, &type) : api->SessionGetInputTypeInfo(session, i, &type);
  if (status) return status;
  const OrtTensorTypeAndShapeInfo *tensor = NULL;  // the type's own
  ONNXTensorElementDataType found = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  status = api->CastTypeInfoToTensorInfo(type, &tensor);
  if (!status && tensor) status = api->GetTensorElementType(tensor, &found);
  api->ReleaseTypeInfo(type);
  if (status) return status;
  *elements = found;

  OrtAllocator *allocator = NULL;
  if ((status = api->GetAllocatorWithDefaultOptions(&allocator))) return status;
  char *given = NULL;
  status = outputs ? api->SessionGetOutputName(session, i, allocator, &given) : api->SessionGetInputName(session, i, allocator, &given);
  if (status) return status;
  *name = strdup(given);
  return api->AllocatorFree(allocator, given);
}

OrtStatus *ort_memory_new(const char *name, int id, int on_host, OrtMemoryInfo **out) {
  return api->CreateMemoryInfo(name, OrtDeviceAllocator, id, on_host ? OrtMemTypeCPUOutput : OrtMemTypeDefault, out);
}

void ort_memory_release(OrtMemoryInfo *memory) { api->ReleaseMemoryInfo(memory); }

OrtStatus *ort_allocator_new(OrtSession *session, OrtMemoryInfo *memory, OrtAllocator **out) {
  return api->CreateAllocator(session, memory, out);
}

void ort_allocator_release(OrtAllocator *allocator) { api->ReleaseAllocator(allocator); }

OrtStatus *ort_alloc(OrtAllocator *allocator, size_t bytes, void **out) {
  OrtStatus *status = api->AllocatorAlloc(allocator, bytes, out);
  if (!status && !*out) status = api->CreateStatus(ORT_FAIL, "Failed to allocate memory on the host");
  return status;
}

void ort_free(OrtAllocator *allocator, void *memory) {
  OrtStatus *status = api->AllocatorFree(allocator, memory);
  if (status) api->ReleaseStatus(status);
}

OrtStatus *ort_tensor_over(void *data, size_t bytes, const int64_t *shape, size_t dims, int elements, OrtValue **out) {
  OrtMemoryInfo *memory = NULL;
  OrtStatus *status = api->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &memory);
  if (status) return status;
  status = api->CreateTensorWithDataAsOrtValue(memory, data, bytes, shape, dims, (ONNXTensorElementDataType)elements, out);
  api->ReleaseMemoryInfo(memory);
  return status;
}

OrtStatus *ort_tensor_place(OrtValue *tensor, const char **name) {
  const OrtMemoryInfo *memory = NULL;  // the tensor's own
  OrtStatus *status = api->GetTensorMemoryInfo(tensor, &memory);
  if (status) return status;
  return api->MemoryInfoGetName(memory, name);
}

OrtStatus *ort_tensor_elements(OrtValue *tensor, int *out) {
  OrtTensorTypeAndShapeInfo *info = NULL;
  OrtStatus *status = api->GetTensorTypeAndShape(tensor, &info);
  if (status) return status;
  ONNXTensorElementDataType elements = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  status = api->GetTensorElementType(info, &elements);
  api->ReleaseTensorTypeAndShapeInfo(info);
  *out = elements;
  return status;
}

void ort_value_release(OrtValue *value) { api->ReleaseValue(value); }

OrtStatus *ort_run_options_new(OrtRunOptions **out) { return api->CreateRunOptions(out); }
OrtStatus *ort_run_options_terminate(OrtRunOptions *options) { return api->RunOptionsSetTerminate(options); }
void ort_run_options_release(OrtRunOptions *options) { api->ReleaseRunOptions(options); }

static OrtStatus *fetch(OrtIoBinding *binding, size_t outputs, OrtValue **output) {
  OrtAllocator *allocator = NULL;
  OrtStatus *status = api->GetAllocatorWithDefaultOptions(&allocator);
  if (status) return status;
  OrtValue **made = NULL;
  size_t n = 0;
  if ((status = api->GetBoundOutputValues(binding, allocator, &made, &n))) return status;
  if (n != outputs) status = api->CreateStatus(ORT_FAIL, "another number of outputs than was bound");
  for (size_t i = 0; i < n; i++) {
    if (!status && !output[i])
      output[i] = made[i];
    else
      api->ReleaseValue(made[i]);  // a second handle of what the caller has
  }
  if (made) {
    OrtStatus *freed = api->AllocatorFree(allocator, made);
    if (freed) api->ReleaseStatus(freed);
  }
  return status;
}

OrtStatus *ort_run(OrtSession *session, OrtRunOptions *options, size_t inputs, const char *const *input_names, OrtValue *const *input,
                   size_t outputs, const char *const *output_names, OrtValue **output, OrtMemoryInfo *const *places) {
  OrtIoBinding *binding = NULL;
  OrtStatus *status = api->CreateIoBinding(session, &binding);
  for (size_t i = 0; !status && i < inputs; i++) status = api->BindInput(binding, input_names[i], input[i]);
  for (size_t i = 0; !status && i < outputs; i++)
    status = output[i] ? api->BindOutput(binding, output_names[i], output[i]) : api->BindOutputToDevice(binding, output_names[i], places[i]);
  if (!status) status = api->RunWithBinding(session, options, binding);
  if (!status) {
    status = fetch(binding, outputs, output);
  } else if (binding) {
    // A run that was stopped leaves the device at work; the memory that it reads and writes is the caller's again now.
    OrtStatus *waited = api->SynchronizeBoundInputs(binding);
    if (!waited) waited = api->SynchronizeBoundOutputs(binding);
    if (waited) api->ReleaseStatus(waited);
  }
  if (binding) api->ReleaseIoBinding(binding);
  return status;
}
