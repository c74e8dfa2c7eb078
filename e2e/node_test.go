package e2e

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// livesAtMost ends a Node.js process that hangs, and with it the test that
// waits for its next line.
const livesAtMost = 2 * time.Minute

// A process is a script of node/. It ends with its stdin, so that it never
// outlives this process.
type process struct {
	stdin io.WriteCloser
	lines *bufio.Scanner
	log   bytes.Buffer // its stderr; read it after stop
	stop  func()
}

// startNode starts a script, named after the package that it uses, and returns it with the
// issuer that it serves, if it does. It is stopped when the test ends, or by stop.
func startNode(t *testing.T, script string, args ...string) (p *process, issuer string) {
	t.Helper()
	node, err := exec.LookPath("node")
	require.NoError(t, err, "These tests need Node.js 20 or later: install it, so that node is in PATH.")
	name := strings.TrimSuffix(script, ".mjs")
	if name == "transmitter" {
		name = "jose"
	}
	modules := filepath.Join("node", "node_modules", name)
	scoped, err := filepath.Glob(filepath.Join("node", "node_modules", "@*", name))
	require.NoError(t, err)
	require.True(t, exists(modules) || len(scoped) > 0, "%s is missing: run make e2e, or npm ci --ignore-scripts in e2e/node.", modules)

	ctx, kill := context.WithTimeout(t.Context(), livesAtMost)
	t.Cleanup(kill)
	p = new(process)
	cmd := exec.CommandContext(ctx, node, append([]string{filepath.Join("node", script)}, args...)...)
	cmd.Stderr = &p.log
	cmd.WaitDelay = 5 * time.Second
	p.stdin, err = cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	p.lines = bufio.NewScanner(stdout)
	require.NoError(t, cmd.Start())
	p.stop = sync.OnceFunc(func() {
		_ = p.stdin.Close()
		_ = cmd.Wait() // killed or not, it is gone
	})
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("%s wrote:\n%s", script, p.log.String())
		}
	})
	return p, strings.TrimSpace(p.await(t, "ready"))
}

// tell sends a line and waits until it is carried out.
func (p *process) tell(t *testing.T, words ...string) {
	t.Helper()
	_, err := io.WriteString(p.stdin, strings.Join(words, " ")+"\n")
	require.NoError(t, err)
	p.await(t, "done")
}

// await reads on to the line that begins with prefix, and returns its rest.
func (p *process) await(t *testing.T, prefix string) string {
	t.Helper()
	for p.lines.Scan() {
		if rest, ok := strings.CutPrefix(p.lines.Text(), prefix); ok {
			return rest
		}
	}
	require.Fail(t, "the server ended before it said "+prefix)
	return ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
