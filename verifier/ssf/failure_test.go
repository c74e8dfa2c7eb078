package ssf_test

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
	"github.com/seed-12ed5b1c/jwtguard/verifier/ssf"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// A full list loses nothing: the transmitter pushes again, when there is room.
func TestFullList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := revocation.New(revocation.Config{MaxLifetime: time.Hour, MaxEntries: 2})
		require.NoError(t, err)
		s := newScene(t, func(c *ssf.Config) { c.Revoke = l.Revoke })
		for i := range 2 {
			s.accepted(s.push(s.set(members{"jti": text(fmt.Sprint(i)), "sub_id": `{"format":"opaque","id":"` + fmt.Sprint(i) + `"}`})), ssf.Applied)
		}
		third := s.set(members{"jti": `"third"`})
		s.unavailable(s.push(third))
		require.ErrorIs(t, s.last().Err, revocation.ErrFull, "S9")
		assert.Zero(t, s.last().Entries)
		<-time.After(time.Hour + 11*time.Minute)
		s.accepted(s.push(third), ssf.Applied)
	})
}

// Wrong times of a transmitter do no harm.
func TestTimesInAList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := revocation.New(revocation.Config{MaxLifetime: time.Hour})
		require.NoError(t, err)
		s := newScene(t, func(c *ssf.Config) { c.Revoke = l.Revoke })
		s.accepted(s.push(s.set(members{"events": event(ssf.SessionRevoked, `{"event_timestamp":4102444800}`)})), ssf.Applied)
		require.Len(t, l.Entries(), 1)
		assert.Equal(t, time.Now().UTC(), l.Entries()[0].IssuedBefore, "S8 no later than iat")
		s.accepted(s.push(s.set(members{"jti": `"set-2"`, "events": event(ssf.SessionRevoked, `{"event_timestamp":1}`)})), ssf.Applied)
		require.Len(t, l.Entries(), 1)
		assert.Equal(t, time.Now().UTC(), l.Entries()[0].IssuedBefore, "S8 an older event shortens nothing")
	})
}

func TestRevokeFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, nil)
		s.failure = errors.New("the store is away")
		s.unavailable(s.push(s.set(nil)))
		require.ErrorIs(t, s.last().Err, s.failure, "S9")
		s.accepted(s.push(s.set(members{"jti": `"set-2"`, "sub_id": email})), ssf.Unsupported)
		s.failure = nil
		s.accepted(s.push(s.set(nil)), ssf.Applied)
		assert.Len(t, s.calls, 2)
	})
}

func TestMissingKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := verifiertest.NewIssuer(t)
		iss.Fail(http.StatusInternalServerError)
		cfg := configOf(iss)
		s := &scene{t: t, iss: iss}
		cfg.Revoke = s.revoke
		cfg.Observe = func(d ssf.Delivery) { s.observe = append(s.observe, d) }
		var err error
		s.r, err = ssf.New(cfg)
		require.NoError(t, err)
		defer s.r.Close()
		s.unavailable(s.push(s.set(nil)))
		require.ErrorIs(t, s.last().Err, jwkscache.ErrUnavailable, "S4 no keys yet")
		require.ErrorContains(t, s.r.Health(), "ssf: transmitter https://issuer.test: ", "S10")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, s.r.Ready(ctx), jwkscache.ErrUnavailable)

		iss.Heal()
		require.NoError(t, s.r.Ready(t.Context()))
		require.NoError(t, s.r.Health(), "S10")
		s.accepted(s.push(s.set(nil)), ssf.Applied)

		require.NoError(t, s.r.Close())
		require.NoError(t, s.r.Close(), "again")
		require.ErrorIs(t, s.r.Health(), jwkscache.ErrUnavailable, "S10 closed")
		s.accepted(s.push(s.set(nil)), ssf.Replayed)
	})
}

func TestRotationOfKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, nil)
		s.accepted(s.push(s.set(nil)), ssf.Applied)
		s.iss.RotateTo("RS256")
		s.accepted(s.push(s.set(members{"jti": `"set-2"`})), ssf.Applied)
		fetches := s.iss.Fetches()
		for i := range 20 { // an authenticated flood of kids
			header := s.header()
			header["kid"] = text(fmt.Sprint("unknown-", i))
			s.calls = nil
			s.refused(s.push(s.iss.Sign(header.Text(), s.claims().Text())), 400, ssf.InvalidKey)
		}
		assert.LessOrEqual(t, s.iss.Fetches()-fetches, 4+int(time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))/(5*time.Second)), "S4 within the fetch limit")
	})
}

// A source whose keys do not fit is asked for newer ones, once.
func TestOtherKeySources(t *testing.T) {
	signer, other := jwttest.NewSigner("ES256"), jwttest.NewSigner("ES256")
	for name, row := range map[string]struct {
		answers [][]crypto.PublicKey
		code    ssf.Outcome // "" for accepted
	}{
		"S4 the first fits":         {answers: [][]crypto.PublicKey{{signer.Public()}}},
		"S4 a newer one fits":       {answers: [][]crypto.PublicKey{{other.Public()}, {signer.Public()}}},
		"S4 no newer one":           {answers: [][]crypto.PublicKey{{other.Public()}, nil}, code: ssf.InvalidKey},
		"S4 nor a newer one":        {answers: [][]crypto.PublicKey{{other.Public()}, {jwttest.NewSigner("ES256").Public()}}, code: ssf.InvalidKey},
		"S4 no key":                 {answers: [][]crypto.PublicKey{nil}, code: ssf.InvalidKey},
		"S4 too many":               {answers: [][]crypto.PublicKey{{other.Public(), other.Public(), other.Public(), other.Public(), signer.Public()}}, code: ssf.InvalidKey},
		"S4 keys of another kind":   {answers: [][]crypto.PublicKey{{jwttest.NewSigner("Ed25519").Public()}, nil}, code: ssf.InvalidKey},
		"S4 unavailable the second": {answers: [][]crypto.PublicKey{{other.Public()}}, code: ssf.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &source{answers: row.answers}
				s := newScene(t, func(c *ssf.Config) {
					c.Transmitters[0].Keys, c.Transmitters[0].JWKS = source, jwkscache.Config{}
				})
				header := members{"typ": `"secevent+jwt"`, "alg": `"ES256"`, "kid": `"k"`, "x5t": `"a"`, "x5t#S256": `"b"`}
				w := s.push(signer.Sign(header.Text(), s.claims().Text()))
				switch row.code {
				case "":
					s.accepted(w, ssf.Applied)
				case ssf.Unavailable:
					s.unavailable(w)
				default:
					s.refused(w, 400, row.code)
				}
				for i, q := range source.queries {
					want := jwkscache.Query{KeyID: "k", X5T: "a", X5TS256: "b", Algorithm: "ES256", Now: time.Now()}
					if i == 1 {
						want.Tried = row.answers[0]
					}
					assert.Equal(t, want, q)
				}
				require.NoError(t, s.r.Health(), "S10 a source of which nothing is known counts as ready")
			})
		})
	}
}

// A source returns its answers in turn, then an error.
type source struct {
	answers [][]crypto.PublicKey
	queries []jwkscache.Query
}

func (s *source) Lookup(_ context.Context, q jwkscache.Query) ([]crypto.PublicKey, error) {
	s.queries = append(s.queries, q)
	if len(s.queries) > len(s.answers) {
		return nil, errors.New("no answer")
	}
	return s.answers[len(s.queries)-1], nil
}

// One transmitter's key does not sign for another, and each may revoke only what it is
// configured for.
func TestTwoTransmitters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var other *verifiertest.Issuer
		s := newScene(t, func(c *ssf.Config) {
			other = verifiertest.NewIssuer(t)
			more := configOf(other).Transmitters[0]
			more.Algorithms = []string{"ES256"}
			c.Transmitters = append(c.Transmitters, more)
		})
		kid, _ := other.Key()
		forged := other.Sign(members{"typ": `"secevent+jwt"`, "alg": `"ES256"`, "kid": text(kid)}.Text(), s.claims().Text())
		s.refused(s.push(forged), 400, ssf.InvalidKey)

		of := &scene{t: t, iss: other}
		s.accepted(s.push(of.set(members{"jti": `"set-0"`, "sub_id": alice})), ssf.OtherIssuer)
		assert.Empty(t, s.calls, "S7 the subject is the first one's")
		s.accepted(s.push(of.set(nil)), ssf.Applied)
		assert.Equal(t, other.URL(), s.last().Issuer)
		assert.Equal(t, other.URL(), s.calls[0][0].Issuer, "S7")
		s.accepted(s.push(s.set(nil)), ssf.Applied)
		assert.Equal(t, s.iss.URL(), s.calls[1][0].Issuer, "S7 the same jti of another transmitter is no replay")

		other.RotateTo("ES384")
		s.calls = nil
		s.refused(s.push(of.set(nil)), 400, ssf.InvalidKey)
	})
}
