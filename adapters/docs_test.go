package adapters

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
	"github.com/seed-12ed5b1c/jwtguard/verifier/mtls"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
	"github.com/seed-12ed5b1c/jwtguard/verifier/ssf"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// documented is what docs/revocation.md and docs/sender-constrained.md set up.
type documented struct {
	list *revocation.List
	v    *verifier.Verifier
}

func (d *documented) withList(cfg verifier.Config) error {
	list, err := revocation.New(revocation.Config{MaxLifetime: time.Hour})
	if err != nil {
		return err
	}
	cfg.MaxLifetime = time.Hour // of every Config: an entry is kept for as long as a token can live
	v, err := verifier.Settings{Revocation: list}.New(cfg)
	if err != nil {
		return err
	}
	d.list, d.v = list, v
	return nil
}

func (d *documented) withEvents(mux *http.ServeMux, secret string) error {
	list := d.list
	events, err := ssf.New(ssf.Config{
		Transmitters: []ssf.Transmitter{{
			Issuer:    "https://idp.example.com",
			Audiences: []string{"https://api.example.com/events"}, // aud of the stream
		}},
		Authorization: []string{"Bearer " + secret}, // authorization_header of the stream: 32 random bytes, in hexadecimal
		Revoke:        list.Revoke,
	})
	if err != nil {
		return err
	}
	mux.Handle("/events", events)
	return events.Close()
}

func (d *documented) withProofs(cfg verifier.Config) error {
	proofs, err := dpop.New(dpop.Config{Origins: []string{"https://api.example.com"}})
	if err != nil {
		return err
	}
	v, err := verifier.Settings{Bindings: []verifier.Binding{proofs}}.New(cfg)
	if err != nil {
		return err
	}
	d.v = v
	return nil
}

func (d *documented) withCertificates(cfg verifier.Config) error {
	certificates, err := mtls.New(mtls.Config{}) // the server has tls.Config{ClientAuth: tls.RequestClientCert}
	if err != nil {
		return err
	}
	d.v, err = verifier.Settings{Bindings: []verifier.Binding{certificates}}.New(cfg)
	return err
}

func TestSetUpsOfTheDocs(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	token := iss.Token(verifiertest.Claims{"sub": "alice", "iat": time.Now().Add(-time.Minute), "exp": time.Now().Add(time.Minute)})
	status := func(v *verifier.Verifier) int {
		r, w := httptest.NewRequest(http.MethodGet, "/orders", nil), httptest.NewRecorder()
		r.Header.Set("Authorization", "Bearer "+token)
		httpauth.Protect(v)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
		return w.Code
	}
	var d documented
	for name, setUp := range map[string]func(verifier.Config) error{
		"docs/sender-constrained.md, DPoP":       d.withProofs,
		"docs/sender-constrained.md, mutual TLS": d.withCertificates,
		"docs/revocation.md":                     d.withList,
	} {
		require.NoError(t, setUp(iss.Config("https://api.example.com")), name)
		defer d.v.Close()
		assert.Equal(t, http.StatusOK, status(d.v), name)
	}

	require.NoError(t, d.withList(iss.Config("https://api.example.com")))
	defer d.v.Close()
	require.NoError(t, d.list.Revoke(t.Context(), revocation.Entry{Issuer: iss.URL(), Subject: "alice"}))
	assert.Equal(t, http.StatusUnauthorized, status(d.v))
	require.ErrorContains(t, d.withEvents(http.NewServeMux(), "too short"), "Authorization")
}
