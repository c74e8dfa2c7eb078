package jwkscache_test

import (
	"crypto/elliptic"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

func TestKeySetOfStats(t *testing.T) {
	a, b, ed := newKey("a"), newKey("b"), edKey("ed")
	rs := rsaKey("rs")
	rs.jwk = rs.jwk.with("use", "sig", "alg", "PS256")

	t.Run("K14 kid, type, algorithms, use and age of each usable key", inBubble(func(t *testing.T) {
		long := ecKey(strings.Repeat("k", 300), elliptic.P521())
		unused := key{jwk: b.jwk.with("use", "enc")}
		c, err := jwkscache.Static([]byte(setOf(a, unused, rs, ed, long)))
		require.NoError(t, err)
		assert.Equal(t, []jwkscache.KeyInfo{
			{KeyID: "a", Type: "EC P-256", Algorithms: []string{"ES256"}, FirstSeen: time.Now().Round(0)},
			{KeyID: "rs", Type: "RSA 2048", Algorithms: []string{"PS256"}, Use: "sig", FirstSeen: time.Now().Round(0)},
			{KeyID: "ed", Type: "Ed25519", Algorithms: []string{"EdDSA", "Ed25519"}, FirstSeen: time.Now().Round(0)},
			{KeyID: long.kid[:200], Type: "EC P-521", Algorithms: []string{"ES512"}, FirstSeen: time.Now().Round(0)},
		}, c.Stats().KeySet)
	}))

	ages := func(c *jwkscache.Cache) map[string]time.Duration {
		all := make(map[string]time.Duration)
		for _, k := range c.Stats().KeySet {
			all[k.KeyID+" "+k.Use] = time.Since(k.FirstSeen)
		}
		return all
	}

	t.Run("K14 a key is as old as the fetches that brought it without a gap", inBubble(func(t *testing.T) {
		s := newServer(fail(500))
		c := open(t, s, jwkscache.Config{})
		assert.Empty(t, c.Stats().KeySet)
		for _, step := range []struct {
			published responder
			want      map[string]time.Duration
		}{
			{publish(a), map[string]time.Duration{"a ": 0}},
			{publish(a), map[string]time.Duration{"a ": minute}},
			{publish(b, a), map[string]time.Duration{"a ": 2 * minute, "b ": 0}},
			{fail(500), map[string]time.Duration{"a ": 3 * minute, "b ": minute}},
			{publish(key{jwk: a.jwk.with("use", "sig", "alg", "ES256")}, b), map[string]time.Duration{"a sig": 4 * minute, "b ": 2 * minute}},
			{publish(b, b.named("a")), map[string]time.Duration{"a ": 0, "b ": 3 * minute}},
			{publish(a), map[string]time.Duration{"a ": 0}},
		} {
			s.serve(step.published)
			_ = c.Refresh(t.Context())
			assert.Equal(t, step.want, ages(c))
			pass(minute)
		}
	}))

	t.Run("K14 also of files", inBubble(func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "keys.json")
		require.NoError(t, os.WriteFile(file, []byte(setOf(a)), 0o600))
		c, err := jwkscache.ForFile(file, jwkscache.Config{})
		opened(t, c, err)
		require.NoError(t, c.Ready(t.Context()))
		pass(minute)
		require.NoError(t, os.WriteFile(file, []byte(setOf(a, b)), 0o600))
		require.NoError(t, c.Refresh(t.Context()))
		assert.Equal(t, map[string]time.Duration{"a ": minute, "b ": 0}, ages(c))
	}))

	t.Run("K14 whoever reads Stats allocates nothing for it", func(t *testing.T) {
		c, err := jwkscache.Static([]byte(setOf(a, b, ed)))
		require.NoError(t, err)
		assert.Zero(t, testing.AllocsPerRun(100, func() { c.Stats() }))
	})
}
