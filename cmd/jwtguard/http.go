package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/peer"
)

const (
	timeout = 10 * time.Second // of a whole exchange
	maxBody = 512 << 10        // bytes of a response
)

// newTransport returns a transport with the limits of jwkscache's own client.
func newTransport() http.RoundTripper {
	return finalOnly{&http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		DisableKeepAlives:      true, // so that there is nothing to close
		MaxResponseHeaderBytes: 64 << 10,
	}}
}

// A finalOnly is an http.RoundTripper that takes a status below 200 as an error. The
// body of a 101 is the connection, which no time-out ends.
type finalOnly struct{ next http.RoundTripper }

func (f finalOnly) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := f.next.RoundTrip(req)
	if err == nil && res.StatusCode < http.StatusOK {
		_ = res.Body.Close()
		return nil, fmt.Errorf("the server responded with %d, which ends no exchange", res.StatusCode)
	}
	return res, err
}

// newClient returns a client that follows no redirect. A redirect is an error of
// the type redirectError.
func newClient(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Timeout:   timeout,
		Transport: transport,
		CheckRedirect: func(req *http.Request, _ []*http.Request) error {
			return &redirectError{req.URL.String()}
		},
	}
}

// A redirectError says where a redirect leads that was not followed.
type redirectError struct{ to string }

func (e *redirectError) Error() string {
	return "a redirect to " + address(e.to) + ", which is not followed"
}

// An exchange is one request and its response.
type exchange struct {
	url    string
	status int // 0 if there was no response
	header http.Header
	body   []byte
	err    error
}

// failed reports whether the server was not there, or not able to respond.
func (e *exchange) failed() bool {
	return e.status == 0 || e.err != nil || e.status >= 500 || e.status == http.StatusTooManyRequests
}

// A recorder is an http.RoundTripper that keeps what went through it.
type recorder struct {
	next http.RoundTripper

	mu   sync.Mutex
	seen []*exchange
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := r.next.RoundTrip(req)
	e := &exchange{url: req.URL.String(), err: err}
	if err == nil {
		e.status, e.header = res.StatusCode, res.Header
		// What jwkscache reads, and a byte more, so that it sees what is too long.
		body, readErr := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
		e.body, e.err = body, readErr
		_ = res.Body.Close()
		res.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), errorReader{readErr}))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, e)
	return res, err
}

// An errorReader returns its error, or io.EOF.
type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) {
	if r.err == nil {
		return 0, io.EOF
	}
	return 0, r.err
}

func (r *recorder) exchanges() []*exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

// get sends a GET for a JSON document. The recorder of client has the result.
func get(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "jwtguard")
	res, err := client.Do(req)
	if err != nil {
		return nil, cause(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server responded with %d %s", res.StatusCode, http.StatusText(res.StatusCode))
	}
	return readBody(res.Body)
}

// readBody returns what r has, of at most maxBody bytes.
func readBody(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = fmt.Errorf("the response is over %d bytes", maxBody)
	}
	return body, err
}

// cause returns err without the address that net/http puts before it.
func cause(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		if e.Timeout() {
			return fmt.Errorf("no complete response within %s", timeout)
		}
		return e.Err
	}
	return err
}

// checkURL returns why nothing is sent to raw, or nil. It does not repeat a user or a
// password.
func checkURL(what, raw string, allowHTTP bool) error {
	u, err := url.Parse(raw)
	switch {
	case strings.Contains(raw, "@"):
		return fmt.Errorf("the %s has an @: a user or a password does not belong there", what)
	case err != nil, u.Host == "" && u.Opaque == "" && u.Scheme == "", u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("the %s is a URL such as https://login.example.com, not %s", what, quoted(raw))
	case u.Host == "":
		return fmt.Errorf("the %s %s has no host", what, quoted(raw))
	case u.Fragment != "":
		return fmt.Errorf("the %s %s has a fragment", what, quoted(raw))
	case u.Scheme == "http" && !allowHTTP && !peer.IsLoopback(u.Hostname()):
		return fmt.Errorf("the %s %s is plain http: whoever can change the traffic can sign tokens; "+
			"try https, or add --allow-http in a network that you trust", what, address(raw))
	}
	return nil
}
