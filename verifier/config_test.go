package verifier_test

import (
	"context"
	"crypto"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// KeySources of other kinds than pointers.
type (
	keyFunc  func(context.Context, jwkscache.Query) ([]crypto.PublicKey, error)
	keyList  []crypto.PublicKey
	keyTable map[string]crypto.PublicKey
	keyQueue chan crypto.PublicKey
	keyValue struct{}
)

func (f keyFunc) Lookup(ctx context.Context, q jwkscache.Query) ([]crypto.PublicKey, error) {
	return f(ctx, q)
}
func (keyList) Lookup(context.Context, jwkscache.Query) ([]crypto.PublicKey, error)  { return nil, nil }
func (keyTable) Lookup(context.Context, jwkscache.Query) ([]crypto.PublicKey, error) { return nil, nil }
func (keyQueue) Lookup(context.Context, jwkscache.Query) ([]crypto.PublicKey, error) { return nil, nil }
func (keyValue) Lookup(context.Context, jwkscache.Query) ([]crypto.PublicKey, error) { return nil, nil }

func TestNew(t *testing.T) {
	type cfg = set
	rules := func(r ...verifier.Rule) func(*cfg) { return func(c *cfg) { c.Rules = r } }
	secret := func(n int) []byte { return []byte(strings.Repeat("s", n)) }
	withSecret := func(n int, algs ...string) func(*cfg) {
		return func(c *cfg) { c.Keys, c.SharedSecrets, c.Algorithms = nil, [][]byte{secret(n)}, algs }
	}
	anyAudience := func(r ...verifier.Rule) func(*cfg) {
		return func(c *cfg) { c.Audiences, c.AnyAudience, c.Rules = nil, true, r }
	}
	machine := func(r verifier.Rule) func(*cfg) { return func(c *cfg) { c.Claims.ClientCredentials = r } }
	var nilCache *jwkscache.Cache
	var nilKeys *keyMap
	var nilFunc keyFunc
	var nilList keyList
	var nilTable keyTable
	var nilQueue keyQueue
	tests := []struct {
		name   string
		change func(*cfg)
		says   string // in the error; "": good
	}{
		{"as it is", func(*cfg) {}, ""},
		{"C1 no Issuer", func(c *cfg) { c.Issuer = "" }, "Issuer"},
		{"C1 Issuer that is no URL, with Keys", func(c *cfg) { c.Issuer = "any text" }, ""},
		{"C1 Issuer that is no URL, without Keys", func(c *cfg) { c.Issuer, c.Keys = "any text", nil }, "URL"},
		{"C1 Issuer by http", func(c *cfg) { c.Issuer, c.Keys = "http://login.example.com", nil }, "http"},
		{"C1 Issuer by http to loopback", func(c *cfg) { c.Issuer, c.Keys = "http://127.0.0.1:1", nil }, ""},
		{"C1 Issuer by http, allowed", func(c *cfg) {
			c.Issuer, c.Keys, c.JWKS.AllowHTTP = "http://login.invalid", nil, true
		}, ""},
		{"C1 Issuer that is no URL, with the address of its metadata", func(c *cfg) {
			c.Issuer, c.Keys, c.JWKS.MetadataURL = "any text", nil, "https://login.invalid/metadata"
		}, ""},
		{"C2 no Audiences", func(c *cfg) { c.Audiences = nil }, "Audiences"},
		{"C2 empty Audiences", func(c *cfg) { c.Audiences = []string{} }, "Audiences"},
		{"C7 an empty audience", func(c *cfg) { c.Audiences = []string{api, ""} }, "empty string"},
		{"C2 AnyAudience with Client", anyAudience(verifier.Client("a")), ""},
		{"C2 AnyAudience with Client among others", anyAudience(verifier.Scope("a"), verifier.Client("a")), ""},
		{"C2 AnyAudience without rules", anyAudience(), "AnyAudience needs a rule in Rules"},
		{"C2 AnyAudience with another rule", anyAudience(verifier.Scope("a")), ""},
		{"C2 AnyAudience and Audiences", func(c *cfg) { c.AnyAudience, c.Rules = true, []verifier.Rule{verifier.Client("a")} }, "AnyAudience"},
		{"C7 an empty type stands for none", func(c *cfg) { c.Types = []string{""} }, ""},
		{"C7 Types empty", func(c *cfg) { c.Types = []string{} }, "Types"},
		{"C3 MaxLifetime negative", func(c *cfg) { c.MaxLifetime = -time.Hour }, "MaxLifetime"},
		{"C3 MaxLifetime without its unit", func(c *cfg) { c.MaxLifetime = 3600 }, "unit"},
		{"C3 MaxLifetime just under a second", func(c *cfg) { c.MaxLifetime = time.Second - 1 }, "unit"},
		{"C3 MaxLifetime of a second", func(c *cfg) { c.MaxLifetime = time.Second }, ""},
		{"C7 an empty name for the client", func(c *cfg) { c.Claims.ClientID = []string{"a", ""} }, "Claims.ClientID: the name is empty"},
		{"C7 an empty name for scopes", func(c *cfg) { c.Claims.Scopes = []string{""} }, "Claims.Scopes: the name is empty"},
		{"C7 an empty name for roles", func(c *cfg) { c.Claims.Roles = []string{""} }, "Claims.Roles: the name is empty"},
		{"C9 a JSON Pointer", func(c *cfg) { c.Claims.Roles = []string{"/a~0~1b/c"} }, ""},
		{"C9 a JSON Pointer with another escape", func(c *cfg) { c.Claims.Roles = []string{"/a~2"} }, "JSON Pointer"},
		{"C9 a JSON Pointer that ends in ~", func(c *cfg) { c.Claims.ClientID = []string{"/a~"} }, "JSON Pointer"},
		{"Keys a nil *Cache", func(c *cfg) { c.Keys = nilCache }, "Keys"},
		{"Keys a nil pointer", func(c *cfg) { c.Keys = nilKeys }, "Keys"},
		{"Keys a nil function", func(c *cfg) { c.Keys = nilFunc }, "Keys"},
		{"Keys a nil list", func(c *cfg) { c.Keys = nilList }, "Keys"},
		{"Keys a nil map", func(c *cfg) { c.Keys = nilTable }, "Keys"},
		{"Keys a nil channel", func(c *cfg) { c.Keys = nilQueue }, "Keys"},
		{"Keys a value", func(c *cfg) { c.Keys = keyValue{} }, ""},
		{"Keys a function", func(c *cfg) { c.Keys = keyFunc(keyValue{}.Lookup) }, ""},
		{"Keys and JWKS", func(c *cfg) { c.JWKS.AllowHTTP = true }, "JWKS"},
		{"Keys and JWKS.Uses", func(c *cfg) { c.JWKS.Uses = []string{"jwt-svid"} }, "JWKS"},
		{"Keys and JWKS.Refresh", func(c *cfg) { c.JWKS.Refresh = 1 }, "JWKS"},
		{"JWKS with a negative period", func(c *cfg) { c.Keys, c.JWKS.Refresh = nil, -1 }, "negative"},
		{"A1 SharedSecret and Keys", func(c *cfg) { c.SharedSecrets = [][]byte{secret(32)} }, "SharedSecret"},
		{"A1 SharedSecret and JWKS", func(c *cfg) { c.Keys, c.SharedSecrets, c.JWKS.AllowHTTP = nil, [][]byte{secret(32)}, true }, "SharedSecret"},
		{"A1 SharedSecret of 32 bytes", withSecret(32), ""},
		{"A1 SharedSecret of 31 bytes", withSecret(31), "32 bytes"},
		{"A1 SharedSecrets with an empty one", func(c *cfg) { c.Keys, c.SharedSecrets = nil, [][]byte{secret(32), {}} }, "SharedSecrets[1] has 0 bytes"},
		{"A1 SharedSecrets empty", func(c *cfg) { c.Keys, c.SharedSecrets = nil, [][]byte{} }, "SharedSecrets is empty"},
		{"A1 SharedSecrets, one too short for any algorithm", func(c *cfg) { c.Keys, c.SharedSecrets = nil, [][]byte{secret(64), secret(31)} }, "32 bytes"},
		{"A1 SharedSecrets, one too short for the only algorithm", func(c *cfg) {
			c.Keys, c.SharedSecrets, c.Algorithms = nil, [][]byte{secret(64), secret(32)}, []string{"HS512"}
		}, "SharedSecrets[1] has 32 bytes"},
		{"A1 SharedSecrets, four", func(c *cfg) { c.Keys, c.SharedSecrets = nil, [][]byte{secret(32), secret(33), secret(34), secret(35)} }, ""},
		{"A1 SharedSecrets, five", func(c *cfg) {
			c.Keys, c.SharedSecrets = nil, [][]byte{secret(32), secret(33), secret(34), secret(35), secret(36)}
		}, "at most 4"},
		{"C3 Leeway without its unit", func(c *cfg) { c.Leeway = 60 }, "unit"},
		{"C3 Leeway of a millisecond", func(c *cfg) { c.Leeway = time.Millisecond }, ""},
		{"A1 SharedSecret too short for HS384", withSecret(47, "HS384"), "HS384"},
		{"A1 SharedSecret long enough for HS384", withSecret(48, "HS384"), ""},
		{"A1 SharedSecret too short for HS512", withSecret(63, "HS512"), "HS512"},
		{"A1 SharedSecret long enough for HS512", withSecret(64, "HS512"), ""},
		{"A1 SharedSecret with RS256", withSecret(64, "RS256"), `"RS256" does not use SharedSecrets`},
		{"A1 SharedSecret with none", withSecret(64, "none"), "none"},
		{"A1 Algorithms of public keys", func(c *cfg) { c.Algorithms = jwttest.Asymmetric }, ""},
		{"A1 Algorithms with HS256", func(c *cfg) { c.Algorithms = []string{"RS256", "HS256"} }, "HS256"},
		{"A1 Algorithms with none", func(c *cfg) { c.Algorithms = []string{"RS256", "none"} }, "never accepted"},
		{"A1 Algorithms that need a secret", func(c *cfg) { c.Algorithms = []string{"HS256"} }, "needs SharedSecrets"},
		{"A1 an algorithm that no secret is long enough for", withSecret(32, "HS256", "HS512"), "needs a secret of at least 64 bytes"},
		{"A1 Algorithms in another case", func(c *cfg) { c.Algorithms = []string{"rs256"} }, "rs256"},
		{"A1 Algorithms unknown", func(c *cfg) { c.Algorithms = []string{"ES256K"} }, "ES256K"},
		{"A1 Algorithms empty string", func(c *cfg) { c.Algorithms = []string{""} }, `""`},
		{"C3 Leeway of 5 minutes", func(c *cfg) { c.Leeway = 5 * time.Minute }, ""},
		{"C3 Leeway of more", func(c *cfg) { c.Leeway = 5*time.Minute + 1 }, "Leeway"},
		{"X3 MaxTokenLength negative", func(c *cfg) { c.MaxTokenLength = -1 }, "MaxTokenLength"},
		{"R1 Realm", func(c *cfg) { c.Realm = "my API, v2" }, ""},
		{"R1 Realm with a quotation mark", func(c *cfg) { c.Realm = `a"b` }, "Realm"},
		{"R1 Realm with a backslash", func(c *cfg) { c.Realm = `a\b` }, "Realm"},
		{"R1 Realm with a newline", func(c *cfg) { c.Realm = "a\r\nX: y" }, "Realm"},
		{"R1 Realm with DEL", func(c *cfg) { c.Realm = "a\x7f" }, "Realm"},
		{"R1 Realm with a control character", func(c *cfg) { c.Realm = "a\x1f" }, "Realm"},
		{"R1 Realm beyond ASCII", func(c *cfg) { c.Realm = "é" }, "Realm"},
		{"C11 a nil rule", rules(verifier.Scope("a"), nil), "nil"},
		{"C11 Audience not configured", rules(verifier.Audience("x")), "Audience"},
		{"C11 Issuer not this one", rules(verifier.Issuer("x")), "Issuer"},
		{"C11 Client", rules(verifier.Client("x")), ""},
		{"C9 a preset for machines", machine(verifier.Claim("idtyp", "app")), ""},
		{"C9 a preset that asks itself", machine(verifier.ClientCredentials()), "ClientCredentials"},
		{"C9 a preset of an audience not configured", machine(verifier.Audience("x")), "Audience"},
		{"TokenCache", func(c *cfg) { c.TokenCache = -1 }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newSet()
			tt.change(&c)
			v, err := c.Settings.New(c.Config)
			if tt.says == "" {
				require.NoError(t, err)
				require.NoError(t, v.Close())
				return
			}
			require.Error(t, err)
			assert.Nil(t, v)
			assert.True(t, strings.HasPrefix(err.Error(), "verifier: ") || strings.HasPrefix(err.Error(), "jwkscache: "), err)
			assert.Contains(t, err.Error(), tt.says)
			assert.NotContains(t, err.Error(), "ssss", "the secret")
		})
	}
}

func TestSharedSecret(t *testing.T) {
	all := []byte(strings.Repeat("0123456789abcdef", 4))
	for n, algs := range map[int][]string{
		32: {"HS256"}, 47: {"HS256"}, 48: {"HS256", "HS384"}, 63: {"HS256", "HS384"}, 64: {"HS256", "HS384", "HS512"},
	} {
		v := newVerifier(t, verifier.Config{Issuer: issuer, Audiences: []string{api}, SharedSecrets: [][]byte{all[:n]}})
		require.NoError(t, v.Ready(ctx))
		require.NoError(t, v.Health())
		for _, alg := range []string{"HS256", "HS384", "HS512"} {
			s := hmacSigner(alg, all[:n])
			t.Run("A1 "+alg+" with "+string(rune('0'+n/10))+string(rune('0'+n%10))+" bytes", func(t *testing.T) {
				_, err := v.Verify(ctx, s.good())
				if !strings.Contains(strings.Join(algs, " "), alg) {
					assertRefused(t, verifier.ErrAlgorithm, err)
					return
				}
				require.NoError(t, err)
				verified(t, v, s.as(alg, "").token(members{"kid": ""}, nil))
				verified(t, v, s.as(alg, "any").good())
				signed := s.unsigned()
				mac := s.Signature(signed)
				for name, raw := range map[string]string{
					"another secret":   hmacSigner(alg, []byte("another secret of thirty-two bytes")).good(),
					"an empty secret":  hmacSigner(alg, nil).good(),
					"a secret cut off": hmacSigner(alg, all[:n-1]).good(),
					"a MAC cut off":    jwttest.Attach(signed, mac[:len(mac)-1]),
					"half a MAC":       jwttest.Attach(signed, mac[:len(mac)/2]),
					"a MAC and more":   jwttest.Attach(signed, append(mac[:len(mac):len(mac)], 0)),
					"a flipped bit":    jwttest.Attach(signed, flip(mac, len(mac)-1)),
				} {
					_, err := v.Verify(ctx, raw)
					assertRefused(t, verifier.ErrSignature, err)
					assert.Error(t, err, name)
				}
			})
		}
		for _, alg := range jwttest.Asymmetric {
			t.Run("A1 nothing but HS*: "+alg, func(t *testing.T) {
				_, err := v.Verify(ctx, signerOf(alg).good())
				assertRefused(t, verifier.ErrAlgorithm, err)
			})
		}
	}
	t.Run("A1 the cause names the secrets", func(t *testing.T) {
		v := newVerifier(t, verifier.Config{Issuer: issuer, Audiences: []string{api}, SharedSecrets: [][]byte{all}})
		_, err := v.Verify(ctx, hmacSigner("HS256", []byte("another secret of thirty-two bytes")).good())
		assert.ErrorContains(t, err, "none of the SharedSecrets verifies the HS256 signature")
	})
	t.Run("A1 a named algorithm alone", func(t *testing.T) {
		v := newVerifier(t, verifier.Config{
			Issuer: issuer, Audiences: []string{api}, SharedSecrets: [][]byte{all}, Algorithms: []string{"HS512"},
		})
		verified(t, v, hmacSigner("HS512", all).good())
		_, err := v.Verify(ctx, hmacSigner("HS256", all).good())
		assertRefused(t, verifier.ErrAlgorithm, err)
	})
}

func TestSecretRotation(t *testing.T) {
	older, newer := []byte(strings.Repeat("o", 64)), []byte(strings.Repeat("n", 32))
	v := newVerifier(t, verifier.Config{Issuer: issuer, Audiences: []string{api}, SharedSecrets: [][]byte{newer, older}})
	for _, row := range []struct {
		alg    string
		secret []byte
		reason error // nil: good
	}{
		{"HS256", older, nil},
		{"HS256", newer, nil},
		{"HS512", older, nil},
		{"HS512", newer, verifier.ErrSignature}, // it is too short for that
		{"HS256", []byte(strings.Repeat("x", 32)), verifier.ErrSignature},
	} {
		for _, kid := range []string{"", "any"} {
			t.Run(fmt.Sprintf("A1 %s with %.1s, kid %q", row.alg, row.secret, kid), func(t *testing.T) {
				raw := hmacSigner(row.alg, row.secret).as(row.alg, kid).good()
				if row.reason == nil {
					verified(t, v, raw)
					verified(t, v, raw) // remembered
					return
				}
				_, err := v.Verify(ctx, raw)
				assertRefused(t, row.reason, err)
			})
		}
	}
	t.Run("A1 the secrets are copied", func(t *testing.T) {
		copy(newer, "changed after New")
		verified(t, v, hmacSigner("HS256", []byte(strings.Repeat("n", 32))).good())
	})
}

func TestAnyAudience(t *testing.T) {
	v, _ := setup(t, func(cfg *set) {
		cfg.Audiences, cfg.AnyAudience, cfg.Rules = nil, true, []verifier.Rule{verifier.Client("billing")}
	})
	s := signerOf("ES256")
	for _, aud := range []string{"", `"x"`, `[]`, `[""]`, `["x","y"]`} {
		t.Run("C2 aud "+aud, func(t *testing.T) {
			verified(t, v, s.token(nil, members{"aud": aud}))
			_, err := v.Verify(ctx, s.token(nil, members{"aud": aud, "client_id": `"x"`}))
			assertRefused(t, verifier.ErrDenied, err)
			_, err = v.Verify(ctx, s.token(nil, members{"aud": aud, "client_id": ""}))
			assertRefused(t, verifier.ErrDenied, err)
		})
	}
	_, err := v.Verify(ctx, s.token(nil, members{"aud": "1"}))
	assertRefused(t, verifier.ErrClaims, err)
	panicText(t, func() { v.Protect(verifier.Audience("x")) })
}

func TestNewDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := verifiertest.NewIssuer(t)
		iss.Hang()
		start := time.Now()
		v := iss.Verifier(api)
		assert.Zero(t, time.Since(start))
		assert.ErrorIs(t, v.Health(), jwkscache.ErrUnavailable)
		iss.Heal()
		require.NoError(t, v.Ready(ctx))
		require.NoError(t, v.Health())
	})
}
