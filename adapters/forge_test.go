package adapters

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/stretchr/testify/require"
)

type members = jwttest.Members

func enc(b []byte) string { return jwttest.Encode(string(b)) }

// A forge is an issuer, on a loopback server that counts, whose keys sign
// whatever they are given.
type forge struct {
	*httptest.Server
	requests atomic.Int64
	es, p384 *ecdsa.PrivateKey
	rs       *rsa.PrivateKey
}

// ecJWK writes the public key of k, with more members.
func ecJWK(t *testing.T, k *ecdsa.PrivateKey, more string) string {
	t.Helper()
	point, err := k.PublicKey.Bytes()
	require.NoError(t, err)
	half := (len(point) - 1) / 2
	return fmt.Sprintf(`{"kty":"EC","crv":%q,"x":%q,"y":%q%s}`, k.Curve.Params().Name, enc(point[1:1+half]), enc(point[1+half:]), more)
}

// newForge publishes, by kid: es, p384 and rs without alg, pinned (es, for
// ES512 as it says), enc (es, for encryption), ops (es, to encrypt).
func newForge(t *testing.T) *forge {
	t.Helper()
	f := &forge{}
	var errs [3]error
	f.es, errs[0] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	f.p384, errs[1] = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	f.rs, errs[2] = rsa.GenerateKey(rand.Reader, 2048)
	for _, err := range errs {
		require.NoError(t, err)
	}
	keys := strings.Join([]string{
		ecJWK(t, f.es, `,"kid":"es"`), ecJWK(t, f.p384, `,"kid":"p384"`), ecJWK(t, f.es, `,"kid":"pinned","alg":"ES512"`),
		ecJWK(t, f.es, `,"kid":"enc","use":"enc"`), ecJWK(t, f.es, `,"kid":"ops","key_ops":["encrypt"]`),
		fmt.Sprintf(`{"kty":"RSA","kid":"rs","n":%q,"e":"AQAB"}`, enc(f.rs.N.Bytes())),
		fmt.Sprintf(`{"kty":"RSA","kid":"rs256","alg":"RS256","n":%q,"e":"AQAB"}`, enc(f.rs.N.Bytes())),
	}, ",")
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.requests.Add(1)
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			_, _ = fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, f.URL, f.URL+"/keys")
		case "/keys":
			_, _ = fmt.Fprintf(w, `{"keys":[%s]}`, keys)
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
		"iss": fmt.Sprintf("%q", f.URL), "aud": fmt.Sprintf("%q", ordersAPI), "sub": `"billing"`, "client_id": `"billing"`, "jti": `"1"`,
		"iat": fmt.Sprint(now), "exp": fmt.Sprint(now + 3600), "scope": `"orders:read"`,
	}
}

// header is the one for kid es.
func (*forge) header() members { return members{"alg": `"ES256"`, "kid": `"es"`, "typ": `"at+jwt"`} }

// with returns a good token of key es, changed and then signed.
func (f *forge) with(header, claims members) string {
	return f.text(header.Over(f.header()).Text(), claims.Over(f.claims()).Text())
}

// text returns these two texts, signed by key es.
func (f *forge) text(header, payload string) string {
	return f.encoded(enc([]byte(header)), enc([]byte(payload)))
}

// encoded returns these two segments, signed by key es.
func (f *forge) encoded(head, body string) string {
	return seal(head+"."+body, jwttest.Sign("ES256", f.es, head+"."+body))
}

// unsigned are the first two segments of a good token.
func (f *forge) unsigned(header members) string {
	return enc([]byte(header.Over(f.header()).Text())) + "." + enc([]byte(f.claims().Text()))
}

func seal(signed string, signature []byte) string { return signed + "." + enc(signature) }

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
