package jose_test

import (
	"crypto"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
)

func TestFindKey(t *testing.T) {
	signer, other := jwttest.NewSigner("ES256"), jwttest.NewSigner("ES256")
	c, err := jose.Parse(signer.Sign(`{"alg":"ES256"}`, `{}`), nil, new(jose.Buffer))
	require.NoError(t, err)
	mine, others := signer.Public(), other.Public()
	alg := jose.ByName("ES256")
	for name, tt := range map[string]struct {
		keys, tried []crypto.PublicKey
		want        crypto.PublicKey
	}{
		"A5 no key":             {},
		"A5 another key":        {keys: []crypto.PublicKey{others}},
		"A5 the second":         {keys: []crypto.PublicKey{others, mine}, want: mine},
		"A5 the fourth":         {keys: []crypto.PublicKey{others, others, others, mine}, want: mine},
		"A5 tried, so skipped":  {keys: []crypto.PublicKey{mine}, tried: []crypto.PublicKey{others, mine}},
		"A5 beside one tried":   {keys: []crypto.PublicKey{others, mine}, tried: []crypto.PublicKey{others}, want: mine},
		"A5 a key of no use":    {keys: []crypto.PublicKey{"a string", mine}, want: mine},
		"A5 another alg's keys": {keys: []crypto.PublicKey{jwttest.NewSigner("Ed25519").Public()}},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := alg.FindKey(tt.keys, tt.tried, &c)
			require.NoError(t, err)
			assert.Equal(t, tt.want, key)
		})
	}
	_, err = alg.FindKey([]crypto.PublicKey{others, others, others, others, mine}, nil, &c)
	require.ErrorIs(t, err, jose.ErrManyKeys, "A5 five keys")
}

func TestPublicKeyAlgorithms(t *testing.T) {
	all, err := jose.PublicKeyAlgorithms(nil)
	require.NoError(t, err)
	var names []string
	for name, a := range all {
		assert.Equal(t, name, a.Name)
		names = append(names, name)
	}
	assert.ElementsMatch(t, jwttest.Asymmetric, names)
	two, err := jose.PublicKeyAlgorithms([]string{"ES256", "PS512"})
	require.NoError(t, err)
	assert.Equal(t, map[string]*jose.Algorithm{"ES256": jose.ByName("ES256"), "PS512": jose.ByName("PS512")}, two)
	for _, names := range [][]string{{}, {"HS256"}, {"ES256", "none"}, {"es256"}, {""}} {
		_, err := jose.PublicKeyAlgorithms(names)
		assert.Error(t, err, "%q", names)
	}
}

func TestStrings(t *testing.T) {
	for value, want := range map[string][]string{
		"": nil, `"a"`: {"a"}, `["a", "b\n"]`: {"a", "b\n"}, `[]`: nil, `["a","b","c"]`: {"a", "b", "c"},
	} {
		got, err := jose.Strings(value, 3, nil)
		require.NoError(t, err)
		assert.Equal(t, want, got, value)
	}
	room := make([]string, 0, 2)
	got, err := jose.Strings(`["a","b"]`, 3, room)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, room[:2], "the given memory is used")
	assert.Len(t, got, 2)
	for value, want := range map[string]error{`["a","b","c","d"]`: jose.ErrLong, `["a",1]`: jose.ErrKind, `{}`: jose.ErrKind, `1`: jose.ErrKind} {
		_, err := jose.Strings(value, 3, nil)
		assert.ErrorIs(t, err, want, value)
	}
}
