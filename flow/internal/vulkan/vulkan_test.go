package vulkan

import (
	"testing"

	"github.com/wwflow/wwflow/internal/testutil"
)

// TestCountDevices counts without any driver, and with SwiftShader, the software driver in Debian's package chromium-common.
func TestCountDevices(t *testing.T) {
	for _, test := range []struct {
		driver string
		want   int
	}{
		{"/dev/null", 0},
		{testutil.SwiftShader(t), 1},
	} {
		t.Setenv("VK_ICD_FILENAMES", test.driver)
		if n, err := CountDevices(); n != test.want || err != nil {
			t.Errorf("with the driver %s: %d devices, %v; want %d", test.driver, n, err, test.want)
		}
	}
}
