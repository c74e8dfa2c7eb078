package verifier_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func TestNewErrors(t *testing.T) {
	for name, row := range map[string]struct {
		issuers []verifier.Config
		says    []string
	}{
		"C12 no Config":                   {nil, []string{"no Config"}},
		"C12 one issuer twice":            {[]verifier.Config{part("a"), part("b"), part("a")}, []string{"Config 3", `"a"`, "another Config"}},
		"C12 the second is wrong":         {[]verifier.Config{part("a"), {Issuer: "b"}}, []string{"Config 2", `"b"`, "Audiences"}},
		"C12 one alone is not counted":    {[]verifier.Config{{Issuer: "b"}}, []string{"verifier: no Audiences"}},
		"C12 a long issuer is cut":        {[]verifier.Config{part("a"), {Issuer: strings.Repeat("b", 999)}}, []string{"Config 2", "bbb"}},
		"C12 an issuer without discovery": {[]verifier.Config{part("a"), {Issuer: "not a URL", Audiences: []string{api}}}, []string{"Config 2", "not a URL"}},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := verifier.New(row.issuers...)
			require.Error(t, err)
			assert.Nil(t, v)
			assert.True(t, strings.HasPrefix(err.Error(), "verifier: "), err)
			assert.Less(t, len(err.Error()), 500)
			for _, text := range row.says {
				assert.ErrorContains(t, err, text)
			}
		})
	}
	t.Run("C12 a New that fails leaves nothing running", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { // a goroutine left behind would fail it
			a := verifiertest.NewIssuer(t)
			_, err := verifier.New(a.Config(api), verifier.Config{Issuer: "not a URL", Audiences: []string{api}})
			require.Error(t, err)
		})
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

func TestSeveralIssuers(t *testing.T) {
	s := signerOf("ES256")
	of := func(iss string, more members) string { return s.token(nil, more.Over(members{"iss": `"` + iss + `"`})) }
	t.Run("each issuer with its own demands", func(t *testing.T) {
		v := newVerifier(t,
			part("a", func(cfg *set) { cfg.RFC9068 = true }),
			part("b", func(cfg *set) { cfg.Rules = []verifier.Rule{verifier.Client("billing")} }),
			part("c", func(cfg *set) { cfg.Claims.ClientID, cfg.Types = []string{"cid"}, []string{"c+jwt", "at+jwt"} }),
		)
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
	t.Run("settings are those of all issuers", func(t *testing.T) {
		v := newVerifierWith(t, verifier.Settings{
			TokenFrom:      func(r *http.Request) string { return r.Header.Get("X-Token") },
			MaxTokenLength: len(of("b", nil)) + 10, Realm: "both",
		}, part("a"), part("b"))
		r := anonymous()
		r.Header.Set("X-Token", of("b", nil))
		_, err := v.Authenticate(r)
		require.NoError(t, err)
		_, err = v.Verify(ctx, of("b", members{"x": `"` + strings.Repeat("x", 20) + `"`}))
		assertRefused(t, verifier.ErrMalformed, err)
		assert.Contains(t, challengeOf(t, err), `realm="both"`)
	})
	t.Run("Require knows all issuers", func(t *testing.T) {
		v := newVerifier(t, part("a"), part("b"))
		inside := verifier.NewContext(ctx, verified(t, v, of("a", nil)))
		require.NoError(t, verifier.Require(inside, verifier.Issuer("a", "b")))
		assertRefused(t, verifier.ErrIssuer, verifier.Require(inside, verifier.Issuer("b")))
		assertConfigurationError(t, verifier.Require(inside, verifier.Client("billing")))
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

func (h *health) Ready(ctx context.Context) error { h.asked = ctx; return h.err }

func (h *health) Health() error                     { return h.err }
func (h *health) Refresh(ctx context.Context) error { h.asked = ctx; return h.err }
func (h *health) Stats() jwkscache.Stats            { return jwkscache.Stats{LastError: h.err} }
func (h *health) Close() error                      { h.closed++; return nil }

func TestReadyAndHealth(t *testing.T) {
	down := errors.New("down")
	src := map[string]*health{"a": {}, "b": {}, "c": {}}
	with := func(iss string) verifier.Config {
		return part(iss, func(cfg *set) { cfg.Keys = src[iss] })
	}
	v := newVerifier(t, with("a"), with("b"), with("c"))
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
		several := newVerifier(t, with("a"), with("b"), with("c"), part("d"))
		require.NoError(t, several.Health())
		assert.Equal(t, verifier.IssuerStatus{Issuer: "d"}, several.Issuers()[3])
		require.NoError(t, several.Close())
		require.NoError(t, several.Close())
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
			v := newVerifier(t, cfg, hangs)
			start := time.Now()
			err := v.Ready(t.Context())
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
		v, err := verifier.New(cfgA, cfgB)
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

// A readyLater is ready after a while.
type readyLater struct{ health }

func (*readyLater) Ready(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Second):
		return nil
	}
}

func TestReadyWaitsForEach(t *testing.T) {
	t.Run("K11 one that is ready does not end the wait for another", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := newVerifier(t, part("a", func(cfg *set) { cfg.Keys = &health{} }), part("b", func(cfg *set) { cfg.Keys = &readyLater{} }))
			assert.NoError(t, v.Ready(ctx))
		})
	})
}
