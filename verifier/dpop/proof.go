package dpop

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/ascii"
	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// The limits of a proof, in bytes. An RSA key of 8,192 bits takes 1,400.
const (
	maxProof = 8 << 10
	maxJTI   = 256
)

// claimNames are the claims that a proof is checked for (RFC 9449 §4.2). Another spelling
// of one, by case, is refused.
var claimNames = []string{"jti", "htm", "htu", "iat", "ath", "nonce"}

// The causes of refusals, for operators.
var (
	errNoField   = errors.New("the request has no DPoP field")
	errFields    = errors.New("the request has more than one DPoP field")
	errTooLong   = errors.New("the proof is too long")
	errType      = errors.New("typ of the proof is not dpop+jwt")
	errAlgorithm = errors.New("alg of the proof is not among the accepted algorithms")
	errClaims    = errors.New("jti, htm, htu or iat of the proof is missing or of the wrong kind")
	errHash      = errors.New("ath of the proof is not the hash of the access token")
	errSignature = errors.New("the key in the proof does not verify its signature")
)

// A proof is one that was read; nothing in it was checked but its form.
type proof struct {
	jti, htm, htu, ath, nonce string
	iat                       time.Time
	algorithm                 *jose.Algorithm
	jwk                       jwk
	compact                   jose.Compact
}

// A workspace is the memory of one proof at a time.
type workspace struct{ buffer jose.Buffer }

func (w *workspace) free() {
	if w.buffer.Size() <= 4*maxProof {
		workspaces.Put(w)
	}
}

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

// field returns the only DPoP field (RFC 9449 §4.3).
func field(h http.Header) (string, error) {
	fields := h["Dpop"] // the canonical form of DPoP
	switch {
	case len(fields) == 0:
		return "", errNoField
	case len(fields) != 1:
		return "", errFields
	case len(fields[0]) > maxProof:
		return "", errTooLong
	}
	return fields[0], nil
}

// read reads a proof into w, which p uses until it is read into again.
func (b *binding) read(raw string, w *workspace) (p proof, err error) {
	if p.compact, err = jose.Parse(raw, claimNames, &w.buffer); err != nil {
		return p, err
	}
	c := &p.compact
	if !jose.SameMediaType(c.Typ, "dpop+jwt") {
		return p, errType
	}
	if p.algorithm = b.algorithms[c.Alg]; p.algorithm == nil {
		return p, errAlgorithm
	}
	if p.jwk, err = readJWK(c.Member("jwk")); err != nil {
		return p, err
	}
	for _, f := range []struct {
		value    *string
		name     string
		max      int
		required bool
	}{
		{&p.jti, "jti", maxJTI, true},
		{&p.htm, "htm", maxJTI, true},
		{&p.htu, "htu", maxURI, true},
		{&p.ath, "ath", maxJTI, false}, // a missing one is not the hash
		{&p.nonce, "nonce", maxJTI, false},
	} {
		*f.value, err = c.Claims.String(f.name)
		if err != nil || len(*f.value) > f.max || f.required && *f.value == "" {
			return p, errClaims
		}
	}
	if p.iat, err = jose.Date(c.Claims.Value("iat")); err != nil || p.iat.IsZero() {
		return p, errClaims
	}
	return p, nil
}

// athOf returns the hash of an access token (RFC 9449 §4.2).
func athOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// checkTarget compares method and address.
func (p *proof) checkTarget(r *http.Request, o *origins) error {
	if p.htm != r.Method {
		return fmt.Errorf("htm of the proof is %s, and the method is %s", ascii.Quote(p.htm), ascii.Quote(r.Method))
	}
	want, err := o.target(r)
	if err != nil {
		return err
	}
	got, err := parseTarget(p.htu)
	if err != nil {
		return fmt.Errorf("htu of the proof is %s: %w", ascii.Quote(p.htu), err)
	}
	if got != want {
		return fmt.Errorf("htu of the proof is %s, and the address of the request is %s", ascii.Quote(p.htu), ascii.Quote(want.String()))
	}
	return nil
}

// checkTime returns an error unless the proof was made within the window, give or take
// the skew between clocks.
func (p *proof) checkTime(now time.Time, window, skew time.Duration) error {
	switch age := now.Sub(p.iat); {
	case age > window+skew:
		return fmt.Errorf("iat of the proof is %s ago, more than Window and Skew, %s", age, window+skew)
	case age < -skew:
		return fmt.Errorf("iat of the proof is %s in the future, more than Skew, %s", -age, skew)
	}
	return nil
}
