package verifier_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Operators read the cause in either of slog's formats, although the error
// marshals to the client's half.
func TestErrorsAreLoggedWithTheirCause(t *testing.T) {
	v, _ := setup(t)
	_, err := v.Verify(ctx, signerOf("ES256").token(nil, members{"aud": `"elsewhere"`}))
	assertRefused(t, verifier.ErrAudience, err)
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"JSON": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			slog.New(handler(&log)).Warn("refused", "cause", err)
			assert.Contains(t, log.String(), "elsewhere")
			assert.Contains(t, log.String(), "another audience")
		})
	}
}
