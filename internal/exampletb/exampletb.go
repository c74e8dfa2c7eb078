// Package exampletb has a testing.TB for testable examples, which have none.
package exampletb

import (
	"fmt"
	"testing"
)

// A TB replaces the *testing.T of a test. Close runs the functions given to Cleanup, the
// last first; a failure panics.
type TB struct {
	testing.TB
	cleanups []func()
}

// New returns a TB for one example.
func New() *TB { return &TB{} }

// Helper does nothing.
func (t *TB) Helper() {}

// Cleanup keeps f for Close.
func (t *TB) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }

// Fatalf panics.
func (t *TB) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// Close ends the example.
func (t *TB) Close() {
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.cleanups[i]()
	}
}
