package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A new key is published, then signs, and the old one is retired.
func TestRotationAsPlanned(t *testing.T) {
	for _, row := range servers {
		if !row.rotates {
			continue
		}
		t.Run(row.name, func(t *testing.T) {
			s := row.start(t, "ES256-1")
			v, keys := s.verifier(t, nil)
			old := s.token(t, ordersAPI)
			expect(t, v, nil, old)

			s.keys(t, "ES256-1", "RS256-2") // published
			require.NoError(t, keys.Refresh(t.Context()))
			fetches := keys.Stats().Fetches
			s.keys(t, "RS256-2", "ES256-1") // signs
			renewed := s.token(t, ordersAPI)
			expect(t, v, nil, renewed)
			expect(t, v, nil, old)
			assert.Equal(t, fetches, keys.Stats().Fetches, "a key known before its first token costs nothing")

			s.keys(t, "RS256-2") // retired
			expect(t, v, nil, old)
			require.NoError(t, keys.Refresh(t.Context()))
			expect(t, v, verifier.ErrSignature, old)
			expect(t, v, nil, renewed)
		})
	}
}

// The signing key is replaced between two tokens: nobody was told.
func TestRotationWithoutWarning(t *testing.T) {
	for _, row := range servers {
		if !row.rotates {
			continue
		}
		t.Run(row.name, func(t *testing.T) {
			s := row.start(t, "RS256-1")
			v, keys := s.verifier(t, nil)
			old := s.token(t, ordersAPI)
			expect(t, v, nil, old)

			s.keys(t, "PS256-2")
			fetches := keys.Stats().Fetches
			expect(t, v, nil, s.token(t, ordersAPI)) // at first use
			assert.Equal(t, fetches+1, keys.Stats().Fetches)
			expect(t, v, verifier.ErrSignature, old) // gone with the same fetch
		})
	}
}

// Known keys serve while the server is down; of an unknown one nobody can tell.
func TestServerDown(t *testing.T) {
	for _, row := range servers {
		t.Run(row.name, func(t *testing.T) {
			s := row.start(t, "ES384-1")
			v, keys := s.verifier(t, nil)
			known := s.token(t, ordersAPI)
			unknown := ""
			if row.rotates {
				s.keys(t, "ES384-2")
				unknown = s.token(t, ordersAPI)
			}
			s.stop()

			require.Error(t, keys.Refresh(t.Context()), "the server is down")
			expect(t, v, nil, known)
			if unknown != "" {
				expect(t, v, verifier.ErrUnavailable, unknown)
			}
			expect(t, v, verifier.ErrMalformed, signedPart(known))
			assert.NoError(t, keys.Health())

			v, err := verifier.New(verifier.Config{Issuer: s.issuer, Audiences: []string{ordersAPI}})
			require.NoError(t, err)
			defer v.Close()
			expect(t, v, verifier.ErrUnavailable, known) // it never had the keys
		})
	}
}
