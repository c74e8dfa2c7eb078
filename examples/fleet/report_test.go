package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const second = time.Second

// usual is a record of 30 seconds in which everything is as it should be. Replica 2 is down
// from 10 to 12, and Redis from 20 to 25. Replica 1 revokes a token after 5 seconds, and
// replica 2 another one after 22.
func usual() (*record, []step) {
	r := newRecord()
	r.start = time.Now().Add(-30 * second)
	r.revocations[revoked] = revocation{1, 5 * second, 5*second + 100*time.Millisecond}
	r.revocations[revokedAway] = revocation{2, 22 * second, 22*second + 100*time.Millisecond}
	r.fetches = []time.Duration{10 * time.Millisecond, 26 * second}
	r.changes = map[string][]change{
		"Redis":     {{0, up}, {20 * second, down}, {25 * second, up}},
		"issuer":    {{0, up}, {27 * second, down}},
		"replica 1": {{0, starting}, {100 * time.Millisecond, up}},
		"replica 2": {{0, starting}, {200 * time.Millisecond, up}, {10 * second, down}, {11 * second, starting}, {12 * second, up}},
		"replica 3": {{28 * second, starting}, {28*second + 400*time.Millisecond, up}},
	}
	for at := 250 * time.Millisecond; at < 30*second; at += 500 * time.Millisecond {
		for replica := 1; replica <= 2; replica++ {
			known := map[kind]time.Duration{revoked: 5 * second, revokedAway: 22 * second}
			if replica == 1 {
				known[revokedAway] = 25 * second
			}
			for _, k := range []kind{good, bound, revoked, revokedAway, sameReplay, farReplay, expired} {
				status := 401
				if k == good || k == bound || at < known[k] {
					status = 200
				}
				r.add(event{kind: k, replica: replica, at: at, took: 2 * time.Millisecond, status: status})
			}
		}
	}
	return r, []step{{"one", 0, 15 * second}, {"two", 15 * second, 30 * second}}
}

func TestReportOfAGoodRun(t *testing.T) {
	rec, steps := usual()
	rec.add(event{kind: good, replica: 2, at: 10*second - time.Millisecond, took: 3 * time.Millisecond, err: io.EOF})     // when it was killed
	rec.add(event{kind: farReplay, replica: 2, at: 21 * second, took: time.Millisecond, status: 200})                     // Redis is away
	rec.add(event{kind: revoked, replica: 2, at: 5*second + 140*time.Millisecond, took: time.Millisecond, status: 200})   // within a second
	rec.add(event{kind: revoked, replica: 1, at: 5*second - 2*time.Millisecond, took: 3 * time.Millisecond, status: 401}) // while it was revoked
	rec.add(event{kind: revokedAway, replica: 1, at: 26 * second, took: 3 * time.Millisecond, status: 200})               // within three seconds
	r := rec.report(steps)
	assert.Empty(t, r.broken())
	assert.Equal(t, 60+60+20+60, r.figures[0].served, "good, bound, and revoked before they were")
	assert.Equal(t, 60+60+28, r.figures[1].served)
	assert.Equal(t, 1, r.figures[0].cutOff)
	assert.Equal(t, 1, r.figures[1].fallback)
	assert.Equal(t, []int{1, 1}, []int{r.figures[0].fetches, r.figures[1].fetches})
	assert.Equal(t, 40*time.Millisecond, r.lastServed[revoked].by)
	assert.Equal(t, second, r.lastServed[revokedAway].by)
	assert.Equal(t, []launch{
		{"replica 1", 100 * time.Millisecond, false}, {"replica 2", 200 * time.Millisecond, false},
		{"replica 2", second, false}, {"replica 3", 400 * time.Millisecond, true},
	}, r.launches)

	var out strings.Builder
	r.table(&out)
	for _, part := range []string{
		"1. one                                                200        0      2 ms",
		"0 +1", "Replica 1 confirmed its revocation after 100 ms. From then on, it took 40 ms until all refused the token, replica 2 as the last.",
		"Replica 2 confirmed its revocation after 100 ms. From the return of Redis on, it took 1,000 ms until all refused the token, replica 1 as the last.", "replica 3 within 400 ms without the issuer",
		"1 that another one had served", "1 requests were under way", "kept    good tokens refused: none",
	} {
		assert.Contains(t, out.String(), part)
	}
	assert.NotContains(t, out.String(), "BROKEN")
}

// Each bound can be broken.
func TestBounds(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*record)
		want   string
	}{
		"a good token refused": {func(r *record) { r.add(event{kind: good, replica: 1, at: 21 * second, status: 503}) },
			"good tokens refused: none, but it is: 1 (status 503)"},
		"a bound one refused": {func(r *record) { r.add(event{kind: bound, replica: 1, at: 21 * second, status: 401}) }, "good tokens refused"},
		"one not yet revoked": {func(r *record) { r.add(event{kind: revoked, replica: 1, at: 4 * second, status: 401}) }, "good tokens refused"},
		"no response": {func(r *record) { r.add(event{kind: good, replica: 1, at: 10 * second, err: errors.New("reset")}) },
			"1 (no response: reset)"},
		"slow":            {func(r *record) { r.add(event{kind: good, replica: 1, at: second, took: 6 * second, status: 200}) }, "served within 5s, but it is: 6,000 ms"},
		"revoked":         {func(r *record) { r.add(event{kind: revoked, replica: 2, at: 7 * second, status: 200}) }, "a revoked token served 1s after that, or 3s after Redis is back: never, but it is: 1"},
		"revoked, late":   {func(r *record) { r.add(event{kind: revoked, replica: 2, at: 22 * second, status: 200}) }, "a revoked token"},
		"revoked, here":   {func(r *record) { r.add(event{kind: revokedAway, replica: 2, at: 24 * second, status: 200}) }, "a revoked token"},
		"revoked, back":   {func(r *record) { r.add(event{kind: revokedAway, replica: 1, at: 28*second + 1, status: 200}) }, "a revoked token"},
		"replayed":        {func(r *record) { r.add(event{kind: farReplay, replica: 2, at: 19 * second, status: 200}) }, "a proof served twice"},
		"replayed, late":  {func(r *record) { r.add(event{kind: farReplay, replica: 2, at: 28*second + 1, status: 200}) }, "a proof served twice"},
		"replayed there":  {func(r *record) { r.add(event{kind: sameReplay, replica: 2, at: 21 * second, status: 200}) }, "a proof served twice"},
		"expired":         {func(r *record) { r.add(event{kind: expired, replica: 2, at: 21 * second, status: 200}) }, "an expired token"},
		"many fetches":    {func(r *record) { r.fetches = append(r.fetches, 16*second, 17*second) }, "at most 2, but it is: 3"},
		"a slow start":    {func(r *record) { r.changes["replica 3"][1].at = 34 * second; r.start = r.start.Add(-5 * second) }, "is ready within 5s of its start, but it is: 6,000 ms"},
		"no such request": {func(r *record) { r.events = r.events[:len(r.events)/2] }, "in every step, but it is: at least 0"},
		"nothing":         {func(r *record) { r.events = nil }, "in every step"},
	} {
		t.Run("W5 "+name, func(t *testing.T) {
			rec, steps := usual()
			row.change(rec)
			broken := rec.report(steps).broken()
			require.Len(t, broken, 1)
			assert.ErrorContains(t, broken[0], row.want)
		})
	}
}

// The picture is well-formed, and its labels are those of what happened.
func TestPicture(t *testing.T) {
	rec, steps := usual()
	rec.add(event{kind: good, replica: 1, at: 21 * second, status: 503})
	for at := 21 * second; at < 25*second; at += bucket {
		rec.add(event{kind: farReplay, replica: 2, at: at, status: 200})
	}
	picture := rec.report(steps).picture()
	texts := make(map[string]int)
	for d := xml.NewDecoder(bytes.NewReader(picture)); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		if text, ok := token.(xml.CharData); ok {
			texts[string(text)]++
		}
	}
	for text, want := range map[string]int{
		"1. one": 1, "2. two": 1, "Redis": 1, "down": 5, "not started": 6, "served again": 1, "still served": 0, "×": 2, "1 ×": 2, "30 s": 1,
	} {
		assert.Equal(t, want, texts[text], text)
	}
	assert.Contains(t, string(picture), "prefers-color-scheme: dark")
}

func TestWrap(t *testing.T) {
	assert.Equal(t, []string{"the issuer", "fails, and", "replica 4", "starts"}, wrap("the issuer fails, and replica 4 starts", 10))
	assert.Equal(t, []string{"extraordinary", "x"}, wrap("extraordinary x", 5))
}
