package providers_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Each preset admits its provider's tokens and nobody else's.
func TestMatrix(t *testing.T) {
	iss := newIssuer(t)
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(t, err)
	tokens := make(map[string]string) // of machines, by file
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".json")
		tokens[name] = iss.sign(t, readGolden(t, name).Machine)
	}
	for _, p := range presets() {
		t.Run("V4 "+p.name, func(t *testing.T) {
			v := iss.verifier(t, p.cfg)
			for name, raw := range tokens {
				tok, err := v.Verify(t.Context(), raw, verifier.ClientCredentials())
				if !slices.Contains(p.goldens, name) {
					refused(t, err, verifier.ErrIssuer, "iss is", name)
					continue
				}
				if assert.NoError(t, err, name) {
					assert.NotEmpty(t, tok.ClientID(), name)
				}
			}
		})
	}
	t.Run("V4 all in one Verifier", func(t *testing.T) {
		var configs []verifier.Config
		for _, p := range presets() {
			configs = append(configs, p.cfg)
		}
		v := iss.verifier(t, configs...)
		for name, raw := range tokens {
			_, err := v.Verify(t.Context(), raw, verifier.ClientCredentials())
			assert.NoError(t, err, name)
		}
	})
}

// Every golden file is somebody's, and every preset has one.
func TestEveryPresetIsInTheMatrix(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(t, err)
	var named []string
	for _, p := range presets() {
		require.NotEmpty(t, p.goldens, p.name)
		named = append(named, p.goldens...)
	}
	assert.Len(t, named, len(files))
	assert.ElementsMatch(t, constructors(t), slices.Sorted(func(yield func(string) bool) {
		for _, p := range presets() {
			yield(p.name)
		}
	}))
}

// The tokens that look like a machine's are refused, and the cause says why.
func TestNeighbours(t *testing.T) {
	iss, forger := newIssuer(t), newIssuer(t)
	for _, p := range presets() {
		v := iss.verifier(t, p.cfg)
		for _, name := range p.goldens {
			g := readGolden(t, name)
			check := func(what, raw string, reason error, says string) {
				t.Run(fmt.Sprintf("V5 %s: %s, %s", p.name, name, what), func(t *testing.T) {
					_, err := v.Verify(t.Context(), raw)
					refused(t, err, reason, says, what)
				})
			}
			for _, n := range append(common(p, g.Machine), p.alike...) {
				check(n.name, iss.sign(t, g.Machine.with(n.change)), n.reason, n.says)
			}
			for _, alg := range append([]string{"HS256", "none"}, p.algs...) {
				check("alg "+alg, iss.sign(t, g.Machine.headed("alg", alg)), verifier.ErrAlgorithm, "alg is")
			}
			for _, typ := range append([]string{"logout+jwt", "dpop+jwt"}, p.types...) {
				check("typ "+typ, iss.sign(t, g.Machine.headed("typ", typ)), verifier.ErrType, "typ is")
			}
			check("signed by another", forger.sign(t, g.Machine), verifier.ErrSignature, "no key")
			for _, other := range []struct {
				what, says string
				sample     *sample
			}{{"a user", p.user, g.User}, {"an ID token", p.idToken, g.IDToken}, {"a stranger", p.stranger, g.Stranger}} {
				require.Equal(t, other.says == "", other.sample == nil, "%s: %s", name, other.what)
				if other.sample != nil {
					check(other.what, iss.sign(t, *other.sample), nil, other.says)
				}
			}
		}
	}
}

// common are the neighbours of every provider's tokens.
func common(p preset, machine sample) []neighbour {
	own := p.cfg.Issuer
	slash := own + "/"
	if bare, ok := strings.CutSuffix(own, "/"); ok {
		slash = bare
	}
	all := []neighbour{
		{"another tenant", claims{"iss": p.tenant}, verifier.ErrIssuer, "iss is"},
		{"the wrong slash", claims{"iss": slash}, verifier.ErrIssuer, "the slash at the end"},
		{"expired", claims{"exp": machine.Claims["iat"].(float64) - 3600}, verifier.ErrExpired, "exp is"},
	}
	if !p.cfg.AnyAudience {
		all = append(all,
			neighbour{"another environment", claims{"aud": "https://staging.example.com"}, verifier.ErrAudience, "aud is"},
			neighbour{"without aud", claims{"aud": nil}, verifier.ErrAudience, "the token has no aud"})
	}
	return all
}

func refused(t *testing.T, err, reason error, says, what string) {
	t.Helper()
	if !assert.Error(t, err, what) {
		return
	}
	var e *verifier.Error
	require.ErrorAs(t, err, &e, what)
	assert.NotEqual(t, 500, e.Status(), what)
	assert.Contains(t, err.Error(), says, what)
	if reason != nil {
		assert.ErrorIs(t, err, reason, what)
	}
}

// What a preset demands stays, whatever is assigned to its fields.
func TestDemandsStay(t *testing.T) {
	iss := newIssuer(t)
	for _, p := range presets() {
		for how, assign := range map[string]func(*verifier.Config){
			"Rules nil":      func(c *verifier.Config) { c.Rules = nil },
			"Rules of one's": func(c *verifier.Config) { c.Rules = []verifier.Rule{verifier.NoClaim("no-such-claim")} },
			"Claims":         func(c *verifier.Config) { c.Claims = verifier.Claims{} },
			"Claims that admit all": func(c *verifier.Config) {
				c.Claims.ClientCredentials = verifier.NoClaim("no-such-claim")
			},
			"Types":             func(c *verifier.Config) { c.Types, c.Algorithms = nil, nil },
			"ClientID sub":      func(c *verifier.Config) { c.Claims.ClientID = []string{"sub"} },
			"ClientID azp":      func(c *verifier.Config) { c.Claims.ClientID = []string{"azp"} },
			"ClientID username": func(c *verifier.Config) { c.Claims.ClientID = []string{"username", "client_id"} },
		} {
			t.Run(fmt.Sprintf("V2 %s: %s", p.name, how), func(t *testing.T) {
				cfg := p.cfg
				assign(&cfg)
				v := iss.verifier(t, cfg)
				for _, name := range p.goldens {
					g := readGolden(t, name)
					for _, s := range []*sample{g.User, g.Stranger} {
						if s != nil {
							_, err := v.Verify(t.Context(), iss.sign(t, *s))
							assert.Error(t, err, name)
						}
					}
				}
			})
		}
	}
}
