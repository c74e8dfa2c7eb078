package ascii_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/ascii"
)

func TestEscape(t *testing.T) {
	for text, want := range map[string]string{
		"":                 "",
		`it's "plain" \ ~`: `it's "plain" \ ~`,
		"a\x1b[2J\n\x7f":   `a\x1b[2J\n\x7f`,
		"é \u009b \u2028":  `\u00e9 \u009b \u2028`,
		"\U0001f600 \xff":  `\U0001f600 \ufffd`,
	} {
		assert.Equal(t, want, ascii.Escape(text), "E3")
	}
}

func TestEscapeJSON(t *testing.T) {
	value := map[string]string{"é\u009b": "\x7f \u2028 \U0001f600 \x1b"}
	text, err := json.Marshal(value)
	require.NoError(t, err)
	escaped := ascii.EscapeJSON(append(text, '\n'))
	assert.Equal(t, `{"\u00e9\u009b":"\u007f \u2028 \ud83d\ude00 \u001b"}`+"\n", string(escaped), "E3")
	var back map[string]string
	require.NoError(t, json.Unmarshal(escaped, &back))
	assert.Equal(t, value, back, "E3")
}
