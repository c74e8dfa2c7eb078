// Package races puts libraries through the faults of an authorization server,
// over real sockets on loopback, each library against a server of its own.
package races

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/authority"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/peers"
)

// Contestants take part in every race.
var Contestants = append([]peers.Library{peers.Jwtguard, peers.JwtguardNoCache}, peers.Libraries...)

// A Race is one fault.
type Race struct {
	Name    string
	Columns []string // what is told of each contestant

	refresh time.Duration // 0 is the library's own
	run     func(*lap) ([]string, error)
}

// often is the refresh interval where a race is about refreshing. The servers
// send no Cache-Control, so that it counts.
const often = time.Second

// Heats are all the races. Those of one heat may run at the same time.
var Heats = [][]Race{
	{
		{"storm", []string{"fetches for 100 tokens with made-up kids"}, 0, storm},
	},
	{
		{"rotation", []string{"new key accepted"}, 0, rotation(0)},
		{"rotation after 1 made-up kid", []string{"new key accepted"}, 0, rotation(1)},
		{"rotation after 100 made-up kids", []string{"new key accepted"}, 0, rotation(100)},
		{"rotation, refresh every second", []string{"new key accepted"}, often, rotation(0)},
		{"the same after 100 made-up kids", []string{"new key accepted"}, often, rotation(100)},
	},
	{
		{"outage", []string{"good tokens accepted", "fetches for 100 good tokens"}, often, outage},
		{"withdrawal", []string{"old key refused"}, often, withdrawal},
	},
	{
		{"hang", []string{"slowest good token"}, often, hang},
	},
}

// A lap is one contestant's part in a race.
type lap struct {
	ctx    context.Context
	signer *authority.Signer
	verify peers.Verify
}

// Run lets all contestants take part at the same time. The cells are in their
// order.
func (r Race) Run(ctx context.Context) ([][]string, error) {
	cells := make([][]string, len(Contestants))
	errs := make([]error, len(Contestants))
	var all sync.WaitGroup
	for i, c := range Contestants {
		all.Go(func() { cells[i], errs[i] = r.lap(ctx, c) })
	}
	all.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", r.Name, Contestants[i].Name, err)
		}
	}
	return cells, nil
}

func (r Race) lap(ctx context.Context, c peers.Library) ([]string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server, err := authority.New("ES256")
	if err != nil {
		return nil, err
	}
	defer server.Close()
	l := &lap{ctx: ctx, signer: server.Signers["ES256"]}
	trust := peers.TrustIn(l.signer)
	trust.Refresh = r.refresh
	if l.verify, err = c.Open(ctx, trust); err != nil {
		return nil, err
	}
	// The first token loads the keys of those that wait for one.
	good, err := l.signer.With(nil)
	if err != nil {
		return nil, err
	}
	if err := l.verify(good); err != nil {
		return nil, fmt.Errorf("before the race: %w", err)
	}
	return r.run(l)
}

// until tries every 20 ms whether done, for at most 10 seconds, and returns how
// long it took: the first try may wait as well.
func (l *lap) until(done func() bool) (string, error) {
	const limit = 10 * time.Second
	start := time.Now()
	for first := true; time.Since(start) < limit; first = false {
		if done() {
			took := time.Since(start).Seconds()
			switch {
			case !first:
				return fmt.Sprintf("after %.1f s", took), nil
			case took >= 0.1:
				return fmt.Sprintf("first try, %.1f s", took), nil
			}
			return "first try", nil
		}
		if err := l.wait(20 * time.Millisecond); err != nil {
			return "", err
		}
	}
	return "not in 10 s", nil
}

func (l *lap) wait(d time.Duration) error {
	select {
	case <-l.ctx.Done():
		return l.ctx.Err()
	case <-time.After(d):
		return nil
	}
}
