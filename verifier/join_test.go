package verifier_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// part makes a verifier for iss.
func part(t *testing.T, iss string, changes ...func(*verifier.Config)) *verifier.Verifier {
	t.Helper()
	v, _ := setup(t, append([]func(*verifier.Config){func(cfg *verifier.Config) { cfg.Issuer = iss }}, changes...)...)
	return v
}

func TestJoinErrors(t *testing.T) {
	joined := part(t, "x")
	_, err := verifier.Join(joined)
	require.NoError(t, err)
	ab, err := verifier.Join(part(t, "a"), part(t, "b"))
	require.NoError(t, err)
	same := part(t, "a")
	tests := []struct {
		name  string
		parts []*verifier.Verifier
	}{
		{"nothing", nil},
		{"nil", []*verifier.Verifier{nil}},
		{"nil after another", []*verifier.Verifier{part(t, "a"), nil}},
		{"one issuer twice", []*verifier.Verifier{part(t, "a"), part(t, "a")}},
		{"one issuer twice, in a joined part", []*verifier.Verifier{ab, part(t, "b")}},
		{"the same part twice", []*verifier.Verifier{same, same}},
		{"a part that is joined already", []*verifier.Verifier{joined}},
		{"a second part that is joined already", []*verifier.Verifier{part(t, "a"), joined}},
		{"TokenFrom in the second", []*verifier.Verifier{part(t, "a"), part(t, "b", func(cfg *verifier.Config) {
			cfg.TokenFrom = func(*http.Request) string { return "" }
		})}},
		{"TokenLength in the second", []*verifier.Verifier{part(t, "a"), part(t, "b", func(cfg *verifier.Config) { cfg.TokenLength = 9 })}},
		{"Realm in the third", []*verifier.Verifier{part(t, "a"), part(t, "b"), part(t, "c", func(cfg *verifier.Config) { cfg.Realm = "c" })}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := verifier.Join(tt.parts...)
			require.Error(t, err)
			assert.Nil(t, v)
			assert.True(t, strings.HasPrefix(err.Error(), "verifier: Join: "), err)
		})
	}
	t.Run("an error leaves the parts free", func(t *testing.T) {
		a, b := part(t, "a"), part(t, "b")
		for range 2 {
			_, err := verifier.Join(a, b, nil)
			require.Error(t, err)
		}
		v, err := verifier.Join(a, b)
		require.NoError(t, err)
		_, err = verifier.Join(v, part(t, "c"))
		require.NoError(t, err, "a joined verifier is one like others")
		_, err = verifier.Join(v, part(t, "d"))
		require.Error(t, err, "but joins once")
	})
	t.Run("a first part that was joined keeps its settings", func(t *testing.T) {
		first, err := verifier.Join(part(t, "a", func(cfg *verifier.Config) { cfg.Realm = "a" }), part(t, "b"))
		require.NoError(t, err)
		_, err = verifier.Join(part(t, "c"), first)
		require.Error(t, err)
		v, err := verifier.Join(first, part(t, "d"))
		require.NoError(t, err)
		_, err = v.Authenticate(anonymous())
		assert.Contains(t, challengeOf(t, err), `realm="a"`)
	})
}

func challengeOf(t *testing.T, err error) string {
	t.Helper()
	var e *verifier.Error
	require.ErrorAs(t, err, &e)
	h := http.Header{}
	e.SetHeaders(h)
	return h.Get("WWW-Authenticate")
}

func TestJoin(t *testing.T) {
	s := signerOf("ES256")
	of := func(iss string, more members) string { return s.token(nil, more.over(members{"iss": `"` + iss + `"`})) }
	t.Run("each issuer with its own demands", func(t *testing.T) {
		v, err := verifier.Join(
			part(t, "a", func(cfg *verifier.Config) { cfg.RFC9068 = true }),
			part(t, "b", func(cfg *verifier.Config) { cfg.Rules = []verifier.Rule{verifier.Client("billing")} }),
			part(t, "c", func(cfg *verifier.Config) { cfg.Claims.ClientID, cfg.Types = []string{"cid"}, []string{"c+jwt"} }),
		)
		require.NoError(t, err)
		for _, tt := range []struct {
			iss, raw string
			reason   error
			client   string
		}{
			{"a", of("a", nil), nil, "billing"},
			{"b", of("b", nil), nil, "billing"},
			{"c", of("c", members{"cid": `"x"`}), nil, "x"},
			{"d", of("d", nil), verifier.ErrIssuer, ""},
			{"a", of("a", members{"jti": ""}), verifier.ErrClaims, ""},
			{"b", of("b", members{"jti": ""}), nil, "billing"},
			{"b", of("b", members{"client_id": `"x"`}), verifier.ErrDenied, ""},
			{"a", of("a", members{"client_id": `"x"`}), nil, "x"},
			{"c", s.token(members{"typ": `"c+jwt"`}, members{"iss": `"c"`}), nil, ""},
			{"b", s.token(members{"typ": `"c+jwt"`}, members{"iss": `"b"`}), verifier.ErrType, ""},
		} {
			tok, err := v.Verify(ctx, tt.raw)
			if tt.reason != nil {
				assertRefused(t, tt.reason, err)
				continue
			}
			require.NoError(t, err)
			assert.Equal(t, tt.iss, tok.Issuer())
			assert.Equal(t, tt.client, tok.ClientID())
		}
	})
	t.Run("the first part's settings for requests", func(t *testing.T) {
		v, err := verifier.Join(part(t, "a", func(cfg *verifier.Config) {
			cfg.TokenFrom = func(r *http.Request) string { return r.Header.Get("X-Token") }
			cfg.TokenLength, cfg.Realm = len(of("b", nil))+10, "joined"
		}), part(t, "b"))
		require.NoError(t, err)
		r := anonymous()
		r.Header.Set("X-Token", of("b", nil))
		_, err = v.Authenticate(r)
		require.NoError(t, err)
		_, err = v.Verify(ctx, of("b", members{"x": `"` + strings.Repeat("x", 20) + `"`}))
		assertRefused(t, verifier.ErrMalformed, err)
		assert.Contains(t, challengeOf(t, err), `realm="joined"`)
	})
	t.Run("Require knows all parts", func(t *testing.T) {
		v, err := verifier.Join(part(t, "a"), part(t, "b"))
		require.NoError(t, err)
		inside := verifier.NewContext(ctx, verified(t, v, of("a", nil)))
		require.NoError(t, verifier.Require(inside, verifier.Issuer("a", "b")))
		assertRefused(t, verifier.ErrIssuer, verifier.Require(inside, verifier.Issuer("b")))
		assertWiringBug(t, verifier.Require(inside, verifier.Client("billing")))
		require.NoError(t, verifier.Require(inside, verifier.Client("billing"), verifier.Issuer("a")))
	})
}

// health is a KeySource with all that a cache has.
type health struct {
	keyMap
	err    error
	closed int
	asked  context.Context
}

func (h *health) Ready(ctx context.Context) error   { h.asked = ctx; return h.err }
func (h *health) Health() error                     { return h.err }
func (h *health) Refresh(ctx context.Context) error { h.asked = ctx; return h.err }
func (h *health) Stats() jwkscache.Stats            { return jwkscache.Stats{LastError: h.err} }
func (h *health) Close() error                      { h.closed++; return nil }

func TestReadyAndHealth(t *testing.T) {
	down := errors.New("down")
	src := map[string]*health{"a": {}, "b": {}, "c": {}}
	with := func(iss string) *verifier.Verifier {
		return part(t, iss, func(cfg *verifier.Config) { cfg.Keys = src[iss] })
	}
	v, err := verifier.Join(with("a"), with("b"), with("c"))
	require.NoError(t, err)
	for name, call := range map[string]func(context.Context) error{"K11 Ready": v.Ready, "K4 Refresh": v.Refresh} {
		t.Run(name, func(t *testing.T) {
			type mark struct{}
			require.NoError(t, call(context.WithValue(ctx, mark{}, name)))
			for _, h := range src {
				assert.Equal(t, name, h.asked.Value(mark{}))
			}
			src["b"].err = down
			src["c"].err = errors.New("down too")
			err := call(ctx)
			assert.ErrorIs(t, err, down)
			assert.ErrorIs(t, err, src["c"].err)
			assert.Contains(t, err.Error(), `issuer "b"`)
			assert.Contains(t, err.Error(), `issuer "c"`)
			assert.NotContains(t, err.Error(), `issuer "a"`)
			src["b"].err, src["c"].err = nil, nil
		})
	}
	t.Run("K14 Health is nil while any issuer's tokens can be checked, Issuers tells them apart", func(t *testing.T) {
		require.NoError(t, v.Health())
		src["a"].err, src["b"].err = down, down
		require.NoError(t, v.Health())
		assert.Equal(t, []verifier.IssuerStatus{
			{Issuer: "a", Err: down, Keys: jwkscache.Stats{LastError: down}},
			{Issuer: "b", Err: down, Keys: jwkscache.Stats{LastError: down}},
			{Issuer: "c"},
		}, v.Issuers())
		src["c"].err = errors.New("down too")
		err := v.Health()
		assert.ErrorIs(t, err, down)
		assert.ErrorIs(t, err, src["c"].err)
		assert.Contains(t, err.Error(), `issuer "c"`)
	})
	t.Run("K11 keys of one's own that nobody manages are ready", func(t *testing.T) {
		joined, err := verifier.Join(v, part(t, "d"))
		require.NoError(t, err)
		require.NoError(t, joined.Health())
		assert.Equal(t, verifier.IssuerStatus{Issuer: "d"}, joined.Issuers()[3])
		require.NoError(t, joined.Close())
		require.NoError(t, joined.Close())
		assert.Zero(t, src["a"].closed, "keys of your own are yours to close")
	})
}

func TestReadyOfSeveral(t *testing.T) {
	t.Run("K11 Ready returns early when one issuer's metadata is another's, and names each", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			wrong, slow := verifiertest.NewIssuer(t), verifiertest.NewIssuer(t)
			cfg := wrong.Config(api)
			cfg.Issuer += "/"
			hangs := slow.Config(api)
			hangs.Issuer = "https://slow.test"
			slow.Hang()
			v, err := verifier.Join(newVerifier(t, cfg), newVerifier(t, hangs))
			require.NoError(t, err)
			start := time.Now()
			err = v.Ready(t.Context())
			assert.Less(t, time.Since(start), 2*time.Second)
			assert.ErrorContains(t, err, "slash")
			assert.ErrorContains(t, err, "slow.test")
			slow.Heal()
		})
	})
}

func TestCloseAndReadyOfIssuers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := verifiertest.NewIssuer(t), verifiertest.NewIssuer(t)
		cfgA, cfgB := a.Config(api), b.Config(api)
		cfgB.Issuer = "https://b.test"
		va, err := verifier.New(cfgA)
		require.NoError(t, err)
		vb, err := verifier.New(cfgB)
		require.NoError(t, err)
		v, err := verifier.Join(va, vb)
		require.NoError(t, err)

		short, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		err = v.Ready(short)
		assert.ErrorIs(t, err, jwkscache.ErrUnavailable, "b's metadata is another issuer's")
		assert.Contains(t, err.Error(), "https://b.test")
		synctest.Wait() // for a's keys, whatever Ready said of b
		require.NoError(t, v.Health())
		assert.ErrorIs(t, v.Issuers()[0].Err, jwkscache.ErrUnavailable)
		assert.NoError(t, v.Issuers()[1].Err)
		assert.Equal(t, 1, v.Issuers()[1].Keys.Keys)

		require.NoError(t, v.Close(), "both caches: a goroutine left behind would fail the bubble")
		require.NoError(t, v.Close())
		verified(t, v, a.Token(nil))
		<-time.After(25 * time.Hour)
		_, err = v.Verify(ctx, a.Token(nil))
		assertRefused(t, verifier.ErrUnavailable, err)
	})
}

func TestJoinAtTheSameMoment(t *testing.T) {
	a := part(t, "a")
	var wins atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := verifier.Join(a); err == nil {
				wins.Add(1)
			}
		})
	}
	all.Wait()
	assert.EqualValues(t, 1, wins.Load())
}
