// The part of ONNX Runtime's C interface that this package uses.
//
// The library hands out OrtApi, a table of function pointers. The table only ever grows at its end, so an index keeps its
// meaning in every later release. api_test.go checks indices, signatures and constants against ONNX Runtime's own header.
#ifndef WWFLOW_ORT_API_H
#define WWFLOW_ORT_API_H

#include <stddef.h>
#include <stdint.h>

// The version of the table to ask the library for.
#define ORT_TABLE_VERSION 24

typedef struct OrtStatus OrtStatus;
typedef struct OrtSession OrtSession;
typedef struct OrtValue OrtValue;
typedef struct OrtAllocator OrtAllocator;
typedef struct OrtMemoryInfo OrtMemoryInfo;
typedef struct OrtTypeInfo OrtTypeInfo;
typedef struct OrtTensorTypeAndShapeInfo OrtTensorTypeAndShapeInfo;
typedef struct OrtRunOptions OrtRunOptions;
typedef struct OrtIoBinding OrtIoBinding;

// X(name of an enumeration, the C type that it is compatible with)
#define ORT_ENUMS(X)                     \
  X(OrtErrorCode, unsigned)              \
  X(OrtAllocatorType, int)               \
  X(OrtMemType, int)                     \
  X(ONNXTensorElementDataType, unsigned)

// X(name of a constant, value)
#define ORT_CONSTANTS(X)                         \
  X(ORT_FAIL, 1)                                 \
  X(OrtDeviceAllocator, 0)                       \
  X(OrtMemTypeCPUOutput, -1)                     \
  X(OrtMemTypeDefault, 0)                        \
  X(ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED, 0)  \
  X(ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, 1)      \
  X(ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, 2)      \
  X(ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, 7)      \
  X(ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, 10)

// X(index in the table, result, name, parameters)
#define ORT_FUNCTIONS(X)                                                                                                   \
  X(0, OrtStatus *, CreateStatus, (OrtErrorCode code, const char *message))                                                \
  X(2, const char *, GetErrorMessage, (const OrtStatus *status))                                                           \
  X(30, OrtStatus *, SessionGetInputCount, (const OrtSession *session, size_t *count))                                     \
  X(31, OrtStatus *, SessionGetOutputCount, (const OrtSession *session, size_t *count))                                    \
  X(33, OrtStatus *, SessionGetInputTypeInfo, (const OrtSession *session, size_t i, OrtTypeInfo **type))                   \
  X(34, OrtStatus *, SessionGetOutputTypeInfo, (const OrtSession *session, size_t i, OrtTypeInfo **type))                  \
  X(36, OrtStatus *, SessionGetInputName, (const OrtSession *session, size_t i, OrtAllocator *allocator, char **name))     \
  X(37, OrtStatus *, SessionGetOutputName, (const OrtSession *session, size_t i, OrtAllocator *allocator, char **name))    \
  X(39, OrtStatus *, CreateRunOptions, (OrtRunOptions **options))                                                          \
  X(46, OrtStatus *, RunOptionsSetTerminate, (OrtRunOptions *options))                                                     \
  X(49, OrtStatus *, CreateTensorWithDataAsOrtValue,                                                                       \
    (const OrtMemoryInfo *memory, void *data, size_t bytes, const int64_t *shape, size_t dimensions,                       \
     ONNXTensorElementDataType type, OrtValue **tensor))                                                                   \
  X(55, OrtStatus *, CastTypeInfoToTensorInfo, (const OrtTypeInfo *type, const OrtTensorTypeAndShapeInfo **info))          \
  X(60, OrtStatus *, GetTensorElementType, (const OrtTensorTypeAndShapeInfo *info, ONNXTensorElementDataType *type))       \
  X(61, OrtStatus *, GetDimensionsCount, (const OrtTensorTypeAndShapeInfo *info, size_t *count))                           \
  X(62, OrtStatus *, GetDimensions, (const OrtTensorTypeAndShapeInfo *info, int64_t *dimensions, size_t count))            \
  X(65, OrtStatus *, GetTensorTypeAndShape, (const OrtValue *tensor, OrtTensorTypeAndShapeInfo **info))                    \
  X(68, OrtStatus *, CreateMemoryInfo,                                                                                     \
    (const char *name, OrtAllocatorType allocator, int device, OrtMemType type, OrtMemoryInfo **memory))                   \
  X(69, OrtStatus *, CreateCpuMemoryInfo, (OrtAllocatorType allocator, OrtMemType type, OrtMemoryInfo **memory))           \
  X(71, OrtStatus *, MemoryInfoGetName, (const OrtMemoryInfo *memory, const char **name))                                  \
  X(75, OrtStatus *, AllocatorAlloc, (OrtAllocator *allocator, size_t bytes, void **memory))                               \
  X(76, OrtStatus *, AllocatorFree, (OrtAllocator *allocator, void *memory))                                               \
  X(78, OrtStatus *, GetAllocatorWithDefaultOptions, (OrtAllocator **allocator))                                           \
  X(93, void, ReleaseStatus, (OrtStatus *status))                                                                          \
  X(94, void, ReleaseMemoryInfo, (OrtMemoryInfo *memory))                                                                  \
  X(96, void, ReleaseValue, (OrtValue *value))                                                                             \
  X(97, void, ReleaseRunOptions, (OrtRunOptions *options))                                                                 \
  X(98, void, ReleaseTypeInfo, (OrtTypeInfo *type))                                                                        \
  X(99, void, ReleaseTensorTypeAndShapeInfo, (OrtTensorTypeAndShapeInfo *info))                                            \
  X(125, OrtStatus *, GetAvailableProviders, (char ***names, int *count))                                                  \
  X(126, OrtStatus *, ReleaseAvailableProviders, (char **names, int count))                                                \
  X(131, OrtStatus *, CreateAllocator, (const OrtSession *session, const OrtMemoryInfo *memory, OrtAllocator **allocator)) \
  X(132, void, ReleaseAllocator, (OrtAllocator *allocator))                                                                \
  X(133, OrtStatus *, RunWithBinding, (OrtSession *session, const OrtRunOptions *options, const OrtIoBinding *binding))    \
  X(134, OrtStatus *, CreateIoBinding, (OrtSession *session, OrtIoBinding **binding))                                      \
  X(135, void, ReleaseIoBinding, (OrtIoBinding *binding))                                                                  \
  X(136, OrtStatus *, BindInput, (OrtIoBinding *binding, const char *name, const OrtValue *value))                         \
  X(137, OrtStatus *, BindOutput, (OrtIoBinding *binding, const char *name, const OrtValue *value))                        \
  X(138, OrtStatus *, BindOutputToDevice, (OrtIoBinding *binding, const char *name, const OrtMemoryInfo *memory))          \
  X(140, OrtStatus *, GetBoundOutputValues,                                                                                \
    (const OrtIoBinding *binding, OrtAllocator *allocator, OrtValue ***values, size_t *count))                             \
  X(194, OrtStatus *, GetTensorMemoryInfo, (const OrtValue *tensor, const OrtMemoryInfo **memory))                         \
  X(202, OrtStatus *, SynchronizeBoundInputs, (OrtIoBinding *binding))                                                     \
  X(203, OrtStatus *, SynchronizeBoundOutputs, (OrtIoBinding *binding))

// What the library's one exported function, OrtGetApiBase, returns.
struct ort_base {
  const void *const *(*GetApi)(uint32_t version);  // NULL where the library is older than the version
  const char *(*GetVersionString)(void);
};

#ifndef ORT_API_VERSION  // the test includes ONNX Runtime's header first, which defines these
#define X(name, type) typedef type name;
ORT_ENUMS(X)
#undef X

enum {
#define X(name, value) name = value,
  ORT_CONSTANTS(X)
#undef X
};
#endif

#endif
