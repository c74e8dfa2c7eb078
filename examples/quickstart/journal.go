package main

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

// A journal keeps the log of the APIs, of which the demo prints parts.
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

// logger returns a logger to j, at all levels and without times.
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

// refusals returns the lines since the last call in which one API logged why it refused
// a request. Their level is DEBUG.
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
