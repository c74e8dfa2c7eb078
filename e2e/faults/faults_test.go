package faults

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A fault is what happens between the cache and the server.
type fault struct {
	name  string
	toxic string // as toxiproxy's HTTP API takes it; "" closes the port
	late  bool   // answers do come, whole and within the client's time-out of 10 s
}

var faults = []fault{
	{"latency 3 s", `{"type": "latency", "attributes": {"latency": 3000}}`, true},
	{"latency 8 s", `{"type": "latency", "attributes": {"latency": 8000}}`, true},
	{"1 KB per second", `{"type": "bandwidth", "attributes": {"rate": 1}}`, true},
	{"cut at 300 bytes", `{"type": "limit_data", "attributes": {"bytes": 300}}`, false},
	{"RST", `{"type": "reset_peer", "attributes": {"timeout": 0}}`, false},
	{"black hole", `{"type": "timeout", "stream": "upstream", "attributes": {"timeout": 0}}`, false},
	{"refused", "", false},
}

func (w *world) spoil(t *testing.T, f fault) {
	t.Helper()
	if f.toxic == "" {
		w.proxy.Stop()
		return
	}
	_, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(f.toxic))
	require.NoError(t, err)
}

// mend ends the fault.
func (w *world) mend(t *testing.T) {
	t.Helper()
	w.proxy.Toxics.ResetToxics(t.Context())
	if w.proxy.Enabled {
		return
	}
	// Somebody's outgoing connection may have the port for a moment.
	require.Eventually(t, func() bool { return w.proxy.Start() == nil }, 10*time.Second, 50*time.Millisecond)
}
