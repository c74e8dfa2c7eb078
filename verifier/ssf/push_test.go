package ssf_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
	"github.com/seed-12ed5b1c/jwtguard/verifier/ssf"
)

// unread is a body that must not be read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("S1 the body was read")
	return 0, io.EOF
}

func TestUnauthenticatedPushes(t *testing.T) {
	for name, change := range map[string]func(h http.Header){
		"S1 no Authorization":          func(h http.Header) { h.Del("Authorization") },
		"S1 an empty one":              func(h http.Header) { h.Set("Authorization", "") },
		"S1 another secret":            func(h http.Header) { h.Set("Authorization", strings.Replace(secret, "2b", "2c", 1)) },
		"S1 the beginning of it":       func(h http.Header) { h.Set("Authorization", secret[:len(secret)-1]) },
		"S1 more than it":              func(h http.Header) { h.Set("Authorization", secret+"0") },
		"S1 two fields":                func(h http.Header) { h.Add("Authorization", secret) },
		"S1 the scheme in another way": func(h http.Header) { h.Set("Authorization", strings.ToLower(secret)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, nil)
				fetches := s.iss.Fetches()
				for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodOptions} {
					r := request("")
					r.Method, r.Body = method, io.NopCloser(unread{t})
					change(r.Header)
					s.refused(s.send(r), 400, ssf.AuthenticationFailed)
				}
				assert.Equal(t, fetches, s.iss.Fetches(), "S1 nothing is fetched")
			})
		})
	}
}

// With Authenticate, it decides, and with both, both must agree.
func TestAuthenticate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var answer error
		calls := 0
		authenticate := func(r *http.Request) error {
			calls++
			assert.Equal(t, "/events", r.URL.Path)
			return answer
		}
		alone := newScene(t, func(c *ssf.Config) { c.Authorization, c.Authenticate = nil, authenticate })
		both := newScene(t, func(c *ssf.Config) { c.Authenticate = authenticate })
		for _, s := range []*scene{alone, both} {
			answer = nil
			r := request(s.set(nil))
			r.Header.Del("Authorization")
			if s == alone {
				s.accepted(s.send(r), ssf.Applied)
			} else {
				s.refused(s.send(r), 400, ssf.AuthenticationFailed)
				s.accepted(s.push(s.set(nil)), ssf.Applied)
			}
			s.calls = nil
			answer = errors.New("no client certificate")
			r = request("")
			r.Body = io.NopCloser(unread{t})
			s.refused(s.send(r), 400, ssf.AuthenticationFailed)
			assert.ErrorIs(t, s.last().Err, answer, "S10 the log has the cause")
			answer = fmt.Errorf("an old client: %w", ssf.ErrAccessDenied)
			s.refused(s.send(r), 400, ssf.AccessDenied)
			assert.ErrorIs(t, s.last().Err, answer, "S10 the log has the cause")
		}
		assert.Equal(t, 6, calls, "S1 not without the Authorization that is required, too")
	})
}

// During a rotation, all secrets are accepted.
func TestRotationOfSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const other, shortest = "Basic cmVjZWl2ZXI6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==", "Bearer abcdefghijklmnopqrstuvwx~"
		s := newScene(t, func(c *ssf.Config) { c.Authorization = []string{other, secret, shortest} })
		for _, value := range []string{secret, other, shortest} {
			r := request(s.set(nil))
			r.Header.Set("Authorization", value)
			assert.Equal(t, 202, s.send(r).Code, "S1 %s", value)
		}
	})
}

func TestBadPushes(t *testing.T) {
	long := strings.Repeat("a", 64<<10+1)
	const notPOST, notSET, noType = "The method is not POST.", "The body is not a SET in compact serialization.", "The Content-Type is not application/secevent+jwt."
	for name, row := range map[string]struct {
		change      func(r *http.Request)
		status      int
		description string
	}{
		"S2 GET":                    {func(r *http.Request) { r.Method = http.MethodGet }, 405, notPOST},
		"S2 PUT":                    {func(r *http.Request) { r.Method = http.MethodPut }, 405, notPOST},
		"S2 no Content-Type":        {func(r *http.Request) { r.Header.Del("Content-Type") }, 400, noType},
		"S2 JSON":                   {func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }, 400, noType},
		"S2 a JWT":                  {func(r *http.Request) { r.Header.Set("Content-Type", "application/jwt") }, 400, noType},
		"S2 a broken Content-Type":  {func(r *http.Request) { r.Header.Set("Content-Type", "application/secevent+jwt; =") }, 400, noType},
		"S2 no body":                {func(r *http.Request) { r.Body = http.NoBody }, 400, notSET},
		"S2 a body that is too big": {func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(long)) }, 413, "The body has more than 65536 bytes."},
		"S2 of 64 KiB":              {func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(long[1:])) }, 400, notSET},
		"S2 that breaks off":        {func(r *http.Request) { r.Body = io.NopCloser(io.MultiReader(r.Body, broken{})) }, 400, "The body could not be read."},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, nil)
				r := request(s.set(nil))
				row.change(r)
				w := s.send(r)
				s.refused(w, row.status, ssf.InvalidRequest)
				assert.Contains(t, w.Body.String(), text(row.description))
			})
		})
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestGoodPushes(t *testing.T) {
	for name, change := range map[string]func(h http.Header){
		"S2 as RFC 8935 shows it": func(http.Header) {},
		"S2 Content-Type with a parameter, in another case": func(h http.Header) {
			h.Set("Content-Type", "Application/SecEvent+JWT; charset=utf-8")
		},
		"S2 without Accept": func(h http.Header) { h.Del("Accept") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, nil)
				r := request(s.set(nil))
				change(r.Header)
				s.accepted(s.send(r), ssf.Applied)
			})
		})
	}
}

func TestConcurrentPushesAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := newScene(t, func(c *ssf.Config) {
			c.MaxConcurrent, c.Observe = 3, nil
			c.Revoke = func(context.Context, ...revocation.Entry) error {
				<-release
				return nil
			}
		})
		set, codes := s.set(nil), make(chan int, 3)
		for range 3 {
			go func() { codes <- s.push(set).Code }()
		}
		synctest.Wait()
		w := s.push(set)
		assert.Equal(t, 503, w.Code, "S2 the fourth")
		assert.Equal(t, "5", w.Header().Get("Retry-After"))
		stranger := request(set)
		stranger.Header.Del("Authorization")
		assert.Equal(t, 400, s.send(stranger).Code, "S2 a stranger takes no place")
		close(release)
		for range 3 {
			assert.Equal(t, 202, <-codes)
		}
		assert.Equal(t, 202, s.push(set).Code, "S2 there is room again")
		assert.Equal(t, map[ssf.Outcome]uint64{
			ssf.Applied: 1, ssf.Replayed: 3, ssf.Unavailable: 1, ssf.AuthenticationFailed: 1,
		}, s.r.Stats().Outcomes)
	})
}

// By default, 32 are processed.
func TestDefaultConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := newScene(t, func(c *ssf.Config) {
			c.Observe = nil
			c.Revoke = func(context.Context, ...revocation.Entry) error {
				<-release
				return nil
			}
		})
		set, codes := s.set(nil), make(chan int)
		for range 33 {
			go func() { codes <- s.push(set).Code }()
		}
		synctest.Wait()
		assert.Equal(t, 503, <-codes, "S2 the last")
		close(release)
		for range 32 {
			assert.Equal(t, 202, <-codes)
		}
	})
}

// A deadlines writer notes read deadlines.
type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	d.set = append(d.set, at)
	return nil
}

func TestSlowPushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var left time.Duration
		var cause error
		s := newScene(t, func(c *ssf.Config) {
			c.Revoke = func(ctx context.Context, _ ...revocation.Entry) error {
				at, ok := ctx.Deadline()
				require.True(t, ok, "S2 Revoke has a deadline")
				left, cause = time.Until(at), context.Cause(ctx)
				return nil
			}
		})
		ctx, hangUp := context.WithCancel(t.Context())
		hangUp()
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		s.r.ServeHTTP(w, request(s.set(nil)).WithContext(ctx))
		assert.Equal(t, 202, w.Code)
		assert.Equal(t, 10*time.Second, left)
		require.NoError(t, cause, "S9 a transmitter that hangs up stops nothing")
		assert.Equal(t, []time.Time{time.Now().Add(10 * time.Second), {}}, w.set, "S2 a body takes 10 seconds at most")
	})
}
