package main

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// workersAtMost bounds how many requests are under way: what they leave in the
// heap, dead goroutines say, does not come from the APIs.
const workersAtMost = 256

// A load sends what is in stock to the APIs in turn.
type load struct {
	apis   []*api
	stock  *atomic.Pointer[stock]
	rate   int
	client *http.Client
	sent   atomic.Uint64
}

func newLoad(apis []*api, s *atomic.Pointer[stock], rate int) *load {
	return &load{apis: apis, stock: s, rate: rate, client: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: workersAtMost},
		Timeout:   20 * time.Second,
	}}
}

// attack goes on for the time given, or until ctx is done, and returns when
// every request has its answer.
func (l *load) attack(ctx context.Context, d time.Duration, t *tally) {
	a := vegeta.NewAttacker(vegeta.Client(l.client), vegeta.MaxWorkers(workersAtMost))
	defer context.AfterFunc(ctx, func() { a.Stop() })()
	beat, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		t.watch(beat)
	}()
	defer func() {
		close(beat)
		<-done
	}()
	for r := range a.Attack(l.next, vegeta.ConstantPacer{Freq: l.rate, Per: time.Second}, d, "") {
		t.add(r)
	}
}

// next is the load's vegeta.Targeter. The kind travels in the URL's fragment:
// to the tally, not to the API.
func (l *load) next(t *vegeta.Target) error {
	a := l.apis[l.sent.Add(1)%uint64(len(l.apis))]
	r := l.stock.Load().pick()
	t.Method, t.URL = http.MethodGet, a.url+"#"+r.kind
	t.Header = http.Header{}
	if r.fields != nil {
		t.Header["Authorization"] = r.fields
	}
	return nil
}
