//go:build !asan

// Under the address sanitizer an allocation that fails ends the process.

package flow

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/frame"
)

// A graph that asks for more memory than there is ends with a sentence, and the network lives on.
func TestOutOfMemory(t *testing.T) {
	m := open(t, "greedy")
	a, b := encode(t, m, pattern(16, 9, 1)), encode(t, m, frame.New(16, 9))
	if _, err := m.Estimate(context.Background(), a, b); !errors.Is(err, ErrMemory) || !strings.Contains(err.Error(), "16x9") || strings.Contains(err.Error(), "\n") {
		t.Errorf("too little memory: %v", err)
	}
	if _, err := m.Estimate(context.Background(), b, b); err != nil {
		t.Errorf("after it: %v", err)
	}
}
