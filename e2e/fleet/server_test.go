package fleet

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// startRedis starts a Redis on loopback, and returns its address and a client. The test
// stops both.
func startRedis(t testing.TB, options ...string) (address string, client *redis.Client) {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	require.NoError(t, err, "These tests need redis-server in PATH: .ci/redis gets it on Debian and Ubuntu.")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address = l.Addr().String()
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	args := append([]string{"--port", port, "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "", "--appendonly", "no"}, options...)
	cmd := exec.Command(program, args...)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	client = redis.NewClient(clientOptions(address))
	t.Cleanup(func() { _ = client.Close() })
	require.Eventually(t, func() bool { return client.Ping(context.Background()).Err() == nil }, 10*time.Second, 10*time.Millisecond, "redis-server does not answer")
	return address, client
}

func clientOptions(address string) *redis.Options {
	return &redis.Options{Addr: address, ContextTimeoutEnabled: true}
}

// commands returns how many commands the Redis has processed, and how many bytes it has
// sent and received.
func commands(t testing.TB, client *redis.Client) (n, sent, received int64) {
	t.Helper()
	info := client.InfoMap(t.Context(), "stats").Item("Stats", "total_commands_processed")
	_, err := fmt.Sscan(info, &n)
	require.NoError(t, err)
	_, err = fmt.Sscan(client.InfoMap(t.Context(), "stats").Item("Stats", "total_net_output_bytes"), &sent)
	require.NoError(t, err)
	_, err = fmt.Sscan(client.InfoMap(t.Context(), "stats").Item("Stats", "total_net_input_bytes"), &received)
	require.NoError(t, err)
	return n, sent, received
}
