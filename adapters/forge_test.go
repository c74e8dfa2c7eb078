package adapters

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var enc = base64.RawURLEncoding.EncodeToString

// members are the raw JSON values of an object by name; "" leaves one out.
type members map[string]string

// text writes them as an object, in the order of their names.
func (m members) text() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if m[name] != "" {
			parts = append(parts, `"`+name+`":`+m[name])
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func (m members) over(base members) members {
	all := maps.Clone(base)
	maps.Copy(all, m)
	return all
}

// inside is the object with more at its end.
func (m members) inside(more string) string {
	return strings.TrimSuffix(m.text(), "}") + "," + more + "}"
}

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
	return f.text(header.over(f.header()).text(), claims.over(f.claims()).text())
}

// text returns these two texts, signed by key es.
func (f *forge) text(header, payload string) string {
	return f.encoded(enc([]byte(header)), enc([]byte(payload)))
}

// encoded returns these two segments, signed by key es.
func (f *forge) encoded(head, body string) string {
	return seal(head+"."+body, signES(f.es, crypto.SHA256, head+"."+body))
}

// unsigned are the first two segments of a good token.
func (f *forge) unsigned(header members) string {
	return enc([]byte(header.over(f.header()).text())) + "." + enc([]byte(f.claims().text()))
}

func seal(signed string, signature []byte) string { return signed + "." + enc(signature) }

func digest(hash crypto.Hash, text string) []byte {
	h := hash.New()
	h.Write([]byte(text))
	return h.Sum(nil)
}

// signES is RFC 7518 §3.4: r and s at the curve's full length.
func signES(k *ecdsa.PrivateKey, hash crypto.Hash, text string) []byte {
	r, s, err := ecdsa.Sign(rand.Reader, k, digest(hash, text))
	if err != nil {
		panic(err)
	}
	n := (k.Curve.Params().BitSize + 7) / 8
	return append(r.FillBytes(make([]byte, n)), s.FillBytes(make([]byte, n))...)
}

func signHS(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func signPS(k *rsa.PrivateKey, salt int, text string) []byte {
	sig, err := rsa.SignPSS(rand.Reader, k, crypto.SHA256, digest(crypto.SHA256, text), &rsa.PSSOptions{SaltLength: salt})
	if err != nil {
		panic(err)
	}
	return sig
}

func signRS(k *rsa.PrivateKey, text string) []byte {
	sig, err := rsa.SignPKCS1v15(nil, k, crypto.SHA256, digest(crypto.SHA256, text))
	if err != nil {
		panic(err)
	}
	return sig
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
