package verifier_test

import (
	"sync"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
)

type members = jwttest.Members

var encode = jwttest.Encode[string]

// A signer makes tokens that config accepts, and changed ones.
type signer struct{ *jwttest.Signer }

// newSigner returns a signer with a key that config does not trust, whose kid is alg.
func newSigner(alg string) signer { return signer{jwttest.NewSigner(alg)} }

// trusted has the signers whose keys config trusts: one for each key type and curve.
var trusted = sync.OnceValue(func() map[string]*jwttest.Signer {
	all := make(map[string]*jwttest.Signer)
	for kind, alg := range map[string]string{"RS": "RS256", "Ed": "EdDSA", "ES256": "ES256", "ES384": "ES384", "ES512": "ES512"} {
		all[kind] = jwttest.NewSigner(alg)
	}
	return all
})

// signerOf returns a signer for alg whose key config trusts.
func signerOf(alg string) signer {
	kind := alg[:2]
	switch kind {
	case "PS":
		kind = "RS"
	case "ES":
		kind = alg
	}
	return signer{trusted()[kind].As(alg, alg)}
}

func hmacSigner(alg string, secret []byte) signer {
	return signer{&jwttest.Signer{Alg: alg, KeyID: alg, Private: secret}}
}

// as returns s with another alg and kid in its header.
func (s signer) as(alg, kid string) signer { return signer{s.As(alg, kid)} }

// good returns a token that config accepts.
func (s signer) good() string { return s.token(nil, nil) }

// token returns a good token, changed by header and claims.
func (s signer) token(header, claims members) string {
	return s.Sign(header.Over(s.Header()).Text(), claims.Over(goodClaims()).Text())
}

// unsigned returns the first two segments of a good token.
func (s signer) unsigned() string {
	return encode(s.Header().Text()) + "." + encode(goodClaims().Text())
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
