package main

import (
	"fmt"
	"net/http"
	"runtime"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/measure"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/peers"
)

// requests are made once, so that making them is not measured.
type requests []request

type request struct {
	*http.Request
	answer answer
}

// newRequests leaves out a few tokens, so that workers who take turns never meet
// at one request.
func newRequests(n int, token func(i int) string) requests {
	all := make(requests, max(1, n-n%runtime.GOMAXPROCS(0)))
	for i := range all {
		r := peers.Must(http.NewRequest(http.MethodGet, "/orders", nil))
		r.Header.Set("Authorization", "Bearer "+token(i))
		all[i] = request{r, answer{header: make(http.Header)}}
	}
	return all
}

func (all requests) to(h http.Handler) measure.Op {
	return func(i int) error {
		r := &all[i%len(all)]
		clear(r.answer.header)
		r.answer.status = 0
		h.ServeHTTP(&r.answer, r.Request)
		if r.answer.status != http.StatusNoContent {
			return fmt.Errorf("status %d", r.answer.status)
		}
		return nil
	}
}

// asking sends one token.
func asking(h http.Handler) peers.Verify {
	return func(raw string) error { return newRequests(1, func(int) string { return raw }).to(h)(0) }
}

// answer is the cheapest http.ResponseWriter.
type answer struct {
	header http.Header
	status int
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) Write(b []byte) (int, error) { return len(b), nil }
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}
