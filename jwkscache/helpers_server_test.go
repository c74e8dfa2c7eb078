package jwkscache_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

const jwksURL = "https://issuer.example/jwks"

// A responder is what a server does with one request.
type responder func(*http.Request) (*http.Response, error)

// A server is an issuer's server in memory: an http.RoundTripper that keeps
// count. Addresses without a responder are 404.
type server struct {
	mu         sync.Mutex
	responders map[string]responder
	log        []request
}

type request struct {
	url    string
	at     time.Time
	header http.Header
}

// newServer returns a server that has a at the key set's address.
func newServer(a responder) *server {
	return &server{responders: map[string]responder{jwksURL: a}}
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.log = append(s.log, request{r.URL.String(), time.Now(), r.Header})
	a := s.responders[r.URL.String()]
	s.mu.Unlock()
	if a == nil {
		a = reply(http.StatusNotFound, "")
	}
	res, err := a(r)
	if res != nil {
		res.Request = r
	}
	return res, err
}

// serve changes what is at the key set's address from the next request on.
func (s *server) serve(a responder) { s.at(jwksURL, a) }

func (s *server) at(url string, a responder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.responders[url] = a
}

// requests returns the requests to url so far.
func (s *server) requests(url string) (to []request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.log {
		if r.url == url {
			to = append(to, r)
		}
	}
	return to
}

// fetches counts the requests for the key set.
func (s *server) fetches() int { return len(s.requests(jwksURL)) }

// urls returns the addresses asked so far, in order.
func (s *server) urls() (urls []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.log {
		urls = append(urls, r.url)
	}
	return urls
}

// gaps returns the times between the requests for the key set.
func (s *server) gaps() (gaps []time.Duration) {
	log := s.requests(jwksURL)
	for i := 1; i < len(log); i++ {
		gaps = append(gaps, log[i].at.Sub(log[i-1].at))
	}
	return gaps
}

// reply responds with status, body and header fields, given as name, value, ...
func reply(status int, body string, fields ...string) responder {
	return func(*http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i < len(fields); i += 2 {
			h.Add(fields[i], fields[i+1])
		}
		return &http.Response{
			StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1,
		}, nil
	}
}

// publish responds with a key set of keys.
func publish(keys ...key) responder { return reply(http.StatusOK, setOf(keys...)) }

// fail responds with status.
func fail(status int, fields ...string) responder { return reply(status, "no keys today", fields...) }

// slow responds as a does, after d.
func slow(d time.Duration, a responder) responder {
	return func(r *http.Request) (*http.Response, error) {
		select {
		case <-time.After(d):
			return a(r)
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
}

// hang never responds.
func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// tagged responds with keys and etag, or with 304 if the request has etag.
func tagged(etag string, keys ...key) responder {
	return func(r *http.Request) (*http.Response, error) {
		if r.Header.Get("If-None-Match") == etag {
			return reply(http.StatusNotModified, "", "ETag", etag)(r)
		}
		return reply(http.StatusOK, setOf(keys...), "ETag", etag)(r)
	}
}

// A brokenBody gives text and then err; a nil err means that it hangs until its
// request is over.
type brokenBody struct {
	text io.Reader
	err  error
	done <-chan struct{}
}

func (b *brokenBody) Read(p []byte) (int, error) {
	if n, err := b.text.Read(p); err == nil {
		return n, nil
	}
	if b.err != nil {
		return 0, b.err
	}
	<-b.done
	return 0, io.ErrUnexpectedEOF
}

func (b *brokenBody) Close() error { return nil }

// cutOff responds with text and then breaks off.
func cutOff(text string, err error) responder {
	return func(r *http.Request) (*http.Response, error) {
		res, _ := reply(http.StatusOK, "")(r)
		res.Body = &brokenBody{strings.NewReader(text), err, r.Context().Done()}
		return res, nil
	}
}

// broken is a connection that fails with err.
func broken(err error) responder {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}
