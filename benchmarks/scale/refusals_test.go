package scale

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/authority"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func newRefusals(t *testing.T) (*guarded, []refusal) {
	t.Helper()
	server, err := authority.New("RS256")
	require.NoError(t, err)
	t.Cleanup(server.Close)
	g, err := newGuarded(t.Context(), server.Signers["RS256"])
	require.NoError(t, err)
	list, err := refused(server.Signers["RS256"])
	require.NoError(t, err)
	return g, list
}

// Each row is refused for its own reason and for no other.
func TestRefusedForTheReason(t *testing.T) {
	reasons := []error{
		verifier.ErrNoToken, verifier.ErrBadRequest, verifier.ErrMalformed, verifier.ErrAlgorithm, verifier.ErrType,
		verifier.ErrSignature, verifier.ErrIssuer, verifier.ErrAudience, verifier.ErrExpired, verifier.ErrScope,
	}
	g, list := newRefusals(t)
	says := map[string]string{ // where a reason has several rows
		"another scheme":                 "scheme is not Bearer",
		"1 MiB":                          "16384",
		"broken base64 in the signature": "not base64url",
		"a header with alg twice":        "header",
		"unknown kid":                    "no key with kid",
		"a signature that does not fit":  "signature",
	}
	for _, r := range list {
		if r.remembered {
			_, err := g.v.Authenticate(r.request())
			require.NoError(t, err, r.what)
		}
		before := g.v.Stats()
		err := g.authenticate(r, r.request())
		for _, reason := range reasons {
			if reason == r.reason {
				assert.ErrorIs(t, err, reason, r.what)
			} else {
				assert.NotErrorIs(t, err, reason, r.what)
			}
		}
		assert.ErrorContains(t, err, says[r.what], r.what)
		assert.Equal(t, r.remembered, g.v.Stats().Hits > before.Hits, r.what)
	}
}

// A row that is accepted, or refused for another reason, is not measured.
func TestWrongRowsAreNotMeasured(t *testing.T) {
	g, list := newRefusals(t)
	good := list[len(list)-1]
	good.scoped = false
	_, err := g.refusing(good)
	assert.Error(t, err)
	other := list[0]
	other.reason = verifier.ErrExpired
	_, err = g.refusing(other)
	assert.ErrorIs(t, err, verifier.ErrNoToken)
}

func TestAnswers(t *testing.T) {
	g, list := newRefusals(t)
	for _, r := range list {
		want := map[error]string{verifier.ErrNoToken: "401", verifier.ErrScope: "403 insufficient_scope"}[r.reason]
		if want == "" {
			want = "401 invalid_token"
		}
		assert.Equal(t, want, g.answer(r), r.what)
	}
}
