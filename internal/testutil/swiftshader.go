package testutil

import (
	"os"
	"testing"
)

// SwiftShader returns the value of VK_ICD_FILENAMES that makes Vulkan run on SwiftShader, a software driver. It skips the test
// if Debian's package chromium-common is not installed.
func SwiftShader(t testing.TB) string {
	t.Helper()
	const manifest = "/usr/lib/chromium/vk_swiftshader_icd.json"
	if _, err := os.Stat(manifest); err != nil {
		Skip(t, "SwiftShader is missing (Debian package chromium-common): %v", err)
	}
	return manifest
}
