package ssf_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
	"github.com/seed-12ed5b1c/jwtguard/verifier/ssf"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func TestConfigErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // goroutines that are left over fail it
		iss := verifiertest.NewIssuer(t)
		first := func(f func(*ssf.Transmitter)) func(*ssf.Config) {
			return func(c *ssf.Config) { f(&c.Transmitters[0]) }
		}
		for want, change := range map[string]func(*ssf.Config){
			"no Transmitters":                       func(c *ssf.Config) { c.Transmitters = nil },
			"no Revoke":                             func(c *ssf.Config) { c.Revoke = nil },
			"so anybody could push":                 func(c *ssf.Config) { c.Authorization = nil },
			"value 2 of Authorization has 31 bytes": func(c *ssf.Config) { c.Authorization = []string{secret, secret[:31]} },
			"value 1 of":                            func(c *ssf.Config) { c.Authorization = []string{secret + " "} },
			"value 2 of":                            func(c *ssf.Config) { c.Authorization = []string{secret, secret + "\u00e9"} },
			"not printable":                         func(c *ssf.Config) { c.Authorization = []string{secret + "\x7f"} },
			"printable ASCII":                       func(c *ssf.Config) { c.Authorization = []string{"Bearer\x1f" + secret} },
			"an empty list in Events":               func(c *ssf.Config) { c.Events = []string{} },
			"string in Events":                      func(c *ssf.Config) { c.Events = []string{ssf.SessionRevoked, ""} },
			"verification or":                       func(c *ssf.Config) { c.Events = []string{stream + "verification"} },
			"or stream-updated":                     func(c *ssf.Config) { c.Events = []string{stream + "stream-updated"} },
			"negative MaxConcurrent":                func(c *ssf.Config) { c.MaxConcurrent = -1 },
			"no Issuer":                             first(func(tr *ssf.Transmitter) { tr.Issuer = "" }),
			"no Audiences":                          first(func(tr *ssf.Transmitter) { tr.Audiences = nil }),
			"or an empty string":                    first(func(tr *ssf.Transmitter) { tr.Audiences = []string{audience, ""} }),
			"a nil pointer in Keys":                 first(func(tr *ssf.Transmitter) { tr.Keys = (*jwkscache.Cache)(nil) }),
			"both Keys and JWKS":                    first(func(tr *ssf.Transmitter) { tr.Keys = &source{} }),
			`"HS256" in Algorithms`:                 first(func(tr *ssf.Transmitter) { tr.Algorithms = []string{"HS256"} }),
			"empty list in Algorithms":              first(func(tr *ssf.Transmitter) { tr.Algorithms = []string{} }),
			`"user" in`:                             first(func(tr *ssf.Transmitter) { tr.IgnoredMembers = []string{"session", "user"} }),
			`"application" in`:                      first(func(tr *ssf.Transmitter) { tr.IgnoredMembers = []string{"application"} }),
			`"format" in`:                           first(func(tr *ssf.Transmitter) { tr.IgnoredMembers = []string{"format"} }),
			`"" in IgnoredMembers`:                  first(func(tr *ssf.Transmitter) { tr.IgnoredMembers = []string{""} }),
			"JWKS.MetadataURL is needed": first(func(tr *ssf.Transmitter) {
				tr.Issuer, tr.JWKS.MetadataURL = "urn:example:idp", ""
			}),
			"jwkscache: ": first(func(tr *ssf.Transmitter) { tr.JWKS.MetadataURL = "http://idp.example.com/" }),
			`Transmitter 2 (issuer "https://issuer.test"): there is another`: func(c *ssf.Config) {
				c.Transmitters = append(c.Transmitters, c.Transmitters[0])
			},
			`Transmitter 2 (issuer "https://idp.example.com?a"): the Issuer is not`: func(c *ssf.Config) {
				c.Transmitters = append(c.Transmitters, ssf.Transmitter{Issuer: "https://idp.example.com?a", Audiences: []string{audience}})
			},
		} {
			cfg := configOf(iss)
			cfg.Revoke = func(context.Context, ...revocation.Entry) error { return nil }
			change(&cfg)
			_, err := ssf.New(cfg)
			require.ErrorContains(t, err, want, "S1 S2 S3")
			assert.True(t, strings.HasPrefix(err.Error(), "ssf: "), "%v", err)
			assert.NotContains(t, err.Error(), secret[7:30])
			assert.NotContains(t, err.Error(), "Transmitter 1 (", "where there is one")
		}
	})
}

// A recorder of addresses serves a transmitter's metadata and keys.
type metadata struct {
	iss   *verifiertest.Issuer
	as    string // issuer
	asked []string
}

func (m *metadata) RoundTrip(r *http.Request) (*http.Response, error) {
	m.asked = append(m.asked, r.URL.String())
	if !strings.Contains(r.URL.Path, "ssf-configuration") {
		return m.iss.HTTPClient().Transport.RoundTrip(r)
	}
	keys, err := m.iss.HTTPClient().Get(m.iss.URL() + "/.well-known/openid-configuration")
	if err != nil {
		return nil, err
	}
	var doc map[string]any
	if err := json.NewDecoder(keys.Body).Decode(&doc); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	_ = json.NewEncoder(w).Encode(map[string]any{"issuer": m.as, "jwks_uri": doc["jwks_uri"], "spec_version": "1_0"})
	res := w.Result()
	res.Request = r
	return res, nil
}

func TestDiscovery(t *testing.T) {
	for issuer, want := range map[string]string{
		"https://tr.example.com":                 "https://tr.example.com/.well-known/ssf-configuration",
		"https://tr.example.com/":                "https://tr.example.com/.well-known/ssf-configuration",
		"https://tr.example.com/issuer1":         "https://tr.example.com/.well-known/ssf-configuration/issuer1",
		"https://tr.example.com:8443/a/issuer1/": "https://tr.example.com:8443/.well-known/ssf-configuration/a/issuer1",
		"https://tr.example.com/a%2Fb":           "https://tr.example.com/.well-known/ssf-configuration/a%2Fb",
	} {
		t.Run("S4 "+issuer, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &metadata{as: issuer}
				s := newScene(t, func(c *ssf.Config) {
					m.iss = verifiertest.NewIssuer(t)
					c.Transmitters[0].Issuer = issuer
					c.Transmitters[0].JWKS = jwkscache.Config{HTTPClient: &http.Client{Transport: m}}
				})
				require.NotEmpty(t, m.asked)
				assert.Equal(t, want, m.asked[0])
				s.iss = m.iss
				s.accepted(s.push(s.set(members{"iss": text(issuer), "sub_id": opaque})), ssf.Applied)
			})
		})
	}
}

func TestIssuersWithoutAWellKnownPlace(t *testing.T) {
	for _, issuer := range []string{"urn:example:idp", "idp", "https://user@idp.example.com", "https://idp.example.com#a", "https://idp.example.com?a", "https://%"} {
		_, err := ssf.New(ssf.Config{
			Transmitters:  []ssf.Transmitter{{Issuer: issuer, Audiences: []string{audience}}},
			Authorization: []string{secret}, Revoke: (&scene{}).revoke,
		})
		require.ErrorContains(t, err, "the Issuer is not a URL of scheme, host and path", "S4 %s", issuer)
	}
}

func TestNothingPrintsSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cfg ssf.Config
		s := newScene(t, func(c *ssf.Config) { cfg = *c })
		const want = `Config(issuers=["https://issuer.test"])`
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			assert.Equal(t, want, fmt.Sprintf(format, cfg), "S10")
			assert.NotContains(t, fmt.Sprintf(format, *s.r), secret[7:], "S10")
		}
		for _, v := range []any{cfg, &cfg} {
			b, err := json.Marshal(v)
			require.NoError(t, err)
			var got string
			require.NoError(t, json.Unmarshal(b, &got))
			assert.Equal(t, want, got, "S10")
		}
	})
}

// The default key cache has the Logger of the Config, unless it has another.
func TestLoggerOfKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var own, of logs
		for _, row := range []struct {
			keys *slog.Logger
			want *logs
		}{{nil, &of}, {slog.New(slog.NewJSONHandler(&own, nil)), &own}} {
			iss := verifiertest.NewIssuer(t)
			iss.Fail(http.StatusInternalServerError)
			cfg := configOf(iss)
			cfg.Revoke = (&scene{}).revoke
			cfg.Logger, cfg.Transmitters[0].JWKS.Logger = slog.New(slog.NewJSONHandler(&of, nil)), row.keys
			r, err := ssf.New(cfg)
			require.NoError(t, err)
			synctest.Wait()
			require.NoError(t, r.Close())
			assert.Equal(t, 1, strings.Count(row.want.String(), "fetching the issuer's keys fails"), "S4")
		}
		assert.Equal(t, 1, strings.Count(of.String(), "\n"))
	})
}
