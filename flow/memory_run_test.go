//go:build !asan

// With the address sanitizer, an allocation that fails aborts the process.

package flow

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/frame"
)

// TestOutOfMemory runs a graph that allocates more memory than there is. The error is one line, and the network still works.
func TestOutOfMemory(t *testing.T) {
	m := open(t, "greedy")
	a, b := encode(t, m, pattern(16, 9, 1)), encode(t, m, frame.New(16, 9))
	if _, err := m.Estimate(context.Background(), a, b); !errors.Is(err, ErrMemory) || !strings.Contains(err.Error(), "16x9") || strings.Contains(err.Error(), "\n") {
		t.Errorf("a run that needs too much memory: %v", err)
	}
	if _, err := m.Estimate(context.Background(), b, b); err != nil {
		t.Errorf("a run after that: %v", err)
	}
}
