package dpop_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
)

func secret(letter string) []byte { return []byte(strings.Repeat(letter, 32)) }

func TestNonces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, dpop.Config{NonceSecrets: [][]byte{secret("a")}, NonceLifetime: 4 * time.Minute})
		ask := func() string {
			w := refused(t, s.send(s.attempt().request()), verifier.ErrNonce, "no nonce")
			assert.Equal(t, 401, w.Code)
			assert.Equal(t, "Bearer realm=\"api\"\nDPoP realm=\"api\", error=\"use_dpop_nonce\", error_description=\"The DPoP proof needs the nonce of the field DPoP-Nonce.\", "+allAlgorithms, challenges(w))
			assert.Equal(t, []string{"DPoP-Nonce, WWW-Authenticate"}, w.Header()["Access-Control-Expose-Headers"], "B8 CORS")
			require.Len(t, w.Header()["Dpop-Nonce"], 1)
			return w.Header().Get("DPoP-Nonce")
		}
		with := func(nonce string) *attempt {
			a := s.attempt()
			a.claims["nonce"] = text(nonce)
			return a
		}
		// respond returns the nonce of an admitted request.
		respond := func(a *attempt) string {
			w := httptest.NewRecorder()
			httpauth.Protect(s.v)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, a.request())
			require.Equal(t, 200, w.Code)
			return w.Header().Get("DPoP-Nonce")
		}
		nonce := ask()
		assert.Regexp(t, regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]{20,}$`), nonce, "B8 NQCHAR")
		require.Nil(t, s.send(with(nonce).request()))
		assert.Empty(t, respond(with(nonce)), "B8 it is new enough")
		assert.Equal(t, nonce, ask(), "B8 the same for all, in its time")

		w := refused(t, s.send(&http.Request{Method: "GET", Header: http.Header{}}), verifier.ErrNoToken, "")
		assert.Equal(t, nonce, w.Header().Get("DPoP-Nonce"), "B8 with every challenge")

		late := with(nonce)
		late.claims["iat"] = "1"
		require.Nil(t, s.send(late.request()), "B8 the clock of the client does not matter")
		for name, wrong := range map[string]string{"changed": nonce[1:] + "x", "empty": "", "of another secret": dpop.NonceAt(dpop.Config{Origins: []string{api}, NonceSecrets: [][]byte{secret("b")}, NonceLifetime: 4 * time.Minute}, time.Now())} {
			refused(t, s.send(with(wrong).request()), verifier.ErrNonce, "")
			_ = name
		}
		number := s.attempt()
		number.claims["nonce"] = "7"
		refused(t, s.send(number.request()), verifier.ErrProof, "")

		replayed := with(nonce)
		require.Nil(t, s.send(replayed.request()))
		time.Sleep(2 * time.Minute)
		next := respond(with(nonce))
		assert.NotEmpty(t, next, "B8 before it expires, a good response has the next")
		assert.NotEqual(t, nonce, next)
		assert.Empty(t, respond(with(next)))
		refused(t, s.send(replayed.request()), verifier.ErrReplay, "")
		time.Sleep(2*time.Minute - time.Second)
		refused(t, s.send(replayed.request()), verifier.ErrReplay, "")
		require.Nil(t, s.send(with(nonce).request()))
		time.Sleep(time.Second)
		refused(t, s.send(with(nonce).request()), verifier.ErrNonce, "")
		refused(t, s.send(replayed.request()), verifier.ErrNonce, "")
		require.Nil(t, s.send(with(next).request()))
		refused(t, s.send(s.attempt().request()), verifier.ErrNonce, "") // never none again
	})
}

// A response has one nonce, the newest, whoever writes its header, and however often.
func TestOneNonce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, dpop.Config{NonceSecrets: [][]byte{secret("a")}, NonceLifetime: 4 * time.Minute})
		err := s.send(&http.Request{Method: "GET", Header: http.Header{}})
		h := http.Header{"Access-Control-Expose-Headers": {"ETag"}}
		err.SetHeaders(h)
		time.Sleep(2 * time.Minute)
		first := h.Get("DPoP-Nonce")
		err.SetHeaders(h)
		require.Len(t, h["Dpop-Nonce"], 1, "B8")
		assert.NotEqual(t, first, h.Get("DPoP-Nonce"))
		assert.Equal(t, []string{"ETag", "DPoP-Nonce, WWW-Authenticate"}, h["Access-Control-Expose-Headers"])
	})
}

// Replicas share secrets, and change them one at a time.
func TestNonceSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := secret("a"), secret("b")
		s := newScene(t, dpop.Config{})
		send := func(replica [][]byte, nonce string) *verifier.Error {
			binding, err := dpop.New(dpop.Config{Origins: []string{api}, NonceSecrets: replica})
			require.NoError(t, err)
			v, err := verifier.Settings{Bindings: []verifier.Binding{binding}}.New(s.iss.Config(api))
			require.NoError(t, err)
			defer v.Close()
			at := s.attempt()
			at.claims["nonce"] = text(nonce)
			_, err = v.Protect()(at.request())
			if err == nil {
				return nil
			}
			return verifier.AsError(t.Context(), err)
		}
		given := func(replica [][]byte) string {
			return dpop.NonceAt(dpop.Config{Origins: []string{api}, NonceSecrets: replica}, time.Now())
		}
		assert.Equal(t, given([][]byte{a}), given([][]byte{a, b}), "B8 the first makes nonces")
		for _, replicas := range [][2][][]byte{{{a}, {a}}, {{a}, {a, b}}, {{a, b}, {b, a}}, {{b, a}, {a, b}}, {{b}, {b, a}}, {{b, a}, {b}}} {
			require.Nil(t, send(replicas[1], given(replicas[0])), "B8")
		}
		refused(t, send([][]byte{b}, given([][]byte{a})), verifier.ErrNonce, "")
	})
}
