package jose_test

import (
	"bytes"
	"encoding/base64"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

func TestAppendDecode(t *testing.T) {
	for _, row := range []struct {
		encoded, want string
		ok            bool
	}{
		{"", "", true},
		{"AA", "\x00", true},
		{"AAA", "\x00\x00", true},
		{"AAAA", "\x00\x00\x00", true},
		{"-_-_", "\xfb\xff\xbf", true},
		{"A", "", false},
		{"AAAAA", "", false},
		{"AB", "", false}, // bits that belong to no octet
		{"AAB", "", false},
		{"AA==", "", false},
		{"AAA=", "", false},
		{"+/+/", "", false},
		{"AA\n", "", false},
		{"\nAA", "", false},
		{"A\r\nA", "", false},
		{"\r\n\r\n", "", false},
		{"A A", "", false},
		{"AA\x00", "", false},
		{"\u00e9", "", false},
	} {
		t.Run("P1 "+row.encoded, func(t *testing.T) {
			got, ok := jose.AppendDecode([]byte("before"), []byte(row.encoded))
			require.Equal(t, row.ok, ok)
			if ok {
				assert.Equal(t, "before"+row.want, string(got))
			}
		})
	}
}

// FuzzAppendDecode: each octet string has exactly one text that is accepted.
func FuzzAppendDecode(f *testing.F) {
	for _, text := range []string{"", "AA", "AB", "AA==", "-_-_", "+/", "AA\r\n"} {
		f.Add([]byte("x"), []byte(text))
	}
	f.Fuzz(func(t *testing.T, before, encoded []byte) {
		got, ok := jose.AppendDecode(slices.Clip(bytes.Clone(before)), encoded) // the engine may pass parts of one array
		if !ok {
			return
		}
		require.Equal(t, before, got[:len(before)])
		require.Equal(t, string(encoded), base64.RawURLEncoding.EncodeToString(got[len(before):]))
	})
}
