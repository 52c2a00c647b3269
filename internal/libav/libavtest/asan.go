//go:build asan

package libavtest

// libx265 3.5 loses 1168 bytes for each encoder: `ffmpeg -c:v libx265` with liblsan preloaded shows the same.
// LeakSanitizer asks this function what it should not report.

/*
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:x265_malloc\n"; }
*/
import "C"
