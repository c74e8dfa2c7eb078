package jwkscache_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// saved returns what a cache of s's keys saves.
func saved(t *testing.T, s *server) []byte {
	t.Helper()
	st := newMemory()
	require.NoError(t, openIssuer(t, s, sharedIssuer, shared(st)).Close())
	require.NotNil(t, st.document())
	return st.document()
}

func TestDocument(t *testing.T) {
	a, b := newKey("a"), newKey("b")
	otherSecret := bytes.Repeat([]byte{'x'}, 32)

	t.Run("F2 any byte changed, or cut off anywhere", inBubble(func(t *testing.T) {
		doc := saved(t, newSharedIssuer(publish(a)))
		require.NoError(t, jwkscache.OpenDocument(doc, sharedIssuer, secret))
		for i := range doc {
			changed := slices.Clone(doc)
			changed[i] ^= 1
			require.Error(t, jwkscache.OpenDocument(changed, sharedIssuer, secret), "byte %d", i)
			require.Error(t, jwkscache.OpenDocument(doc[:i], sharedIssuer, secret), "the first %d bytes", i)
		}
		require.Error(t, jwkscache.OpenDocument(append(doc, 0), sharedIssuer, secret))
		require.Error(t, jwkscache.OpenDocument(doc, "https://other.example", secret))
		require.Error(t, jwkscache.OpenDocument(doc, sharedIssuer, otherSecret))
		require.Error(t, jwkscache.OpenDocument(doc, sharedIssuer))
		require.NoError(t, jwkscache.OpenDocument(doc, sharedIssuer, otherSecret, secret))
	}))

	edit := func(field string, value any) func([]byte) []byte {
		return func(doc []byte) []byte { return jwkscache.EditDocument(doc, secret, field, value) }
	}
	metadata := func(members string) string {
		return `{"issuer":"` + sharedIssuer + `","jwks_uri":"` + jwksURL + `"` + members + `}`
	}
	long := strings.Repeat(" ", 512<<10)
	bad := []struct {
		name  string
		spoil func([]byte) []byte
		err   string
	}{
		{"F2 rubbish", func([]byte) []byte { return []byte("rubbish") }, "not a document"},
		{"F2 one byte", func([]byte) []byte { return []byte{0} }, "not a document"},
		{"F2 2 MiB of rubbish", func([]byte) []byte { return make([]byte, 2<<20) }, "a document of 2097152 bytes"},
		{"F2 half a document", func(d []byte) []byte { return d[:len(d)/2] }, "was changed"},
		{"F2 a changed byte", func(d []byte) []byte { d[len(d)/2] ^= 1; return d }, "was changed"},
		{"F2 a changed authenticator", func(d []byte) []byte { d[len(d)-1] ^= 1; return d }, "was changed"},
		{"F2 a newer version", func(d []byte) []byte { d[8]++; return d }, "version 2"},
		{"F2 another kind", func(d []byte) []byte { d[9] = 'F'; return d }, "kind 'F'"},
		{"F2 another secret", edit("secret", otherSecret), "not in StoreSecrets"},
		{"F2 another issuer", edit("issuer", "https://other.example"), `is about "https://other.example"`},
		{"F2 another address of metadata", edit("metadataURL", "https://other.example"), "is about"},
		{"F2 metadata of another issuer", edit("metadata", `{"issuer":"https://other.example","jwks_uri":"`+jwksURL+`"}`), "the document's issuer"},
		{"F2 metadata with another address", edit("metadata", `{"issuer":"`+sharedIssuer+`","jwks_uri":"https://other.example"}`), "keys from"},
		{"F2 metadata with an http address", edit("metadata", `{"issuer":"`+sharedIssuer+`","jwks_uri":"http://issuer.example/jwks"}`), "not https"},
		{"F2 no metadata", edit("metadata", ""), "not a metadata document"},
		{"F2 metadata of half a MiB", edit("metadata", metadata(`,"x":"`+long+`"`)), "metadata of"},
		{"F2 another address", edit("address", "https://other.example"), "keys from"},
		{"F2 an empty key set", edit("keys", `{"keys":[]}`), "no usable key"},
		{"F2 a page instead of keys", edit("keys", "<html>"), "not a JWK Set"},
		{"F2 a key set of half a MiB", edit("keys", rawSet(a.jwk.String())+long), "a key set of"},
		{"F2 keys that are too old", edit("createdAt", time.Date(1999, 12, 1, 0, 0, 0, 0, time.UTC)), "MaxStale"},
		{"F2 keys from before all time", edit("createdAt", time.Unix(0, -1<<63)), "MaxStale"},
		{"F2 metadata that is too old", edit("metadataCreatedAt", time.Date(1999, 12, 1, 0, 0, 0, 0, time.UTC)), "MaxStale"},
	}
	for _, tc := range bad {
		t.Run(tc.name, inBubble(func(t *testing.T) {
			st, s := newMemory(), newSharedIssuer(publish(a))
			require.NoError(t, openIssuer(t, s, sharedIssuer, shared(st)).Close())
			st.put(tc.spoil(slices.Clone(st.document())))
			spoiled := st.document()
			pass(time.Minute)

			s.serve(slow(time.Second, publish(b)))
			l, j := new(listener), new(journal)
			cfg := shared(st)
			cfg.Observe, cfg.Logger = l.observe, j.logger()
			c := openIssuer(t, s, sharedIssuer, cfg)
			require.NoError(t, c.Ready(t.Context()))
			keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
			require.NoError(t, err)
			require.Nil(t, keys)
			serves(t, c, b)
			assert.Equal(t, 1, j.count("WARN", "Store"), j.text())
			require.ErrorContains(t, c.Stats().Store.LastError, tc.err)
			assert.NotEqual(t, spoiled, st.document(), "it was not replaced")
			pass(70 * time.Second)
			assert.NoError(t, c.Stats().Store.LastError)
			assert.Equal(t, "store_failed/0 refreshed/1 refreshed/1 store_healed/1", l.heard())

			st.put(spoiled) // into the store of one that has keys
			pass(time.Minute)
			serves(t, c, b)
			assert.NotEqual(t, spoiled, st.document())
		}))
	}

	t.Run("F2 keys of another secret do no harm, also where two fleets share a Store", inBubble(func(t *testing.T) {
		st, s, j := newMemory(), newSharedIssuer(publish(a)), new(journal)
		cfg := shared(st)
		cfg.Logger = j.logger()
		c := openIssuer(t, s, sharedIssuer, cfg)
		cfg.StoreSecrets = [][]byte{otherSecret}
		other := openIssuer(t, s, sharedIssuer, cfg)
		pass(hour)
		serves(t, c, a)
		serves(t, other, a)
		assert.LessOrEqual(t, j.count("WARN"), 10)
		assert.LessOrEqual(t, s.fetches(), 2+2*6)
	}))

	t.Run("F2 an older document is not adopted, and replaced", inBubble(func(t *testing.T) {
		st, s := newMemory(), newSharedIssuer(publish(a))
		c := openIssuer(t, s, sharedIssuer, shared(st))
		old := st.document()
		pass(2 * time.Minute)
		s.serve(publish(b))
		require.NoError(t, c.Refresh(t.Context()))
		pass(1)
		current := st.document()
		st.put(old)
		for range 30 {
			pass(time.Second)
			serves(t, c, b)
		}
		assert.Equal(t, current, st.document())
		assert.NoError(t, c.Stats().Store.LastError)
	}))

	t.Run("F2 secrets are replaced one after the other", inBubble(func(t *testing.T) {
		st, s := newMemory(), newSharedIssuer(publish(a))
		fresh := bytes.Repeat([]byte{'f'}, 32)
		for _, secrets := range [][][]byte{{secret}, {secret, fresh}, {fresh, secret}, {secret, fresh}, {fresh, secret}, {fresh}} {
			cfg := shared(st)
			cfg.StoreSecrets = secrets
			c := openIssuer(t, s, sharedIssuer, cfg)
			pass(time.Minute)
			assert.Zero(t, c.Stats().Store.Failures)
			require.NoError(t, c.Refresh(t.Context()))
			require.NoError(t, c.Close())
		}
		require.NoError(t, jwkscache.OpenDocument(st.document(), sharedIssuer, fresh))
	}))

	t.Run("F2 times in the future count as now, once", inBubble(func(t *testing.T) {
		st, s := newMemory(), newSharedIssuer(publish(a))
		require.NoError(t, openIssuer(t, s, sharedIssuer, shared(st)).Close())
		doc := st.document()
		for _, field := range []string{"createdAt", "metadataCreatedAt", "fetchedAt", "issuerTime"} {
			doc = jwkscache.EditDocument(doc, secret, field, time.Now().Add(1000*hour))
		}
		st.put(doc)
		s.serve(fail(500))
		c := openIssuer(t, s, sharedIssuer, shared(st))
		assert.Equal(t, time.Now(), c.Stats().LastSuccess.Local())
		assert.Zero(t, c.Stats().Store.Age)
		pass(24*hour - 1)
		serves(t, c, a)
		pass(1)
		cannotTell(t, c, "a")
	}))

	t.Run("F2 a document from the future is not the newest for longer than a minute", inBubble(func(t *testing.T) {
		st, s := newMemory(), newSharedIssuer(publish(a))
		other := openIssuer(t, s, sharedIssuer, shared(st))
		st.put(jwkscache.EditDocument(st.document(), secret, "issuerTime", time.Now().Add(1000*hour)))
		c := openIssuer(t, s, sharedIssuer, shared(st))
		pass(61 * time.Second)
		s.serve(publish(b))
		require.NoError(t, other.Refresh(t.Context()))
		pass(10 * time.Second)
		serves(t, c, b)
	}))

	t.Run("F2 the period is that of the response", inBubble(func(t *testing.T) {
		st, s := newMemory(), newSharedIssuer(reply(http.StatusOK, setOf(a), "Cache-Control", "max-age=3000", "Age", "600", "Cache-Control", "public"))
		first := openIssuer(t, s, sharedIssuer, shared(st))
		second := openIssuer(t, s, sharedIssuer, shared(st))
		assert.Equal(t, 40*time.Minute, first.Stats().Period)
		assert.Equal(t, 40*time.Minute, second.Stats().Period)
		assert.Equal(t, 1, s.fetches())
		s.serve(fail(500))
		pass(23*hour + 50*time.Minute - 1)
		serves(t, second, a)
		pass(1)
		cannotTell(t, second, "a")
	}))

	t.Run("F2 a header that is too long to be kept", inBubble(func(t *testing.T) {
		st, s := newMemory(), newSharedIssuer(reply(http.StatusOK, setOf(a), "Cache-Control", strings.Repeat("x,", 600)))
		c := openIssuer(t, s, sharedIssuer, shared(st))
		serves(t, c, a)
		assert.ErrorContains(t, c.Stats().Store.LastError, "header")
		assert.Empty(t, st.docs)
	}))
}

func TestSharedClocks(t *testing.T) {
	a, b := newKey("a"), newKey("b")
	dated := func(keys ...key) responder { // as every server with a clock does
		return func(r *http.Request) (*http.Response, error) {
			return reply(http.StatusOK, setOf(keys...), "Date", time.Now().UTC().Format(http.TimeFormat))(r)
		}
	}
	for _, skews := range [][]time.Duration{{30, 0, -30}, {-30, 0, 30}, {0, 30, -30}, {0, -30, 30}} {
		t.Run("F6 clocks that differ by 30 seconds", inBubble(func(t *testing.T) {
			st, s := newMemory(), newSharedIssuer(dated(a))
			var caches []*jwkscache.Cache
			for _, skew := range skews {
				c, err := jwkscache.ForIssuerSkewed(sharedIssuer, configFor(s, shared(st)), skew*time.Second)
				caches = append(caches, opened(t, c, err))
			}
			require.Equal(t, 1, s.fetches())
			pass(time.Minute)
			for i := range 30 {
				k := newKey("k")
				s.serve(dated(a, k))
				require.NoError(t, caches[i%3].Refresh(t.Context()))
				pass(10 * time.Second)
				for _, c := range caches {
					serves(t, c, k)
				}
			}
			before := s.fetches()
			pass(10 * 648 * time.Second)
			assert.InDelta(t, 10, s.fetches()-before, 3)
			s.serve(fail(500))
			pass(2 * hour)
			for _, c := range caches {
				serves(t, c, a)
			}
		}))
	}
	t.Run("F6 without a Date, one whose clock is ahead follows a little later", inBubble(func(t *testing.T) {
		st, s := newMemory(), newSharedIssuer(publish(a))
		ahead, err := jwkscache.ForIssuerSkewed(sharedIssuer, configFor(s, shared(st)), 30*time.Second)
		opened(t, ahead, err)
		pass(time.Second)
		c := openIssuer(t, s, sharedIssuer, shared(st))
		pass(40 * time.Second)
		s.serve(publish(b))
		require.NoError(t, c.Refresh(t.Context()))
		pass(10 * time.Second)
		serves(t, ahead, b)
		serves(t, c, b)
	}))
}

func FuzzDocument(f *testing.F) {
	st := newMemory()
	cfg := jwkscache.Config{Store: st, UnauthenticatedStore: true}
	c, err := jwkscache.ForIssuer(sharedIssuer, configFor(newSharedIssuer(publish(newKey("a"))), cfg))
	require.NoError(f, err)
	require.NoError(f, c.Ready(f.Context()))
	require.NoError(f, c.Refresh(f.Context())) // which begins when what was fetched first is saved
	require.NoError(f, c.Close())
	doc := st.document()
	f.Add(jwkscache.Contents(doc))
	f.Add(doc)
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, contents []byte) {
		_ = jwkscache.OpenDocument(contents, sharedIssuer)
		used, same := jwkscache.ParseContents(contents, sharedIssuer)
		assert.True(t, same, "a document that can be written in two ways")
		assert.False(t, used && len(contents) > 2<<20)
	})
}
