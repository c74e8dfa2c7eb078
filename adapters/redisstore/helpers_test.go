package redisstore_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"
)

// A redisServer is a Redis inside a synctest bubble: connections are pipes, and it has the
// bubble's clock.
type redisServer struct {
	*miniredis.Miniredis
	gone       atomic.Bool  // refuses connections
	hangs      atomic.Bool  // answers nothing
	loseAnswer atomic.Bool  // closes the connection in place of the next answer
	commands   atomic.Int64 // received
	received   atomic.Int64 // bytes that clients have read
	answer     server.Hook  // answers in place of the server, if not nil; set before the first connection
}

func newServer(t *testing.T) *redisServer {
	s := &redisServer{Miniredis: miniredis.NewMiniRedis()}
	s.ClockTTL(true)
	t.Cleanup(s.Close)
	return s
}

var errGone = errors.New("connection refused")

func (s *redisServer) dial(context.Context, string, string) (net.Conn, error) {
	if s.gone.Load() {
		return nil, errGone
	}
	conn, err := s.Dial()
	if err != nil {
		return nil, err
	}
	s.Server().SetPreHook(func(p *server.Peer, command string, args ...string) bool {
		s.commands.Add(1)
		for s.hangs.Load() {
			time.Sleep(time.Millisecond)
		}
		return s.answer != nil && s.answer(p, command, args...)
	})
	return &lossy{Conn: conn, server: s}, nil
}

// stop ends all connections, and refuses others until start.
func (s *redisServer) stop()  { s.gone.Store(true); s.Close() }
func (s *redisServer) start() { s.gone.Store(false) }

// A lossy connection loses answers.
type lossy struct {
	net.Conn
	server *redisServer
}

func (c *lossy) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.server.received.Add(int64(n))
	if n > 0 && c.server.loseAnswer.CompareAndSwap(true, false) {
		return 0, errors.Join(io.EOF, c.Close())
	}
	return n, err
}

// client returns a client of s, which is closed with the test.
func (s *redisServer) client(t *testing.T, change ...func(*redis.Options)) *redis.Client {
	t.Helper()
	o := &redis.Options{
		Addr: "127.0.0.1:6379", Dialer: s.dial, ContextTimeoutEnabled: true, DialerRetries: 1,
		DisableIdentity: true, Protocol: 2,
	}
	for _, f := range change {
		f(o)
	}
	c := redis.NewClient(o)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// bubble runs a test with the clock of a synctest bubble.
func bubble(t *testing.T, name string, f func(*testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

type clientTest struct {
	client redis.UniversalClient
	want   string // in the error; empty: none
}

// clients returns clients that can be used, and others.
func clients(t *testing.T) map[string]clientTest {
	t.Helper()
	cluster := func(o redis.ClusterOptions) redis.UniversalClient { return redis.NewClusterClient(&o) }
	all := map[string]clientTest{
		"single":                     {client: redis.NewClient(&redis.Options{ContextTimeoutEnabled: true})},
		"single without limit":       {client: redis.NewClient(&redis.Options{}), want: "ContextTimeoutEnabled"},
		"Sentinel":                   {client: redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "m", ContextTimeoutEnabled: true})},
		"Sentinel without limit":     {client: redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "m"}), want: "ContextTimeoutEnabled"},
		"Cluster":                    {client: cluster(redis.ClusterOptions{ContextTimeoutEnabled: true})},
		"Cluster without limit":      {client: cluster(redis.ClusterOptions{}), want: "ContextTimeoutEnabled"},
		"Cluster, replicas":          {client: cluster(redis.ClusterOptions{ContextTimeoutEnabled: true, ReadOnly: true}), want: "ReadOnly"},
		"Cluster, the nearest":       {client: cluster(redis.ClusterOptions{ContextTimeoutEnabled: true, RouteByLatency: true}), want: "RouteByLatency"},
		"Cluster, any":               {client: cluster(redis.ClusterOptions{ContextTimeoutEnabled: true, RouteRandomly: true}), want: "RouteRandomly"},
		"Ring":                       {client: redis.NewRing(&redis.RingOptions{ContextTimeoutEnabled: true})},
		"Ring without limit":         {client: redis.NewRing(&redis.RingOptions{}), want: "ContextTimeoutEnabled"},
		"a type that somebody wrote": {client: struct{ *redis.Client }{redis.NewClient(&redis.Options{})}},
	}
	for _, c := range all {
		t.Cleanup(func() { _ = c.client.Close() })
	}
	all["nil"] = clientTest{want: "nil"}
	all["no client"] = clientTest{client: (*redis.Client)(nil), want: "nil"}
	all["no Cluster"] = clientTest{client: (*redis.ClusterClient)(nil), want: "nil"}
	all["no Ring"] = clientTest{client: (*redis.Ring)(nil), want: "nil"}
	return all
}
