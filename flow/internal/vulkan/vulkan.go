// Package vulkan counts the devices that this machine offers through Vulkan.
package vulkan

// #cgo LDFLAGS: -ldl
// #include <dlfcn.h>
// #include <stdint.h>
// #include <stdlib.h>
//
// // Declared here because the Vulkan headers are not otherwise needed.
// typedef struct VkInstance_T *VkInstance;
// typedef struct VkPhysicalDevice_T *VkPhysicalDevice;
// typedef struct {
//   int type;
//   const void *next;
//   uint32_t flags;
//   const void *application;
//   uint32_t layers;
//   const char *const *layer_names;
//   uint32_t extensions;
//   const char *const *extension_names;
// } VkInstanceCreateInfo;
// enum { VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO = 1, VK_ERROR_INCOMPATIBLE_DRIVER = -9, NO_LOADER = 1000, NO_FUNCTION };
//
// // count_devices sets *count and returns 0, a VkResult or one of the codes above.
// static int count_devices(const char *path, uint32_t *count) {
//   void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);  // stays loaded: WebGPU loads it next
//   if (!library) return NO_LOADER;
//   int (*create)(const VkInstanceCreateInfo *, const void *, VkInstance *) =
//       (int (*)(const VkInstanceCreateInfo *, const void *, VkInstance *))dlsym(library, "vkCreateInstance");
//   int (*enumerate)(VkInstance, uint32_t *, VkPhysicalDevice *) =
//       (int (*)(VkInstance, uint32_t *, VkPhysicalDevice *))dlsym(library, "vkEnumeratePhysicalDevices");
//   void (*destroy)(VkInstance, const void *) = (void (*)(VkInstance, const void *))dlsym(library, "vkDestroyInstance");
//   if (!create || !enumerate || !destroy) return NO_FUNCTION;
//   VkInstanceCreateInfo info = {.type = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
//   VkInstance instance = NULL;
//   int result = create(&info, NULL, &instance);
//   if (result != 0) return result;
//   result = enumerate(instance, count, NULL);
//   destroy(instance, NULL);
//   return result;
// }
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// Loader is the file name of the Vulkan loader.
const Loader = "libvulkan.so.1"

// ErrNoLoader is returned by CountDevices if the Vulkan loader is not installed.
var ErrNoLoader = errors.New("the Vulkan loader " + Loader + " was not found")

// CountDevices returns the number of Vulkan devices, including software drivers. A machine without a Vulkan driver has none.
func CountDevices() (int, error) {
	name := C.CString(Loader)
	defer C.free(unsafe.Pointer(name))
	var count C.uint32_t
	switch result := C.count_devices(name, &count); result {
	case 0:
		return int(count), nil
	case C.VK_ERROR_INCOMPATIBLE_DRIVER:
		return 0, nil
	case C.NO_LOADER:
		return 0, ErrNoLoader
	case C.NO_FUNCTION:
		return 0, errors.New(Loader + " is not a Vulkan loader")
	default:
		return 0, fmt.Errorf("%s failed with Vulkan error %d", Loader, int(result))
	}
}
