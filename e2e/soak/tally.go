package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// A tally counts answers, by API and by kind.
type tally struct {
	now      func() string // what the authority is going through
	apis     map[string]*count
	kinds    map[string]map[int]int // and status; 0 is no answer
	examples []string               // of broken promises
	late     vegeta.LatencyMetrics  // the machine
}

// A count is what one API answered.
type count struct {
	requests     int
	ok           int // with status 200
	good, denied int // good tokens, and those of them refused
	bad, passed  int // bad tokens, and those of them accepted
	open         int // tokens of a key that an API may or may not know: neither good nor bad
	odd          int // other answers than those promised
	lost         int // requests that failed below HTTP
	latency      vegeta.LatencyMetrics
}

const examplesAtMost = 10

func newTally(apis []*api, now func() string) *tally {
	t := &tally{now: now, apis: make(map[string]*count), kinds: make(map[string]map[int]int)}
	for _, a := range apis {
		t.apis[a.url] = new(count)
	}
	return t
}

func (t *tally) add(r *vegeta.Result) {
	url, kind, _ := strings.Cut(r.URL, "#")
	c, status := t.apis[url], int(r.Code)
	c.requests++
	if status == http.StatusOK {
		c.ok++
	}
	if t.kinds[kind] == nil {
		t.kinds[kind] = make(map[int]int)
	}
	t.kinds[kind][status]++
	kept := slices.Contains(promised(kind), status)
	switch {
	case status == 0:
		c.lost++
		kept = false
	case kind == good:
		c.good++
		c.latency.Add(r.Latency)
		if kept = kept && string(r.Body) == clientID; !kept {
			c.denied++
		}
	case kind != between && kind != early:
		c.bad++
		if status < http.StatusBadRequest {
			c.passed++
		} else if !kept {
			c.odd++
		}
	default:
		c.open++
		if !kept {
			c.odd++
		}
	}
	if !kept && len(t.examples) < examplesAtMost {
		t.examples = append(t.examples, fmt.Sprintf("%s (%s): %d %s %.100q after %s, at %s",
			kind, url, status, r.Error, r.Body, r.Latency.Round(time.Millisecond), t.now()))
	}
}

// sum adds all APIs up. Its latency is none.
func (t *tally) sum() (all count) {
	for _, c := range t.apis {
		all.requests += c.requests
		all.good += c.good
		all.denied += c.denied
		all.bad += c.bad
		all.passed += c.passed
		all.open += c.open
		all.odd += c.odd
		all.lost += c.lost
	}
	return all
}
