package web

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	root     = "../.."
	audience = "https://api.example.com"
)

// livesAtMost ends a program that hangs.
const livesAtMost = 5 * time.Minute

// startExample builds the program of a folder of examples and starts it for the tokens of
// issuer. It returns its address, at which it listens, and a function that stops it, as
// the end of the test does.
func startExample(t *testing.T, name, issuer string, env ...string) (address string, stop func()) {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir = filepath.Join(root, "examples", name)
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	address = freeAddress(t)
	env = append([]string{"ISSUER=" + issuer, "AUDIENCE=" + audience, "ADDR=" + address}, env...)
	return address, start(t, address, exec.Command(program), env...)
}

// start starts a program and waits until it listens at address.
func start(t *testing.T, address string, program *exec.Cmd, env ...string) (stop func()) {
	t.Helper()
	ctx, kill := context.WithTimeout(t.Context(), livesAtMost)
	cmd := exec.CommandContext(ctx, program.Path, program.Args[1:]...)
	cmd.Env = append(os.Environ(), env...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	stop = func() {
		kill()
		<-ended
	}
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("%s wrote:\n%s", filepath.Base(program.Path), log.String())
		}
	})
	require.Eventually(t, func() bool {
		select {
		case <-ended:
			return true
		default:
		}
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, 30*time.Second, 10*time.Millisecond)
	select {
	case <-ended:
		require.Fail(t, "the program ended", "%s wrote:\n%s", program.Path, log.String())
	default:
	}
	return stop
}

// freeAddress returns a loopback address at which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { assert.NoError(t, l.Close()) }()
	return l.Addr().String()
}
