package main

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// Long enough for a planned rotation and a restart.
func TestSoak(t *testing.T) {
	r, err := soak(t.Context(), config{duration: 11 * time.Second, warmUp: time.Second, rate: 100})
	require.NoError(t, err)
	var out bytes.Buffer
	r.print(&out, true)
	assert.Empty(t, r.broken(), "%s", &out)
	assert.Contains(t, out.String(), "Every promise was kept.")
	assert.Equal(t, []int{1, 1}, []int{r.events.planned, r.events.restarts})
	assert.Contains(t, out.String(), "| bad tokens accepted | 0 | 0 | 0 |")
	c := r.tally.sum()
	assert.Positive(t, c.open, "a key was published while nobody could know of it")
	assert.Equal(t, c.requests, c.good+c.bad+c.open+c.lost, "every request is counted as something")
}

// observing changes a report of 4 requests and 5 fetches, of which one failed.
func observing(s observedCounts) func(*report) {
	return func(r *report) {
		r.stats, r.observed = []jwkscache.Stats{{Fetches: 5, Failures: 1}}, []observedCounts{s}
	}
}

// A promise that is not kept is noticed.
func TestVerdict(t *testing.T) {
	const url = "http://127.0.0.1:1/orders"
	body := []byte(clientID)
	for _, row := range []struct {
		name   string
		result vegeta.Result
		change func(*report)
		want   string // "" for none
	}{
		{name: "all well"},
		{name: "good token refused", result: vegeta.Result{URL: url + "#good", Code: 401}, want: "1 good tokens refused"},
		{name: "good token, 503", result: vegeta.Result{URL: url + "#good", Code: 503}, want: "1 good tokens refused"},
		{name: "somebody else", result: vegeta.Result{URL: url + "#good", Code: 200, Body: []byte("x")}, want: "1 good tokens refused"},
		{name: "bad token accepted", result: vegeta.Result{URL: url + "#expired", Code: 200}, want: "1 bad tokens accepted"},
		{name: "bad token, 503", result: vegeta.Result{URL: url + "#expired", Code: 503}, want: "1 answers other than promised"},
		{name: "unknown kid, 503", result: vegeta.Result{URL: url + "#" + unknown, Code: 503}},
		{name: "unknown kid accepted", result: vegeta.Result{URL: url + "#" + unknown, Code: 200}, want: "1 bad tokens accepted"},
		{name: "two fields, 401", result: vegeta.Result{URL: url + "#" + two, Code: 401}, want: "1 answers other than promised"},
		{name: "in between, accepted", result: vegeta.Result{URL: url + "#" + between, Code: 200}},
		{name: "in between, 500", result: vegeta.Result{URL: url + "#" + between, Code: 500}, want: "1 answers other than promised"},
		{name: "early accepted", result: vegeta.Result{URL: url + "#" + early, Code: 200}, want: "1 answers other than promised"},
		{name: "no answer", result: vegeta.Result{URL: url + "#expired", Error: "EOF"}, want: "1 transport errors"},
		{name: "fetches", change: func(r *report) { r.stats = []jwkscache.Stats{{Fetches: 6}} }, want: "6 fetches of net/http's cache, where 5 are the most"},
		{name: "a decision that was not observed", change: observing(observedCounts{3, 2, 5, 1}),
			want: "3 decisions of net/http were observed, 2 admitted, of 4 requests, 2 admitted"},
		{name: "an admission that was not observed", change: observing(observedCounts{4, 1, 5, 1}), want: "4 decisions of net/http were observed, 1 admitted, of 4 requests, 2 admitted"},
		{name: "fetches that were not observed", change: observing(observedCounts{4, 2, 3, 1}),
			want: "3 fetches of net/http's cache were observed, 1 failed, of 5, 1 failed"},
		{name: "a failure that was not observed", change: observing(observedCounts{4, 2, 5, 0}), want: "5 fetches of net/http's cache were observed, 0 failed, of 5, 1 failed"},
		{name: "everything observed", change: observing(observedCounts{4, 2, 5, 1})},
		{name: "a fetch under way", change: observing(observedCounts{4, 2, 4, 1})},
		{name: "heap", change: func(r *report) { r.after.heap += heapSlack + 1 }, want: "the heap has grown"},
		{name: "goroutines", change: func(r *report) { r.after.goroutines += goroutineSlack + 1 }, want: "goroutines are left"},
		{name: "idle", change: func(r *report) { r.tally.apis[url].good = 0 }, want: "nothing was tested"},
	} {
		t.Run(row.name, func(t *testing.T) {
			apis := []*api{{name: "net/http", url: url}}
			now := func() string { return "a restart" }
			r := &report{apis: apis, warm: newTally(apis, now), tally: newTally(apis, now)}
			for _, tally := range []*tally{r.warm, r.tally} {
				tally.add(&vegeta.Result{URL: url + "#good", Code: 200, Body: body})
				tally.add(&vegeta.Result{URL: url + "#expired", Code: 401})
			}
			if row.result.URL != "" {
				r.tally.add(&row.result)
			}
			if row.change != nil {
				row.change(r)
			}
			if row.want == "" {
				assert.Empty(t, r.broken())
				return
			}
			assert.Contains(t, r.broken(), row.want)
			var out bytes.Buffer
			r.print(&out, false)
			assert.Contains(t, out.String(), "BROKEN: "+row.want)
		})
	}
}

// Every kind in stock has its answers.
func TestStock(t *testing.T) {
	a, err := newAuthority()
	require.NoError(t, err)
	defer func() { require.NoError(t, a.down()) }()
	s, err := a.mint()
	require.NoError(t, err)
	kinds := make(map[string]int)
	for range 2000 {
		r := s.pick()
		kinds[r.kind]++
		assert.NotEmpty(t, promised(r.kind))
	}
	assert.InDelta(t, 2000*2/3, kinds[good], 200)
	assert.Len(t, kinds, 16)
	for _, h := range s.hostile {
		assert.NotContains(t, promised(h.kind), http.StatusOK)
	}
}

// An authority comes back at its address.
func TestAuthority(t *testing.T) {
	a, err := newAuthority()
	require.NoError(t, err)
	get := func() error {
		res, err := http.Get(a.Issuer() + "/jwks.json")
		if err != nil {
			return err
		}
		return res.Body.Close()
	}
	require.NoError(t, get())
	require.NoError(t, a.down())
	require.NoError(t, a.down())
	require.Error(t, get())
	require.NoError(t, a.up())
	require.NoError(t, a.up())
	require.NoError(t, get())
	require.NoError(t, a.down())
}
