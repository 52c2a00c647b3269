//go:build asan

package libavtest

// libx265 3.5 leaks 1168 bytes per encoder, also in the ffmpeg command with liblsan preloaded. LeakSanitizer calls
// this function for the leaks that it should not report.

/*
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:x265_malloc\n"; }
*/
import "C"
