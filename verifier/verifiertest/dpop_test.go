package verifiertest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// The client of a DPoPKey reaches a server, with nonces and without, also with a body.
func TestDPoPClient(t *testing.T) {
	for name, secrets := range map[string][][]byte{"B10 without nonces": nil, "B10 with nonces": {[]byte(strings.Repeat("s", 32))}} {
		t.Run(name, func(t *testing.T) {
			iss := verifiertest.NewIssuer(t)
			mux := http.NewServeMux()
			srv := httptest.NewServer(mux)
			defer srv.Close()
			proofs, err := dpop.New(dpop.Config{Origins: []string{srv.URL}, NonceSecrets: secrets})
			require.NoError(t, err)
			v, err := verifier.Settings{Bindings: []verifier.Binding{proofs}}.New(iss.Config("https://api.example.com"))
			require.NoError(t, err)
			defer v.Close()
			requests := 0
			mux.Handle("/echo/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests++
				httpauth.Protect(v, verifier.Bound())(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(w, r.Body)
				})).ServeHTTP(w, r)
			}))
			key := verifiertest.NewDPoPKey()
			client := key.Client(iss.DPoPToken(key, nil), srv.Client())
			for range 3 {
				res, err := client.Post(srv.URL+"/echo/a%2Fb?x=y", "text/plain", strings.NewReader("hello"))
				require.NoError(t, err)
				body, _ := io.ReadAll(res.Body)
				_ = res.Body.Close()
				assert.Equal(t, 200, res.StatusCode, "%s", body)
				assert.Equal(t, "hello", string(body))
			}
			extra := 0
			if secrets != nil {
				extra = 1 // to learn the first nonce
			}
			assert.Equal(t, 3+extra, requests)

			thief := verifiertest.NewDPoPKey().Client(iss.DPoPToken(key, nil), srv.Client())
			res, err := thief.Get(srv.URL + "/echo/")
			require.NoError(t, err)
			_ = res.Body.Close()
			assert.Equal(t, 401, res.StatusCode)
			once := key.Client(iss.DPoPToken(key, nil), srv.Client())
			r, err := http.NewRequest("POST", srv.URL+"/echo/", io.NopCloser(strings.NewReader("x")))
			require.NoError(t, err)
			_, err = once.Do(r)
			assert.ErrorContains(t, err, "cannot be read twice")
		})
	}
}
