package verifier_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A journal keeps what a Logger is told, one line a record.
type journal struct{ lockedBuffer }

func (j *journal) logger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: level}))
}

// count returns how many lines have all parts.
func (j *journal) count(parts ...string) (n int) {
lines:
	for line := range strings.Lines(j.String()) {
		for _, part := range parts {
			if !strings.Contains(line, part) {
				continue lines
			}
		}
		n++
	}
	return n
}

// logged returns a verifier whose Logger writes to the journal from level on.
func logged(t *testing.T, level slog.Level, changes ...func(*set)) (*verifier.Verifier, *journal) {
	j := new(journal)
	v, _ := setup(t, append([]func(*set){func(cfg *set) { cfg.Logger = j.logger(level) }}, changes...)...)
	return v, j
}

func TestRefusalsAreLogged(t *testing.T) {
	s := signerOf("ES256")
	elsewhere := s.token(nil, members{"aud": `"elsewhere"`})

	t.Run("R10 each at Debug, with its cause", func(t *testing.T) {
		v, j := logged(t, slog.LevelDebug)
		for range 3 {
			_, err := v.Verify(ctx, elsewhere)
			require.Error(t, err)
		}
		assert.Equal(t, 3, j.count("level=DEBUG", "elsewhere", "another audience", "status=401"))
	})

	for name, refuse := range map[string]func(v *verifier.Verifier) error{
		"Verify":       func(v *verifier.Verifier) error { _, err := v.Verify(ctx, elsewhere); return err },
		"Authenticate": func(v *verifier.Verifier) error { _, err := v.Authenticate(bearer(elsewhere)); return err },
		"Protect":      func(v *verifier.Verifier) error { return guardError(v.Protect(), bearer(elsewhere)) },
		"Optional":     func(v *verifier.Verifier) error { return guardError(v.Optional(), bearer(elsewhere)) },
		"Require": func(v *verifier.Verifier) error {
			return verifier.Require(verifier.NewContext(ctx, verified(t, v, s.good())), verifier.Scope("x"))
		},
		"RequireGuard": func(v *verifier.Verifier) error {
			r := anonymous()
			r = r.WithContext(verifier.NewContext(ctx, verified(t, v, s.good())))
			return guardError(verifier.RequireGuard(verifier.Scope("x")), r)
		},
	} {
		t.Run("R10 once, by "+name, func(t *testing.T) {
			v, j := logged(t, slog.LevelInfo)
			require.Error(t, refuse(v))
			assert.Equal(t, 1, j.count("level=INFO", "count=1"))
			assert.Equal(t, 1, j.count())
		})
	}

	t.Run("R10 once, an Error of one's own behind FirstOf", func(t *testing.T) {
		log := captureLog(t)
		slog.SetDefault(slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
		own := &verifier.Error{Reason: verifier.ErrDenied, Err: errors.New("of one's own")}
		g := verifier.FirstOf(func(*http.Request) (context.Context, error) { return nil, own })
		_, refused := g.Admit(anonymous())
		assertRefused(t, verifier.ErrDenied, refused)
		assert.Equal(t, 1, strings.Count(log.String(), "level=DEBUG"), log)
		assert.Contains(t, log.String(), "of one's own")
	})

	t.Run("R10 at Info one line per reason a minute, with the count", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v, j := logged(t, slog.LevelInfo)
			refuse := func(n int) {
				for range n {
					_, err := v.Verify(ctx, s.token(nil, members{"aud": `"elsewhere"`}))
					require.Error(t, err)
				}
			}
			refuse(100)
			require.Equal(t, 1, j.count("level=INFO", "elsewhere", "count=1"))
			require.Equal(t, 1, j.count())
			_, err := v.Authenticate(anonymous())
			require.Error(t, err)
			require.Equal(t, 2, j.count(), "another reason")
			<-time.After(time.Minute - 1)
			refuse(10)
			require.Equal(t, 2, j.count())
			<-time.After(1)
			refuse(1)
			require.Equal(t, 1, j.count("count=110"))
			require.Equal(t, 3, j.count())
		})
	})

	t.Run("R10 who, as far as the signature vouches for it", func(t *testing.T) {
		v, j := logged(t, slog.LevelInfo)
		who := members{"client_id": `"billing-7"`, "sub": `"subject-7"`, "jti": `"id-7"`}
		forged := s.token(nil, members{"client_id": `"billing-7"`, "sub": `"subject-7"`, "jti": `"id-7"`, "aud": `"elsewhere"`})
		_, err := v.Verify(ctx, forged)
		require.Error(t, err)
		require.Equal(t, 1, j.count())
		require.Zero(t, j.count("-7"), "it was refused before its signature was verified")
		require.Zero(t, j.count("issuer="), "and nothing stands for it")
		var e *verifier.Error
		require.ErrorAs(t, err, &e)
		require.Zero(t, e.Caller())

		for range 2 { // verified, and remembered
			_, err = v.Verify(ctx, s.token(nil, who), verifier.Scope("none-has-it"))
			require.ErrorAs(t, err, &e)
			assert.Equal(t, verifier.Caller{Issuer: issuer, ClientID: "billing-7", Subject: "subject-7", ID: "id-7"}, e.Caller())
		}
		require.Equal(t, 1, j.count("level=INFO", "issuer="+issuer, "client_id=billing-7", "sub=subject-7", "jti=id-7"))
	})

	t.Run("R10 R4 503 is a warning when it begins", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			down := errors.New("connection refused")
			v, j := logged(t, slog.LevelInfo, func(cfg *set) { cfg.Keys = &keyMap{err: down} })
			for range 600 {
				_, err := v.Verify(ctx, s.good())
				assertRefused(t, verifier.ErrUnavailable, err)
				<-time.After(time.Second)
			}
			require.Equal(t, 1, j.count("level=WARN", "503", "connection refused"))
			require.Equal(t, 1, j.count())
			<-time.After(time.Minute)
			_, err := v.Verify(ctx, s.good())
			require.Error(t, err)
			require.Equal(t, 2, j.count("level=WARN"), "it begins again")
			<-time.After(time.Minute - 1)
			_, err = v.Verify(ctx, s.good())
			require.Error(t, err)
			require.Equal(t, 2, j.count("level=WARN"), "it goes on")
			<-time.After(time.Minute)
			_, err = v.Verify(ctx, s.good())
			require.Error(t, err)
			require.Equal(t, 3, j.count("level=WARN"), "it was over for a minute")
		})
	})

	t.Run("R10 what is set up wrongly is an error", func(t *testing.T) {
		v, j := logged(t, slog.LevelInfo)
		_, err := v.Verify(ctx, s.good(), verifier.Audience("https://nobody.example"))
		assertConfigurationError(t, err)
		require.Equal(t, 1, j.count("level=ERROR", "nobody.example", "Config.Audiences"))
		require.Equal(t, 1, j.count())
	})

	t.Run("R10 what a handler refuses is logged once, too, with who", func(t *testing.T) {
		v, j := logged(t, slog.LevelDebug)
		inside := verifier.NewContext(ctx, verified(t, v, s.good()))
		verifier.AsError(inside, errors.New("closed on Sundays"))
		require.Equal(t, 1, j.count("level=DEBUG", "closed on Sundays", "issuer="+issuer))
		before := j.count()
		verifier.AsError(inside, &verifier.Error{Reason: verifier.ErrDenied, Err: errors.New("by hand")})
		require.Equal(t, 1, j.count("level=DEBUG", "by hand", "issuer="+issuer))
		verifier.AsError(inside, verifier.AsError(inside, &verifier.Error{Reason: verifier.ErrDenied}))
		require.Equal(t, before+2, j.count(), "once each")
		refused := verifier.Require(inside, verifier.Scope("x"))
		before = j.count()
		verifier.AsError(inside, refused)
		require.Equal(t, before, j.count(), "Require has logged it")
	})

	t.Run("R10 a handler that returns a refusal does not log it again", func(t *testing.T) {
		keys := keysOf(s)
		v, j := logged(t, slog.LevelDebug, func(cfg *set) { cfg.Keys = keys })
		inside := verifier.NewContext(ctx, verified(t, v, s.good()))
		keys.err = errors.New("connection refused")
		for name, refuse := range map[string]func() (*verifier.Token, error){
			"no token":         func() (*verifier.Token, error) { return v.Authenticate(anonymous()) },
			"no JWT":           func() (*verifier.Token, error) { return v.Verify(ctx, "x") },
			"another audience": func() (*verifier.Token, error) { return v.Verify(ctx, elsewhere) },
			"no keys":          func() (*verifier.Token, error) { return v.Verify(ctx, s.good()) },
		} {
			_, err := refuse()
			require.Error(t, err)
			before := j.count("level=DEBUG")
			require.Positive(t, before)
			verifier.AsError(inside, err)
			assert.Equal(t, before, j.count("level=DEBUG"), name)
		}
	})

	t.Run("R10 on a route without a Verifier", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { // in which no other test has logged
			log := captureLog(t)
			for range 3 {
				verifier.AsError(ctx, errors.New("closed on Sundays"))
			}
			assert.Equal(t, 1, strings.Count(log.String(), "level=INFO"))
			assert.Contains(t, log.String(), "closed on Sundays")
		})
	})

	t.Run("R10 without a token a request that may pass is not refused", func(t *testing.T) {
		v, j := logged(t, slog.LevelDebug)
		require.NoError(t, guardError(v.Optional(), anonymous()))
		require.Zero(t, j.count())
	})

	t.Run("R9 who is cut, too", func(t *testing.T) {
		v, j := logged(t, slog.LevelInfo)
		_, err := v.Verify(ctx, s.token(nil, members{"sub": `"` + strings.Repeat("s", 9000) + `"`}), verifier.Scope("none-has-it"))
		require.Error(t, err)
		assert.Equal(t, 1, j.count(" sub="+strings.Repeat("s", 200)+" "))
		assert.Less(t, len(j.String()), 1000)
	})

	t.Run("R9 what the token said is quoted and cut", func(t *testing.T) {
		v, j := logged(t, slog.LevelDebug)
		raw := s.token(nil, members{"aud": `"\nlevel=ERROR ` + strings.Repeat("x", 5000) + `"`})
		_, err := v.Verify(ctx, raw)
		require.Error(t, err)
		require.Equal(t, 2, j.count())
		assert.Less(t, len(j.String()), 1600)
		assert.NotContains(t, j.String(), raw[:40])
	})
}

// A loggingPanic is a handler with a bug.
type loggingPanic struct{ slog.Handler }

func (loggingPanic) Enabled(context.Context, slog.Level) bool { panic("a bug elsewhere") }

func TestLoggerThatPanics(t *testing.T) {
	t.Run("R10 a Logger that panics changes no answer", func(t *testing.T) {
		v, _ := setup(t, func(cfg *set) { cfg.Logger = slog.New(loggingPanic{}) })
		err := guardError(v.Protect(), anonymous())
		assertRefused(t, verifier.ErrNoToken, err)
	})
}

func TestDefaultLogger(t *testing.T) { // not parallel: it changes the process
	j, before := new(journal), slog.Default()
	slog.SetDefault(j.logger(slog.LevelInfo))
	defer slog.SetDefault(before)
	v, err := verifier.New(config())
	require.NoError(t, err)
	_, err = v.Authenticate(anonymous())
	require.Error(t, err)
	assert.Equal(t, 1, j.count("level=INFO", "no access token"), "R10 without a Logger, slog.Default() hears of it")
	require.NoError(t, v.Close())
}

func TestKeysLogWhereTheVerifierDoes(t *testing.T) {
	t.Run("K3 R10 Settings.Logger receives what concerns keys, too", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j := new(journal)
			cfg := verifier.Config{Issuer: "https://issuer.example", Audiences: []string{api}}
			cfg.JWKS.HTTPClient = &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("refused") })}
			v := newVerifierWith(t, verifier.Settings{Logger: j.logger(slog.LevelInfo)}, cfg)
			synctest.Wait()
			assert.Equal(t, 1, j.count("level=WARN", "fetching the issuer's keys fails", "issuer.example"))
			require.NoError(t, v.Close())
		})
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Operators read the cause in either of slog's formats, although the error
// marshals to the client's half.
func TestErrorsAreLoggedWithTheirCause(t *testing.T) {
	v, _ := setup(t)
	_, err := v.Verify(ctx, signerOf("ES256").token(nil, members{"aud": `"elsewhere"`}))
	assertRefused(t, verifier.ErrAudience, err)
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"JSON": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			slog.New(handler(&log)).Warn("refused", "cause", err)
			assert.Contains(t, log.String(), "elsewhere")
			assert.Contains(t, log.String(), "another audience")
		})
	}
}
