package main

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

// A journal keeps what the APIs log, for the demo to show parts of it.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// logger logs all, without times.
func (j *journal) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
}

// refusals returns the lines since the last call that say why one API refused a
// request. They are logged at level DEBUG.
func (j *journal) refusals(api string) (lines []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for line := range strings.Lines(j.text.String()) {
		if strings.Contains(line, " api="+api+" ") && strings.Contains(line, "a request was refused") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	j.text.Reset()
	return lines
}
