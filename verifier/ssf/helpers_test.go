package ssf_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
	"github.com/seed-12ed5b1c/jwtguard/verifier/ssf"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

const (
	audience = "https://receiver.example.com"
	secret   = "Bearer 2b7e151628aed2a6abf7158809cf4f3c"
	caep     = "https://schemas.openid.net/secevent/caep/event-type/"
	risc     = "https://schemas.openid.net/secevent/risc/event-type/"
	stream   = "https://schemas.openid.net/secevent/ssf/event-type/"
)

type members = jwttest.Members

func text(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func seconds(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func event(name, payload string) string { return `{"` + name + `":` + payload + `}` }

// A scene is a receiver, its transmitter, and what was revoked.
type scene struct {
	t       *testing.T
	iss     *verifiertest.Issuer
	r       *ssf.Receiver
	log     logs
	observe []ssf.Delivery

	mu      sync.Mutex
	calls   [][]revocation.Entry // of Revoke
	failure error                // of Revoke
}

// configOf returns a Config for the SETs of iss, which finds its keys in memory.
func configOf(iss *verifiertest.Issuer) ssf.Config {
	return ssf.Config{
		Transmitters: []ssf.Transmitter{{
			Issuer: iss.URL(), Audiences: []string{audience},
			JWKS: jwkscache.Config{HTTPClient: iss.HTTPClient(), MetadataURL: iss.URL() + "/.well-known/openid-configuration"},
		}},
		Authorization: []string{secret},
	}
}

// newScene is for a synctest bubble. The keys are there when it returns.
func newScene(t *testing.T, change func(*ssf.Config)) *scene {
	t.Helper()
	s := &scene{t: t, iss: verifiertest.NewIssuer(t)}
	cfg := configOf(s.iss)
	cfg.Revoke = s.revoke
	cfg.Logger = slog.New(slog.NewJSONHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cfg.Observe = func(d ssf.Delivery) { s.observe = append(s.observe, d) }
	if change != nil {
		change(&cfg)
	}
	var err error
	s.r, err = ssf.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.r.Close()) })
	require.NoError(t, s.r.Ready(t.Context()))
	return s
}

func (s *scene) revoke(_ context.Context, entries ...revocation.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, entries)
	return s.failure
}

// claims returns those of a good SET about alice.
func (s *scene) claims() members {
	return members{
		"iss": text(s.iss.URL()), "aud": text(audience), "jti": `"set-1"`, "iat": seconds(time.Now()),
		"sub_id": s.alice(), "events": event(ssf.SessionRevoked, `{}`),
	}
}

func (s *scene) alice() string {
	return `{"format":"iss_sub","iss":` + text(s.iss.URL()) + `,"sub":"alice"}`
}

// header returns that of a good SET.
func (s *scene) header() members {
	kid, alg := s.iss.Key()
	return members{"typ": `"secevent+jwt"`, "alg": text(alg), "kid": text(kid)}
}

// set returns a good SET with other claims.
func (s *scene) set(claims members) string {
	return s.iss.Sign(s.header().Text(), claims.Over(s.claims()).Text())
}

// request returns the push of a body, to change.
func request(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/events", strings.NewReader(body))
	r.Header = http.Header{
		"Authorization": {secret}, "Content-Type": {"application/secevent+jwt"}, "Accept": {"application/json"},
	}
	return r
}

func (s *scene) send(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.r.ServeHTTP(w, r)
	return w
}

// push sends a SET.
func (s *scene) push(set string) *httptest.ResponseRecorder { return s.send(request(set)) }

// accepted asserts a response of 202, and the outcome.
func (s *scene) accepted(w *httptest.ResponseRecorder, want ssf.Outcome) {
	s.t.Helper()
	assert.Equal(s.t, http.StatusAccepted, w.Code, "%s", w.Body)
	assert.Empty(s.t, w.Body.String(), "S2 no body")
	assert.Equal(s.t, http.Header{"Cache-Control": {"no-store"}}, w.Header())
	assert.Equal(s.t, want, s.last().Outcome, "%v", s.last().Err)
}

// refused asserts a response of 400, or of another status, and the code.
func (s *scene) refused(w *httptest.ResponseRecorder, status int, code ssf.Outcome) {
	s.t.Helper()
	require.Equal(s.t, status, w.Code, "%s", w.Body)
	var body map[string]string
	require.NoError(s.t, json.Unmarshal(w.Body.Bytes(), &body))
	assert.Equal(s.t, string(code), body["err"])
	assert.Regexp(s.t, `^[A-Z][ -~]+\.$`, body["description"])
	assert.Len(s.t, body, 2)
	want := http.Header{
		"Cache-Control": {"no-store"}, "Content-Type": {"application/json"}, "Content-Language": {"en"},
		"Content-Length": {strconv.Itoa(w.Body.Len())},
	}
	if status == http.StatusMethodNotAllowed {
		want["Allow"] = []string{"POST"}
	}
	got := w.Header().Clone()
	maps.DeleteFunc(got, func(name string, _ []string) bool { return name == "Connection" }) // of http.MaxBytesReader
	assert.Equal(s.t, want, got)
	assert.Equal(s.t, code, s.last().Outcome)
	assert.Error(s.t, s.last().Err)
	assert.Empty(s.t, s.calls, "nothing is revoked")
}

// unavailable asserts a response of 503.
func (s *scene) unavailable(w *httptest.ResponseRecorder) {
	s.t.Helper()
	assert.Equal(s.t, http.StatusServiceUnavailable, w.Code, "%s", w.Body)
	assert.Equal(s.t, http.Header{"Cache-Control": {"no-store"}, "Retry-After": {"5"}}, w.Header())
	assert.Empty(s.t, w.Body.String())
	assert.Equal(s.t, ssf.Unavailable, s.last().Outcome)
}

func (s *scene) last() ssf.Delivery {
	s.t.Helper()
	require.NotEmpty(s.t, s.observe)
	return s.observe[len(s.observe)-1]
}

// logs are lines of a slog.JSONHandler.
type logs struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(b)
}

// of returns the lines of package ssf at a level, without time and level.
func (l *logs) of(level slog.Level) (lines []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			panic(err)
		}
		if fields["level"] == level.String() && strings.HasPrefix(fields["msg"].(string), "ssf: ") {
			delete(fields, "time")
			delete(fields, "level")
			lines = append(lines, fmt.Sprint(fields))
		}
	}
	return lines
}
