package jwkscache_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

func TestStoreConfig(t *testing.T) {
	dir, err := jwkscache.Directory(t.TempDir() + "/keys")
	require.NoError(t, err)
	short := secret[:31]
	for _, tc := range []struct {
		name string
		cfg  jwkscache.Config
		err  string // "" if it is good
	}{
		{"F1 no store", jwkscache.Config{}, ""},
		{"F1 a store with a secret", jwkscache.Config{Store: newMemory(), StoreSecrets: [][]byte{secret}}, ""},
		{"F1 a store with two secrets", jwkscache.Config{Store: newMemory(), StoreSecrets: [][]byte{secret, secret}}, ""},
		{"F1 a store without secrets, by name", jwkscache.Config{Store: newMemory(), UnauthenticatedStore: true}, ""},
		{"F1 a directory without secrets", jwkscache.Config{Store: dir}, ""},
		{"F1 a directory with a secret", jwkscache.Config{Store: dir, StoreSecrets: [][]byte{secret}}, ""},
		{"F1 a store without secrets", jwkscache.Config{Store: newMemory()}, "UnauthenticatedStore"},
		{"F1 a store with an empty list of secrets", jwkscache.Config{Store: newMemory(), StoreSecrets: [][]byte{}}, "StoreSecrets"},
		{"F1 a directory that is hidden by another type", jwkscache.Config{Store: &switched{Store: dir}}, "UnauthenticatedStore"},
		{"F1 a short secret", jwkscache.Config{Store: newMemory(), StoreSecrets: [][]byte{short}}, "StoreSecrets[0] has 31 bytes"},
		{"F1 a short second secret", jwkscache.Config{Store: newMemory(), StoreSecrets: [][]byte{secret, nil}}, "StoreSecrets[1] has 0 bytes"},
		{"F1 a short secret for a directory", jwkscache.Config{Store: dir, StoreSecrets: [][]byte{short}}, "StoreSecrets[0]"},
		{"F1 a secret without a store", jwkscache.Config{StoreSecrets: [][]byte{secret}}, "no Store"},
		{"F1 UnauthenticatedStore without a store", jwkscache.Config{UnauthenticatedStore: true}, "no Store"},
		{"F1 a secret and none", jwkscache.Config{Store: newMemory(), StoreSecrets: [][]byte{secret}, UnauthenticatedStore: true}, "both"},
	} {
		t.Run(tc.name, inBubble(func(t *testing.T) {
			c, err := jwkscache.ForURL(jwksURL, configFor(newServer(publish(newKey("a"))), tc.cfg))
			if tc.err == "" {
				opened(t, c, err)
				return
			}
			require.ErrorContains(t, err, tc.err)
			require.Nil(t, c)
		}))
	}

	t.Run("F1 not for files", func(t *testing.T) {
		_, err := jwkscache.ForFile(t.TempDir(), jwkscache.Config{Store: dir})
		assert.ErrorContains(t, err, "Store")
	})

	t.Run("F1 the secrets are copied", inBubble(func(t *testing.T) {
		st, s, own := newMemory(), newServer(publish(newKey("a"))), slices.Clone(secret)
		cfg := jwkscache.Config{Store: st, StoreSecrets: [][]byte{own}}
		c, err := jwkscache.ForURL(jwksURL, configFor(s, cfg))
		clear(own)
		opened(t, c, err)
		assert.Zero(t, open(t, s, shared(st)).Stats().Store.Failures)
	}))

	t.Run("F1 nothing is kept without a store", inBubble(func(t *testing.T) {
		c := open(t, newServer(publish(newKey("a"))), jwkscache.Config{})
		assert.Equal(t, jwkscache.StoreStats{}, c.Stats().Store)
		assert.False(t, c.KeepsDocuments())
	}))
}

func TestStoreNames(t *testing.T) {
	t.Run("F2 the name has the version, and depends on what is configured", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(newKey("a")))
		const issuer = "https://issuer.example"
		s.at(issuer+"/.well-known/openid-configuration", reply(http.StatusOK, `{"issuer":"`+issuer+`","jwks_uri":"`+jwksURL+`"}`))
		s.at("https://metadata.example", reply(http.StatusOK, `{"issuer":"`+issuer+`","jwks_uri":"`+jwksURL+`"}`))
		s.at(jwksURL+"2", publish(newKey("a")))

		open(t, s, shared(st))
		c, err := jwkscache.ForURL(jwksURL+"2", configFor(s, shared(st)))
		opened(t, c, err)
		openIssuer(t, s, issuer, shared(st))
		cfg := shared(st)
		cfg.MetadataURL = "https://metadata.example"
		openIssuer(t, s, issuer, cfg)
		openIssuer(t, s, issuer, shared(st)) // adopts

		assert.Len(t, st.docs, 4)
		for name := range st.docs {
			assert.Regexp(t, `^v1-[0-9a-f]{64}$`, name)
		}
		assert.Equal(t, 4, st.saves)
		require.False(t, strings.Contains(st.name(), "issuer"))
	}))
}
