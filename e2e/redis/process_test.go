package redis

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/redisstore"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// refresh is the period of the key caches: 15 minutes in production, where a server says
// nothing else.
const refresh = 10 * time.Second

var secret = bytes.Repeat([]byte("s"), 32)

// A process has a key cache.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// A status is what a process says when it was asked for the key kid.
type status struct {
	Found    bool
	Error    string
	Waited   time.Duration
	Served   time.Duration // from the start of the cache to the first key
	Fetches  int
	Adopted  int
	Failures int
}

// TestMain runs a key cache instead of the tests where startProcess asked for one.
func TestMain(m *testing.M) {
	redis.SetLogger(quiet{}) // it logs each connection that fails
	issuer := os.Getenv("FLEET_ISSUER")
	if issuer == "" {
		os.Exit(m.Run())
	}
	if err := runProcess(issuer, os.Getenv("FLEET_REDIS")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// runProcess answers each line of the standard input, until that ends.
func runProcess(issuer, address string) error {
	client := redis.NewClient(&redis.Options{Addr: address, ContextTimeoutEnabled: true})
	defer client.Close()
	began := time.Now()
	keys, err := jwkscache.ForIssuer(issuer, jwkscache.Config{
		Refresh: refresh, Store: redisstore.NewStore(client, redisstore.StoreConfig{}), StoreSecrets: [][]byte{secret},
	})
	if err != nil {
		return err
	}
	defer keys.Close()
	ready, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := keys.Ready(ready); err != nil {
		return err
	}
	served := time.Since(began)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		s := status{Served: served}
		asked := time.Now()
		switch line := in.Text(); line {
		case "status":
		case "refresh":
			err = keys.Refresh(context.Background())
		default:
			var found []any
			q := jwkscache.Query{KeyID: line, Algorithm: "ES256"}
			all, failed := keys.Lookup(context.Background(), q)
			for _, k := range all {
				found = append(found, k)
			}
			s.Found, err = len(found) > 0, failed
		}
		s.Waited = time.Since(asked)
		if err != nil {
			s.Error = err.Error()
		}
		stats := keys.Stats()
		s.Fetches, s.Adopted, s.Failures = stats.Fetches, stats.Store.Adopted, stats.Store.Failures
		if err := json.NewEncoder(os.Stdout).Encode(s); err != nil {
			return err
		}
	}
	return nil
}

// startProcess starts a process, which the test ends.
func startProcess(t *testing.T, issuer, address string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), "FLEET_ISSUER="+issuer, "FLEET_REDIS="+address, "GOMAXPROCS=1", "GOMEMLIMIT=64MiB")
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.in, p.out = in, bufio.NewScanner(out)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() {
		_ = p.in.Close() // it ends then
		_ = p.cmd.Wait()
	})
	return p
}

// ask sends a line to a process, and returns its answer.
func (p *process) ask(line string) (s status, err error) {
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		return s, err
	}
	if !p.out.Scan() {
		return s, fmt.Errorf("a process has ended: %v", p.out.Err())
	}
	return s, json.Unmarshal(p.out.Bytes(), &s)
}

type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}
