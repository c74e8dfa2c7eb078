package ssf

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/ascii"
	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A transmitter is a Transmitter that was checked.
type transmitter struct {
	issuer        string
	audiences     []string
	keys          verifier.KeySource
	algorithms    map[string]*jose.Algorithm
	subjectIssuer string
	ignored       []string // members of complex subjects
	stream        stream
}

// A set is a security event token whose signature was verified.
type set struct {
	transmitter *transmitter
	id          string // jti
	issuedAt    time.Time
	claims      jose.Object
}

// setClaims are the claims of which a SET may have no other spelling (RFC 8417 §2.2, RFC
// 9493 §4).
var setClaims = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "toe", "events", "sub_id"}

// maxAudiences is how many elements aud may have.
const maxAudiences = 256

// maxAhead is by how much the clock of a transmitter may be ahead. A revocation.List counts a
// later time as in 5 minutes, so a SET that came again would revoke further tokens.
const maxAhead = 5 * time.Minute

var errAhead = errors.New("the iat is over 5 minutes in the future: a clock is wrong")

// verify returns the SET in raw. Checks that need no key come first.
func (r *Receiver) verify(ctx context.Context, raw string, now time.Time) (*set, *refusal) {
	c, err := jose.Parse(raw, setClaims, new(jose.Buffer))
	switch {
	case err != nil:
		return nil, refuse(InvalidRequest, "The body is not a SET in compact serialization.").because(err)
	case !jose.SameMediaType(c.Typ, "secevent+jwt"): // SSF 1.0 §4.1.1
		return nil, refuse(InvalidRequest, "The typ of the header is not secevent+jwt.")
	}
	s := &set{claims: c.Claims}
	issuer, _ := c.Claims.String("iss") // "" is none
	if s.transmitter = r.transmitters[issuer]; s.transmitter == nil {
		return nil, refuse(InvalidIssuer, "The iss is not one of the transmitters that are accepted.").because(quoted("iss", issuer))
	}
	alg := s.transmitter.algorithms[c.Alg]
	if alg == nil {
		return nil, refuse(InvalidKey, "The alg is not accepted.").because(quoted("alg", c.Alg))
	}
	aud, _ := jose.Strings(c.Claims.Value("aud"), maxAudiences, nil) // none of what it cannot read
	if !slices.ContainsFunc(aud, func(a string) bool { return slices.Contains(s.transmitter.audiences, a) }) {
		return nil, refuse(InvalidAudience, "The aud does not contain an audience of this receiver.")
	}
	if refused := s.readClaims(); refused != nil {
		return nil, refused
	}
	if refused := s.transmitter.verifySignature(ctx, &c, alg, now); refused != nil {
		return nil, refused
	}
	if s.issuedAt.Sub(now) > maxAhead {
		return nil, unavailable(errAhead)
	}
	return s, nil
}

// readClaims reads what every SET has (RFC 8417 §2.2), and refuses what access tokens and
// ID tokens have and SETs must not (SSF 1.0 §4.1.3).
func (s *set) readClaims() *refusal {
	for _, name := range []string{"exp", "nbf", "sub"} {
		if s.claims.Value(name) != "" {
			return refuse(InvalidRequest, "There is exp, nbf or sub, which a SET must not have.")
		}
	}
	s.id, _ = s.claims.String("jti")
	s.issuedAt, _ = jose.Date(s.claims.Value("iat"))
	if s.id == "" || s.issuedAt.IsZero() {
		return refuse(InvalidRequest, "The jti or the iat is missing or malformed.")
	}
	return nil
}

// verifySignature looks for the key of c. If none of its keys fits, there may be newer ones.
func (t *transmitter) verifySignature(ctx context.Context, c *jose.Compact, alg *jose.Algorithm, now time.Time) *refusal {
	q := jwkscache.Query{KeyID: c.Kid, X5T: c.X5T, X5TS256: c.X5TS256, Algorithm: c.Alg, Now: now}
	for range 2 {
		keys, err := t.keys.Lookup(ctx, q)
		if err != nil {
			return unavailable(err)
		}
		var key crypto.PublicKey
		if key, err = alg.FindKey(keys, q.Tried, c); err != nil {
			return refuse(InvalidKey, noKey).because(err)
		}
		switch {
		case key != nil:
			return nil
		case len(keys) == 0:
			return refuse(InvalidKey, noKey).because(quoted("kid", c.Kid))
		}
		q.Tried = keys
	}
	return refuse(InvalidKey, noKey).because(quoted("kid", c.Kid))
}

const noKey = "No key of the transmitter verifies the signature."

// quoted returns an error with text of a SET, for operators.
func quoted(name, text string) error { return fmt.Errorf("%s is %s", name, ascii.Quote(text)) }
