package conformance

import (
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
)

type members = jwttest.Members

var encode = jwttest.Encode[string]

// A forge is an issuer, on a loopback server that counts, whose keys sign
// whatever they are given.
type forge struct {
	*httptest.Server
	requests     atomic.Int64
	es, p384, rs *jwttest.Signer
}

// newForge publishes, by kid: es, p384 and rs without alg, pinned (es, for
// ES512 as it says), enc (es, for encryption), ops (es, to encrypt).
func newForge(t *testing.T) *forge {
	t.Helper()
	f := &forge{es: jwttest.NewSigner("ES256"), p384: jwttest.NewSigner("ES384"), rs: jwttest.NewSigner("RS256")}
	keys := jwttest.JWKS(
		f.es.JWK(members{"kid": `"es"`}), f.p384.JWK(members{"kid": `"p384"`}), f.es.JWK(members{"kid": `"pinned"`, "alg": `"ES512"`}),
		f.es.JWK(members{"kid": `"enc"`, "use": `"enc"`}), f.es.JWK(members{"kid": `"ops"`, "key_ops": `["encrypt"]`}),
		f.rs.JWK(members{"kid": `"rs"`}), f.rs.JWK(members{"kid": `"rs256"`, "alg": `"RS256"`}),
	)
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.requests.Add(1)
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			_, _ = fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, f.URL, f.URL+"/keys")
		case "/keys":
			_, _ = w.Write(keys)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(f.Close)
	return f
}

// claims are those of a good token.
func (f *forge) claims() members {
	now := time.Now().Unix()
	return members{
		"iss": fmt.Sprintf("%q", f.URL), "aud": fmt.Sprintf("%q", OrdersAPI), "sub": `"billing"`, "client_id": `"billing"`, "jti": `"1"`,
		"iat": fmt.Sprint(now), "exp": fmt.Sprint(now + 3600), "scope": `"orders:read"`,
	}
}

// header is the one for kid es.
func (*forge) header() members { return members{"alg": `"ES256"`, "kid": `"es"`, "typ": `"at+jwt"`} }

// with returns a good token of key es, changed and then signed.
func (f *forge) with(header, claims members) string {
	return f.es.Sign(header.Over(f.header()).Text(), claims.Over(f.claims()).Text())
}

// unsigned are the first two segments of a good token.
func (f *forge) unsigned(header members) string {
	return encode(header.Over(f.header()).Text()) + "." + encode(f.claims().Text())
}

// der writes an ES256 signature as ASN.1, as most of cryptography does.
func der(signature []byte) []byte {
	integer := func(b []byte) []byte {
		b = new(big.Int).SetBytes(b).Bytes()
		if b[0] >= 0x80 {
			b = append([]byte{0}, b...)
		}
		return append([]byte{2, byte(len(b))}, b...)
	}
	both := append(integer(signature[:32]), integer(signature[32:])...)
	return append([]byte{0x30, byte(len(both))}, both...)
}
