package vectors

import (
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"testing"

	"github.com/c2sp/wycheproof"
	"github.com/stretchr/testify/require"
)

// A file is one of Wycheproof's, with what the tests here read of it.
type file struct {
	Algorithm string
	Groups    []group `json:"testGroups"`
}

// A group is vectors with one key and one set of parameters.
type group struct {
	Type             string
	SHA, MGF, MGFSHA string
	SLen, TagSize    int // of the salt in bytes, of the tag in bits
	PublicKey        rawKey
	PrivateKey       rawKey
	PublicKeyJWK     json.RawMessage
	KeyJWK           json.RawMessage
	Public, Private  json.RawMessage // JWKs or sets of them
	Tests            []vector
}

// A rawKey has the members of all kinds of keys.
type rawKey struct {
	Curve                   string
	Uncompressed, PK        hexBytes
	Modulus, PublicExponent hexBytes
}

// A vector is one case. Its result is valid, invalid or acceptable.
type vector struct {
	ID       int `json:"tcId"`
	Flags    []string
	Comment  string
	Key, Msg hexBytes
	Sig, Tag hexBytes
	JWS, JWE json.RawMessage
	Result   string
}

type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// load reads a file out of the module that carries the vectors.
func load(t *testing.T, name string) (f file) {
	t.Helper()
	text, err := fs.ReadFile(wycheproof.TestVectors, name)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &f))
	require.NotEmpty(t, f.Groups)
	return f
}

// named returns the files whose names match one of the patterns.
func named(t *testing.T, patterns ...string) (names []string) {
	t.Helper()
	for _, p := range patterns {
		found, err := fs.Glob(wycheproof.TestVectors, p)
		require.NoError(t, err)
		require.NotEmpty(t, found, p)
		names = append(names, found...)
	}
	return names
}
