package redisstore_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
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
	way      connections
	gone     atomic.Bool            // refuses connections
	hangs    atomic.Bool            // answers nothing
	lose     atomic.Pointer[string] // closes the connection in place of the answer to this command, once
	commands atomic.Int64           // received
	received atomic.Int64           // bytes that clients have read
	full     atomic.Bool            // writes nothing
	mu       sync.Mutex
	seen     map[string]int // commands by name
	answer   server.Hook    // answers in place of the server, if not nil; set before the first connection
}

func newServer(t *testing.T) *redisServer {
	s := &redisServer{Miniredis: miniredis.NewMiniRedis(), seen: make(map[string]int)}
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
		s.mu.Lock()
		s.seen[command]++
		s.mu.Unlock()
		for s.hangs.Load() {
			time.Sleep(time.Millisecond)
		}
		// The scripts that write have four keys.
		if s.full.Load() && (command == "SET" || strings.HasPrefix(command, "EVAL") && args[1] == "4") {
			p.WriteError("OOM command not allowed when used memory > 'maxmemory'.")
			return true
		}
		return s.answer != nil && s.answer(p, command, args...)
	})
	s.way.add(conn)
	return &lossy{Conn: conn, server: s}, nil
}

// count returns how many commands of this name were received.
func (s *redisServer) count(command string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[command]
}

// stop ends all connections but those of admin, and refuses others until start.
func (s *redisServer) stop()  { s.way.close(&s.gone) }
func (s *redisServer) start() { s.gone.Store(false) }

// admin returns a client that stop does not concern.
func (s *redisServer) admin(t *testing.T) *redis.Client {
	return s.client(t, func(o *redis.Options) {
		o.Dialer = func(context.Context, string, string) (net.Conn, error) { return s.Dial() }
	})
}

// connections can be closed all at once.
type connections struct {
	mu  sync.Mutex
	all []net.Conn
}

func (c *connections) add(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, conn)
}

func (c *connections) close(closed *atomic.Bool) {
	closed.Store(true)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.all {
		_ = conn.Close()
	}
	c.all = nil
}

type clientMaker interface {
	client(t *testing.T, change ...func(*redis.Options)) *redis.Client
}

// A path is a way to the server that can be closed.
type path struct {
	*redisServer
	closed atomic.Bool
	conns  connections
}

func (p *path) client(t *testing.T, change ...func(*redis.Options)) *redis.Client {
	return p.redisServer.client(t, append(change, func(o *redis.Options) { o.Dialer = p.dial })...)
}

func (p *path) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if p.closed.Load() {
		return nil, errGone
	}
	conn, err := p.redisServer.dial(ctx, network, address)
	if err == nil {
		p.conns.add(conn)
	}
	return conn, err
}

func (p *path) open()  { p.closed.Store(false) }
func (p *path) close() { p.conns.close(&p.closed) }

// loseAnswerTo loses the next answer to a command.
func (s *redisServer) loseAnswerTo(command string) { s.lose.Store(&command) }

// A lossy connection loses answers.
type lossy struct {
	net.Conn
	server *redisServer
	loses  atomic.Bool
}

func (c *lossy) Write(b []byte) (int, error) {
	if p := c.server.lose.Load(); p != nil && bytes.Contains(b, []byte("\r\n"+*p+"\r\n")) && c.server.lose.CompareAndSwap(p, nil) {
		c.loses.Store(true)
	}
	return c.Conn.Write(b)
}

func (c *lossy) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.server.received.Add(int64(n))
	if n > 0 && c.loses.Load() {
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
