package dpop_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
)

// The normal form of each escape, and of addresses of which there is none.
func TestNormalForm(t *testing.T) {
	const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	for c := range 256 {
		want := fmt.Sprintf("https://h/x%%%02Xy", c)
		if strings.IndexByte(unreserved, byte(c)) >= 0 {
			want = "https://h/x" + string(rune(c)) + "y"
		}
		for _, form := range []string{"https://h/x%%%02Xy", "https://h/x%%%02xy"} {
			got, ok := dpop.Normal(fmt.Sprintf(form, c))
			assert.True(t, ok)
			assert.Equal(t, want, got, "B5")
		}
	}
	for uri, want := range map[string]string{
		"https://h/%41":            "https://h/A", // the escape ends the path
		"https://h/%2e":            "https://h/",
		"http://h:443/":            "http://h:443/",
		"https://h:80/":            "https://h:80/",
		"http://h:81":              "http://h:81/",
		"https://h:65535/":         "https://h:65535/",
		"https://a!$&'()*+,;=b/":   "https://a!$&'()*+,;=b/",
		"https://h/" + long(4086):  "https://h/" + long(4086),
		"https://h/?" + long(4085): "https://h/",
	} {
		got, ok := dpop.Normal(uri)
		assert.True(t, ok, "B5 %.80s", uri)
		assert.Equal(t, want, got)
	}
	for _, uri := range []string{
		"https://h/" + long(4087), "https://h:123456/", "https://h:080/", "https://h:8a/", "https://h:-1/",
		"https://[127.0.0.1]/", "https://[::1/", "https://[x]/", "https://[]/",
		`https://h/a\b`, "https://h/a b", "https://h/a\x7fb", "https://h/a\x1fb", "https://h/é",
		`https://h/?\`, "https://h/? ", "https://h/?é",
		"https://h/%", "https://h/%4", "https://h/%/1", "https://h/%1/", "https://h/%:1", "https://h/%1:",
		"https://h/%@1", "https://h/%1@", "https://h/%G1", "https://h/%1G", "https://h/%`1", "https://h/%1`",
		"https://h/%g1", "https://h/%1g",
	} {
		_, ok := dpop.Normal(uri)
		assert.False(t, ok, "B5 %.80q", uri)
	}
}

func long(n int) string { return strings.Repeat("x", n) }

// A part of a second counts, at both ends of the window.
func TestFractions(t *testing.T) {
	for _, row := range []struct {
		iat  func(now int64) string // half a second before now
		good bool
	}{
		{func(now int64) string { return fmt.Sprintf("%d.5", now-65) }, true},
		{func(now int64) string { return fmt.Sprintf("%d.4", now-65) }, false},
		{func(now int64) string { return fmt.Sprintf("%d.5", now+5) }, true},
		{func(now int64) string { return fmt.Sprintf("%d.6", now+5) }, false},
		{func(now int64) string { return fmt.Sprintf("%d.47", now+5) }, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newScene(t, dpop.Config{})
			time.Sleep(500 * time.Millisecond)
			a := s.attempt()
			a.claims["iat"] = row.iat(time.Now().Unix())
			if err := s.send(a.request()); row.good {
				require.Nil(t, err, "B2 %s", a.claims["iat"])
			} else {
				refused(t, err, verifier.ErrProof, "iat")
			}
		})
	}
}

// With nonces, iat must still be a date, and the other claims have their limits.
func TestFormWithNonces(t *testing.T) {
	cfg := dpop.Config{Origins: []string{api}, NonceSecrets: [][]byte{secret("a")}}
	for name, row := range map[string]struct {
		change func(*attempt)
		good   bool
	}{
		"the first date":         {func(a *attempt) { a.claims["iat"] = "0" }, true},
		"the last date":          {func(a *attempt) { a.claims["iat"] = "253402300799" }, true},
		"64 digits":              {func(a *attempt) { a.claims["iat"] = "1." + strings.Repeat("0", 62) }, true},
		"before the first date":  {func(a *attempt) { a.claims["iat"] = "-1" }, false},
		"after the last date":    {func(a *attempt) { a.claims["iat"] = "253402300800" }, false},
		"65 digits":              {func(a *attempt) { a.claims["iat"] = "1." + strings.Repeat("0", 63) }, false},
		"infinity":               {func(a *attempt) { a.claims["iat"] = "1e400" }, false},
		"a string":               {func(a *attempt) { a.claims["iat"] = `"1"` }, false},
		"no iat":                 {func(a *attempt) { a.claims["iat"] = "" }, false},
		"a proof of 8 KiB":       {func(a *attempt) { a.fill(8 << 10) }, true},
		"a proof of 8 KiB and 1": {func(a *attempt) { a.fill(8<<10 + 1) }, false},
		"an htu of 4,096 bytes":  {func(a *attempt) { a.claims["htu"] = text(api + "/orders?" + long(4096-len(api)-8)) }, true},
		"alg of jwk is null":     {func(a *attempt) { a.header["jwk"] = a.client.JWK(members{"alg": "null"}) }, true},
	} {
		t.Run("B2 "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, cfg)
				a := s.attempt()
				a.claims["nonce"] = text(dpop.NonceAt(cfg, time.Now()))
				row.change(a)
				if err := s.send(a.request()); row.good {
					require.Nil(t, err)
				} else {
					refused(t, err, verifier.ErrProof, "")
				}
			})
		})
	}
}

// fill makes the proof that long: a byte more or less of a claim is not always one of it.
func (a *attempt) fill(length int) {
	for i := 0; ; i++ {
		a.claims["x"] = text(strings.Repeat("x", i))
		p := a.proof()
		switch {
		case len(p) == length:
			a.fields = []string{p}
			return
		case len(p) > length:
			a.header["y"] = text(strings.Repeat("y", len(a.header["y"])))
			i = 0
		}
	}
}

// A nonce is what the comment of NonceSecrets promises to replicas, also of other
// releases: the HMAC of the slot and its length.
func TestNonceValue(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	m := hmac.New(sha256.New, secret("a"))
	m.Write([]byte("jwtguard DPoP nonce"))
	m.Write(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(2*time.Minute)), uint64(at.Unix()/120)))
	want := base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:18])
	assert.Equal(t, want, dpop.NonceAt(dpop.Config{Origins: []string{api}, NonceSecrets: [][]byte{secret("a")}, NonceLifetime: 4 * time.Minute}, at), "B8")
	assert.NotEqual(t, want, dpop.NonceAt(dpop.Config{Origins: []string{api}, NonceSecrets: [][]byte{secret("a")}, NonceLifetime: 2 * time.Minute}, at), "B8")
}

type lastStore struct{ until time.Time }

func (s *lastStore) Record(_ context.Context, _, _ [32]byte, until time.Time) (bool, error) {
	s.until = until
	return true, nil
}
func (*lastStore) Stats() dpop.ReplayStats { return dpop.ReplayStats{} }

// A proof is remembered to the last moment at which it could pass, and no longer.
func TestUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which begins at a whole minute
		store := &lastStore{}
		s := newScene(t, dpop.Config{Replays: store})
		require.Nil(t, s.send(s.attempt().request()))
		assert.Equal(t, time.Now().Add(65*time.Second).UnixNano(), store.until.UnixNano(), "B4")

		cfg := dpop.Config{Origins: []string{api}, Replays: store, NonceSecrets: [][]byte{secret("a")}, NonceLifetime: 2 * time.Minute}
		s = newScene(t, cfg)
		begin, nonce := time.Now(), dpop.NonceAt(cfg, time.Now())
		for range 2 {
			a := s.attempt()
			a.claims["nonce"] = text(nonce)
			require.Nil(t, s.send(a.request()))
			assert.Equal(t, begin.Add(2*time.Minute).UnixNano(), store.until.UnixNano(), "B4 in the slot of the nonce, and in the next")
			time.Sleep(time.Minute)
		}
	})
}

// The defaults are what the comments say, and the limits are themselves allowed.
func TestConfigLimits(t *testing.T) {
	long := [][]byte{secret("a")}
	for _, cfg := range []dpop.Config{
		{Window: time.Second}, {Window: 5 * time.Minute}, {Skew: 5 * time.Minute}, {Skew: -time.Hour},
		{NonceSecrets: long, NonceLifetime: 2 * time.Second}, {NonceSecrets: long, NonceLifetime: time.Hour},
	} {
		cfg.Origins = []string{api}
		_, err := dpop.New(cfg)
		assert.NoError(t, err, "B7 %v", cfg)
	}
	for _, cfg := range []dpop.Config{
		{Window: time.Second - 1}, {Window: 5*time.Minute + 1}, {Skew: 5*time.Minute + 1},
		{NonceSecrets: long, NonceLifetime: 2*time.Second - 1}, {NonceSecrets: long, NonceLifetime: time.Hour + 1},
	} {
		cfg.Origins = []string{api}
		_, err := dpop.New(cfg)
		assert.Error(t, err, "B7 %v", cfg)
	}
	at := time.Unix(1_800_000_000, 0)
	nonce := func(lifetime time.Duration) string {
		return dpop.NonceAt(dpop.Config{Origins: []string{api}, NonceSecrets: long, NonceLifetime: lifetime}, at)
	}
	assert.Equal(t, nonce(5*time.Minute), nonce(0), "B8 the default")
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, dpop.Config{Skew: -1})
		for seconds, good := range map[int64]bool{0: true, 1: false, -60: true, -61: false} {
			a := s.attempt()
			a.claims["iat"] = fmt.Sprint(time.Now().Unix() + seconds)
			assert.Equal(t, good, s.send(a.request()) == nil, "B2 no Skew, %d s", seconds)
		}
	})
}

// Coordinates that together have the right length are not those of the thumbprint.
func TestSplitCoordinates(t *testing.T) {
	point := jwkOf(jwttest.NewSigner("ES256"))
	part := func(name string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(strings.Split(strings.Split(point, `"`+name+`":"`)[1], `"`)[0])
		require.NoError(t, err)
		return b
	}
	x, y := part("x"), part("y")
	for _, n := range []int{1, 16, 31} {
		assert.False(t, dpop.Usable(fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":"%s","y":"%s"}`,
			jwttest.Encode(x[:n]), jwttest.Encode(append(x[n:len(x):len(x)], y...))), "ES256"), "B2")
	}
}

// A request that was made, not received, has no RequestURI.
func TestMadeRequest(t *testing.T) {
	for uri, want := range map[string]bool{"/orders": true, "/other": false} {
		synctest.Test(t, func(t *testing.T) {
			s := newScene(t, dpop.Config{})
			r := s.attempt().request()
			made, err := http.NewRequest("GET", api+uri, nil)
			require.NoError(t, err)
			made.Header = r.Header
			assert.Equal(t, want, s.send(made) == nil, "B5")
		})
	}
}

// Text of a proof in a cause is quoted and has at most 200 bytes, however it is escaped.
func TestR9Causes(t *testing.T) {
	quoted := regexp.MustCompile(`"(?:\\.|[^"\\])*"`)
	long := strings.Repeat("\U0001f600\x01", 50)
	for name, change := range map[string]func(*attempt){
		"htm":  func(a *attempt) { a.claims["htm"] = text(long) },
		"htu":  func(a *attempt) { a.claims["htu"] = text(api + "/" + long) },
		"Host": func(a *attempt) { a.host = long },
	} {
		t.Run("R9 "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, dpop.Config{Origins: []string{api, "https://b.example.com"}})
				a := s.attempt()
				change(a)
				refused(t, s.send(a.request()), verifier.ErrProof, `\U0001f600`)
				parts := quoted.FindAllString(s.send(a.request()).Error(), -1)
				require.NotEmpty(t, parts)
				for _, p := range parts {
					assert.LessOrEqual(t, len(p), 200)
				}
			})
		})
	}
}
