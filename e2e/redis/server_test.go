package redis

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/redisstore"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// livesAtMost ends a server that hangs.
const livesAtMost = 5 * time.Minute

// A server is a redis-server on a loopback address. The test's end stops it.
type server struct {
	address string
	port    string
	dir     string
	args    []string
	cmd     *exec.Cmd
	log     bytes.Buffer
}

// startServer starts a redis-server without persistence, with these arguments in addition.
func startServer(t testing.TB, args ...string) *server {
	t.Helper()
	s := &server{address: freeAddress(t), dir: t.TempDir()}
	_, s.port, _ = net.SplitHostPort(s.address)
	s.args = append([]string{
		"--bind", "127.0.0.1", "--port", s.port, "--dir", s.dir, "--save", "", "--appendonly", "no",
		"--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0",
	}, args...)
	s.start(t)
	t.Cleanup(s.kill)
	return s
}

// start starts the server again, after kill.
func (s *server) start(t testing.TB) {
	t.Helper()
	s.run(t, s.args...)
}

func (s *server) run(t testing.TB, args ...string) {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	require.NoError(t, err, "These tests need redis-server in PATH: .ci/redis gets it on Debian and Ubuntu.")
	ctx, cancel := context.WithTimeout(context.Background(), livesAtMost)
	t.Cleanup(cancel)
	s.cmd = exec.CommandContext(ctx, program, args...)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	require.NoError(t, s.cmd.Start())
	within(t, 10*time.Second, "redis-server listens", func() bool {
		conn, err := net.Dial("tcp", s.address)
		if err != nil {
			return false
		}
		defer conn.Close()
		_, err = io.WriteString(conn, "PING\r\n")
		answer := make([]byte, 5)
		_, readErr := io.ReadFull(conn, answer)
		return err == nil && readErr == nil && (string(answer) == "+PONG" || string(answer) == "-NOAU" || string(answer) == "-DENI")
	})
}

// kill ends the server by SIGKILL.
func (s *server) kill() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
}

// pause stops the server by SIGSTOP, so that it accepts connections and does not answer;
// resume lets it go on.
func (s *server) pause(t testing.TB)  { require.NoError(t, s.cmd.Process.Signal(syscall.SIGSTOP)) }
func (s *server) resume(t testing.TB) { require.NoError(t, s.cmd.Process.Signal(syscall.SIGCONT)) }

// client returns a client of the server.
func (s *server) client(t testing.TB) *redis.Client { return clientOf(t, s.address) }

func clientOf(t testing.TB, address string) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: address, ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// within waits until a condition holds, and returns how long that took.
func within(t testing.TB, d time.Duration, what string, condition func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !condition() {
		if time.Since(start) > d {
			require.FailNow(t, "not in time", "%s within %s", what, d)
		}
		<-tick.C
	}
	return time.Since(start)
}

// A junction forwards connections to one of several servers, as the address of a service
// does.
type junction struct {
	address string
	mu      sync.Mutex
	target  string
	conns   []net.Conn
}

func startJunction(t testing.TB, target string) *junction {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	j := &junction{address: l.Addr().String(), target: target}
	t.Cleanup(func() { _ = l.Close(); j.turn("") })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go j.forward(conn)
		}
	}()
	return j
}

// turn ends all connections, and forwards others to target, or nowhere.
func (j *junction) turn(target string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.target = target
	for _, c := range j.conns {
		_ = c.Close()
	}
	j.conns = nil
}

func (j *junction) forward(from net.Conn) {
	j.mu.Lock()
	to, err := net.Dial("tcp", j.target)
	if err == nil {
		j.conns = append(j.conns, from, to)
	}
	j.mu.Unlock()
	if err != nil {
		_ = from.Close()
		return
	}
	go func() { _, _ = io.Copy(to, from); _ = to.Close() }()
	_, _ = io.Copy(from, to)
	_ = from.Close()
}

const issuer = "https://issuer.test"

// A replica has a list of its own, which it shares.
type replica struct {
	*redisstore.Revocations
	list *revocation.List
}

// newReplica returns a replica that has read the list, if Redis is there.
func newReplica(t testing.TB, client redis.UniversalClient, cfg redisstore.RevocationConfig, maxEntries int) *replica {
	t.Helper()
	list, err := revocation.New(revocation.Config{MaxLifetime: time.Hour, MaxEntries: maxEntries})
	require.NoError(t, err)
	cfg.Logger = slog.New(slog.DiscardHandler)
	r, err := redisstore.NewRevocations(client, list, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.Close() })
	return &replica{r, list}
}

// newReplicas returns replicas that have read the list, each with a client of its own.
func newReplicas(t testing.TB, n int, client func() redis.UniversalClient, cfg redisstore.RevocationConfig) []*replica {
	t.Helper()
	all := make([]*replica, n)
	for i := range all {
		all[i] = newReplica(t, client(), cfg, 0)
		ready(t, all[i])
	}
	return all
}

func ready(t testing.TB, r *replica) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, r.Ready(ctx))
}

func tokenID(id string) revocation.Entry {
	return revocation.Entry{Issuer: issuer, TokenID: id, Expires: time.Now().Add(time.Hour)}
}

func tokenIDs(n int, name string) (all []revocation.Entry) {
	for i := range n {
		all = append(all, tokenID(name+" "+strconv.Itoa(i)))
	}
	return all
}

// revokes reports whether a replica refuses the token with an id.
func (r *replica) revokes(t testing.TB, id string) bool {
	t.Helper()
	revoked, err := r.Revoked(t.Context(), verifiertest.NewToken(verifiertest.Claims{"iss": issuer, "jti": id}))
	require.NoError(t, err)
	return revoked
}

// revokesAll returns how long it takes until all replicas refuse the tokens with these ids.
func revokesAll(t testing.TB, d time.Duration, all []*replica, ids ...string) time.Duration {
	t.Helper()
	return within(t, d, "all replicas refuse the tokens", func() bool {
		for _, r := range all {
			for _, id := range ids {
				if !r.revokes(t, id) {
					return false
				}
			}
		}
		return true
	})
}

// inRedis returns the number of entries in Redis.
func inRedis(t testing.TB, c redis.UniversalClient) int {
	t.Helper()
	n, err := c.HLen(t.Context(), "{jwtguard:revocations}:entries").Result()
	require.NoError(t, err)
	return int(n)
}

// startSentinel starts a Sentinel that watches a server under the name "primary".
func startSentinel(t testing.TB, primary *server) *server {
	t.Helper()
	s := &server{address: freeAddress(t), dir: t.TempDir()}
	_, s.port, _ = net.SplitHostPort(s.address)
	conf := filepath.Join(s.dir, "sentinel.conf")
	text := "port " + s.port + "\nbind 127.0.0.1\ndir " + s.dir + "\n" +
		"sentinel monitor primary 127.0.0.1 " + primary.port + " 1\n" +
		"sentinel down-after-milliseconds primary 1000\nsentinel failover-timeout primary 5000\n"
	assert.NoError(t, writeFile(conf, text))
	s.args = []string{conf, "--sentinel"}
	s.start(t)
	t.Cleanup(s.kill)
	return s
}
