package ort

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// checkProgram compiles only if api.h agrees with ONNX Runtime's header.
const checkProgram = `
#include "onnxruntime_c_api.h"
#include "api.h"

#define SAME(a, b) __builtin_types_compatible_p(a, b)
#define X(index, result, name, parameters) \
  _Static_assert(offsetof(OrtApi, name) == index * sizeof(void *), #name " has another index"); \
  _Static_assert(SAME(__typeof__(((OrtApi *)0)->name), result (*) parameters), #name " has another signature");
ORT_FUNCTIONS(X)
#undef X
#define X(name, value) _Static_assert(name == value, #name " has another value");
ORT_CONSTANTS(X)
#undef X
#define X(name, type) _Static_assert(SAME(name, type), #name " has another type");
ORT_ENUMS(X)
#undef X
#define X(name) _Static_assert(offsetof(OrtApiBase, name) == offsetof(struct ort_base, name), #name " has another offset");
X(GetApi)
X(GetVersionString)
#undef X
_Static_assert(ORT_TABLE_VERSION == ORT_API_VERSION, "onnxruntime_go asks for another version of the table");
`

// TestAPI compares api.h with ONNX Runtime's header, which lies in the folder of the module onnxruntime_go. The compiler
// compares, so macros and types count as they do in a build.
func TestAPI(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/yalue/onnxruntime_go").Output()
	if err != nil {
		t.Fatal(err)
	}
	module := strings.TrimSpace(string(out))
	header, err := os.ReadFile("api.h")
	if err != nil {
		t.Fatal(err)
	}
	check := func(header string) string {
		t.Helper()
		folder := t.TempDir()
		for name, text := range map[string]string{"api.h": header, "check.c": checkProgram} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		out, _ := exec.Command("gcc", "-std=gnu11", "-fsyntax-only", "-isystem", module, filepath.Join(folder, "check.c")).CombinedOutput()
		return string(out)
	}
	if errors := check(string(header)); errors != "" {
		t.Errorf("api.h disagrees with %s/onnxruntime_c_api.h:\n%s", module, errors)
	}
	for _, test := range []struct{ name, from, to, want string }{
		{"index", "X(133, OrtStatus *, RunWithBinding", "X(132, OrtStatus *, RunWithBinding", "RunWithBinding has another index"},
		{"signature", "(OrtStatus *status))", "(OrtValue *status))", "ReleaseStatus has another signature"},
		{"constant", "X(OrtMemTypeCPUOutput, -1)", "X(OrtMemTypeCPUOutput, -2)", "OrtMemTypeCPUOutput has another value"},
		{"type", "X(OrtErrorCode, unsigned)", "X(OrtErrorCode, int)", "OrtErrorCode has another type"},
		{"version", "VERSION 24", "VERSION 23", "another version of the table"},
		{"name", "BindOutputToDevice", "BindOutputToHost", "BindOutputToHost"},
	} {
		wrong := strings.Replace(string(header), test.from, test.to, 1)
		if wrong == string(header) {
			t.Errorf("%s: api.h does not contain %q", test.name, test.from)
		}
		if errors := check(wrong); !strings.Contains(errors, test.want) {
			t.Errorf("%s: a wrong api.h gives %q, want an error with %q", test.name, errors, test.want)
		}
	}
}
