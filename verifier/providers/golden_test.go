package providers_test

import (
	"context"
	"crypto"
	"encoding/json"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/authserver"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

type claims = map[string]any

// A sample is a decoded token.
type sample struct {
	Header claims `json:"header"`
	Claims claims `json:"claims"`
}

// A golden file has what the provider's own pages show: a machine's token, and
// those that look like it.
type golden struct {
	Sources  []string `json:"sources"`
	Made     string   `json:"made"`
	Machine  sample   `json:"machine"`
	User     *sample  `json:"user"`
	IDToken  *sample  `json:"id_token"`
	Stranger *sample  `json:"stranger"` // a workload that may not call
}

func readGolden(t testing.TB, name string) (g golden) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &g), name)
	require.NotEmpty(t, g.Sources, name)
	require.NotEmpty(t, g.Machine.Claims, name)
	return g
}

// with returns a copy with other claims; nil leaves one out.
func (s sample) with(changes claims) sample {
	all := maps.Clone(s.Claims)
	maps.Copy(all, changes)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	return sample{s.Header, all}
}

// headed returns a copy with another member of the header; "" leaves it out.
func (s sample) headed(name, value string) sample {
	header := maps.Clone(s.Header)
	header[name] = value
	if value == "" {
		delete(header, name)
	}
	return sample{header, s.Claims}
}

// An issuer signs tokens of whatever iss.
type issuer struct{ server *authserver.Server }

func newIssuer(t testing.TB) issuer {
	t.Helper()
	server, err := authserver.New("https://issuer.test", "RS256")
	require.NoError(t, err)
	return issuer{server}
}

// sign returns s as a token that was issued a minute ago, with its times as far
// apart as they are.
func (i issuer) sign(t testing.TB, s sample) string {
	t.Helper()
	all := maps.Clone(s.Claims)
	issued, ok := all["iat"].(float64)
	require.True(t, ok, "iat")
	for _, name := range []string{"iat", "nbf", "exp", "auth_time"} {
		if at, ok := all[name].(float64); ok {
			all[name] = time.Now().Add(-time.Minute).Unix() + int64(at-issued)
		}
	}
	header, err := json.Marshal(s.Header)
	require.NoError(t, err)
	payload, err := json.Marshal(all)
	require.NoError(t, err)
	raw, err := i.server.Sign(header, payload)
	require.NoError(t, err)
	return raw
}

// verifier returns one for cfg with the issuer's keys, so that iss is the
// provider's own.
func (i issuer) verifier(t testing.TB, configs ...verifier.Config) *verifier.Verifier {
	t.Helper()
	for n := range configs {
		configs[n].JWKS, configs[n].Keys = jwkscache.Config{}, oneKey{i.server.PublicKey()}
	}
	v, err := verifier.Settings{Logger: slog.New(slog.DiscardHandler)}.New(configs...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	return v
}

// oneKey is a KeySource with one key for whatever is asked.
type oneKey struct{ key crypto.PublicKey }

func (k oneKey) Lookup(context.Context, jwkscache.Query) ([]crypto.PublicKey, error) {
	return []crypto.PublicKey{k.key}, nil
}
