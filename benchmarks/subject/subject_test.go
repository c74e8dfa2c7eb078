package subject_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/authority"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/subject"
)

var algorithms = []string{"RS256", "PS256", "ES256", "ES384", "EdDSA"}

// Everyone who is compared does the same job; only bare cryptography reads no
// claims.
func TestEverySubjectDoesTheJob(t *testing.T) {
	for _, alg := range algorithms {
		t.Run(alg, func(t *testing.T) {
			server, err := authority.New(alg)
			require.NoError(t, err)
			t.Cleanup(server.Close)
			signer := server.Signers[alg]
			stock, err := subject.NewStock(signer)
			require.NoError(t, err)
			bad, err := signer.Bad()
			require.NoError(t, err)
			require.Len(t, bad, 6)
			if alg == "RS256" {
				assert.Len(t, stock.Warm, 875, "performance.md says so")
			}

			libraries, err := subject.Libraries(t.Context(), stock)
			require.NoError(t, err)
			routes, err := subject.Routes(t.Context(), stock)
			require.NoError(t, err)
			require.Len(t, libraries, 9)
			require.Len(t, routes, 13)
			for _, s := range append(libraries, routes...) {
				switch s.Who {
				case subject.Bare:
					assert.NotContains(t, subject.Check(s, stock.Warm, bad), "accepts a broken signature")
					assert.Len(t, subject.Check(s, stock.Warm, bad), 5)
				case subject.Alone:
				default:
					assert.Empty(t, subject.Check(s, stock.Warm, bad), s.Who)
				}
				op, err := s.Run.Begin()
				require.NoError(t, err, s.Who)
				for i := range 10 {
					require.NoError(t, op(i), s.Who)
				}
			}
		})
	}
}

func TestCheckTellsWhatIsWrong(t *testing.T) {
	server, err := authority.New("ES256")
	require.NoError(t, err)
	t.Cleanup(server.Close)
	good, err := server.Signers["ES256"].With(nil)
	require.NoError(t, err)
	bad, err := server.Signers["ES256"].Bad()
	require.NoError(t, err)

	yes := subject.Subject{Try: func(string) error { return nil }}
	assert.Len(t, subject.Check(yes, good, bad), len(bad))
	no := subject.Subject{Try: func(string) error { return assert.AnError }}
	assert.Equal(t, []string{"refuses a good token (" + assert.AnError.Error() + ")"}, subject.Check(no, good, bad))
}
