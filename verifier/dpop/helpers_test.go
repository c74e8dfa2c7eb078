package dpop_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

const api = "https://api.example.com"

type members = jwttest.Members

func text(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func seconds(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// jwkOf returns the public key of s without a kid.
func jwkOf(s *jwttest.Signer) string { return s.JWK(members{"kid": ""}) }

// thumbprint computes that of RFC 7638 from the members that it names.
func thumbprint(jwk string) string {
	var all map[string]string
	if err := json.Unmarshal([]byte(jwk), &all); err != nil {
		panic(err)
	}
	required := map[string][]string{"RSA": {"e", "kty", "n"}, "EC": {"crv", "kty", "x", "y"}, "OKP": {"crv", "kty", "x"}}[all["kty"]]
	maps.DeleteFunc(all, func(name, _ string) bool { return !slices.Contains(required, name) })
	canonical, err := json.Marshal(all) // sorts the names
	if err != nil {
		panic(err)
	}
	return hash(string(canonical))
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return jwttest.Encode(sum[:])
}

// A scene is an API, its issuer, a client with a key, and a token bound to that.
type scene struct {
	t      *testing.T
	v      *verifier.Verifier
	iss    *verifiertest.Issuer
	client *jwttest.Signer
	token  string
	n      int // of proofs
}

// newScene is for a synctest bubble.
func newScene(t *testing.T, cfg dpop.Config) *scene {
	t.Helper()
	if cfg.Origins == nil {
		cfg.Origins = []string{api}
	}
	binding, err := dpop.New(cfg)
	require.NoError(t, err)
	s := &scene{t: t, iss: verifiertest.NewIssuer(t), client: jwttest.NewSigner("ES256")}
	s.v, err = verifier.Settings{Bindings: []verifier.Binding{binding}}.New(s.iss.Config(api))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.v.Close()) })
	s.token = s.bound(jwkOf(s.client))
	return s
}

// bound returns a token that is bound to a key.
func (s *scene) bound(jwk string) string {
	return s.iss.Token(verifiertest.Claims{"scope": "orders:read", "cnf": map[string]any{"jkt": thumbprint(jwk)}})
}

// An attempt is a request with a proof, both to change.
type attempt struct {
	*scene
	method, uri, host string
	scheme, token     string
	header, claims    members
	signer            *jwttest.Signer
	fields            []string // nil means the proof
	more              http.Header
	remote            string
}

// attempt returns one that is good.
func (s *scene) attempt() *attempt {
	s.n++
	return &attempt{
		scene: s, method: "GET", uri: "/orders?page=1", host: "api.example.com", scheme: "DPoP", token: s.token, signer: s.client,
		header: members{"typ": `"dpop+jwt"`, "alg": text(s.client.Alg), "jwk": jwkOf(s.client)},
		claims: members{
			"jti": text(fmt.Sprintf("proof-%d", s.n)), "htm": `"GET"`, "htu": text(api + "/orders"),
			"iat": seconds(time.Now()), "ath": text(hash(s.token)),
		},
		more: http.Header{},
	}
}

// by lets another key sign the proof, and be in it.
func (a *attempt) by(signer *jwttest.Signer) {
	a.signer = signer
	a.header["alg"], a.header["jwk"] = text(signer.Alg), jwkOf(signer)
}

func (a *attempt) proof() string { return a.signer.Sign(a.header.Text(), a.claims.Text()) }

func (a *attempt) request() *http.Request {
	r := httptest.NewRequest(a.method, "http://placeholder/", nil)
	r.RequestURI, r.Host = a.uri, a.host
	if u, err := r.URL.Parse(a.uri); err == nil {
		r.URL = u
	}
	if a.remote != "" {
		r.RemoteAddr = a.remote
	}
	r.Header = a.more.Clone()
	r.Header.Set("Authorization", a.scheme+" "+a.token)
	fields := a.fields
	if fields == nil {
		fields = []string{a.proof()}
	}
	for _, f := range fields {
		r.Header.Add("DPoP", f)
	}
	return r
}

// send returns the refusal, or nil.
func (s *scene) send(r *http.Request, rules ...verifier.Rule) *verifier.Error {
	_, err := s.v.Protect(rules...)(r)
	if err == nil {
		return nil
	}
	return verifier.AsError(context.Background(), err)
}

// refused asserts why, and returns the response.
func refused(t *testing.T, err *verifier.Error, reason error, cause string) *httptest.ResponseRecorder {
	t.Helper()
	require.NotNil(t, err, "it was admitted")
	require.ErrorIs(t, err, reason, "%v", err)
	assert.Contains(t, err.Error(), cause)
	w := httptest.NewRecorder()
	err.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	return w
}

func challenges(w *httptest.ResponseRecorder) string {
	return strings.Join(w.Header()["Www-Authenticate"], "\n")
}
