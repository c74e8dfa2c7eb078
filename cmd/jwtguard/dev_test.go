package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A stream is an output that a test reads while the command runs.
type stream struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func newStream() *stream { return &stream{more: make(chan struct{}, 1)} }

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
	return s.text.Write(p)
}

func (s *stream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// waitFor waits until what pattern matches was written, and returns its last match.
func (s *stream) waitFor(t *testing.T, pattern string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		if all := re.FindAllStringSubmatch(s.String(), -1); all != nil {
			return all[len(all)-1]
		}
		select {
		case <-s.more:
		case <-ctx.Done():
			require.Fail(t, "not written", "%s in:\n%s", pattern, s)
		}
	}
}

// startDev runs jwtguard dev until the test ends or stop is called, which returns
// what it was.
func startDev(t *testing.T, args string) (out, log *stream, stop func() outcome) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, log = newStream(), newStream()
	ended := make(chan int, 1)
	c := call{args: "dev " + args}
	go func() { ended <- run(ctx, c.arguments(), c.system(out, log)) }()
	stop = sync.OnceValue(func() outcome {
		cancel()
		o := outcome{<-ended, out.String(), log.String()}
		o.check(t)
		return o
	})
	t.Cleanup(func() { stop() })
	out.waitFor(t, `kill -HUP \d+\n`)
	return out, log, stop
}

func TestDevLifetime(t *testing.T) {
	for lifetime, code := range map[string]string{"-2m": "expired", "2m": ""} {
		t.Run("J6 "+lifetime, func(t *testing.T) {
			out, _, _ := startDev(t, "--lifetime "+lifetime)
			issuer := out.waitFor(t, `issuer\n  (http://127\.0\.0\.1:\d+)\n`)[1]
			token := call{args: "token --style none --client-id orders --issuer " + issuer}.run(t)
			o := call{args: "explain --issuer " + issuer + " --audience " + exampleAudience, stdin: token.out}.run(t)
			assert.Equal(t, code == "", o.code == exitOK, o.out)
			assert.Contains(t, o.out, code)
		})
	}
}

func TestDev(t *testing.T) {
	out, log, stop := startDev(t, "--scope orders:read")
	issuer := out.waitFor(t, `issuer\n  (http://127\.0\.0\.1:\d+)\n`)[1]
	assert.Contains(t, log.String(), "For development only")
	assert.NotContains(t, out.String(), "scope", "the commands ask for the scopes of --scope")

	v, err := verifier.New(verifier.Config{Issuer: issuer, Audiences: []string{exampleAudience}, RFC9068: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, v.Close()) })
	get := func(t *testing.T, args string) string {
		t.Helper()
		got := call{args: "token --issuer " + issuer + " " + args, env: withSecret}.run(t)
		require.Equal(t, exitOK, got.code, got.err)
		return strings.TrimSpace(got.out)
	}

	t.Run("J6 any client, with any secret or none", func(t *testing.T) {
		for _, style := range []string{"basic", "form", "json", "none"} {
			token, err := v.Verify(t.Context(), get(t, "--client-id orders --style "+style), verifier.ClientCredentials())
			require.NoError(t, err)
			assert.Equal(t, "orders", token.ClientID())
			assert.Equal(t, []string{"orders:read"}, token.Scopes())
		}
	})
	t.Run("J6 any scope and audience", func(t *testing.T) {
		token, err := v.Verify(t.Context(), get(t, "--client-id a --scope x --scope y"))
		require.NoError(t, err)
		assert.Equal(t, []string{"x", "y"}, token.Scopes())
		for _, args := range []string{"--audience other", "--resource other"} {
			_, err = v.Verify(t.Context(), get(t, "--client-id a "+args))
			require.ErrorIs(t, err, verifier.ErrAudience)
		}
	})
	t.Run("J6 SIGHUP rotates the keys", func(t *testing.T) {
		before := get(t, "--client-id a")
		self, err := os.FindProcess(os.Getpid())
		require.NoError(t, err)
		require.NoError(t, self.Signal(syscall.SIGHUP))
		kid := out.waitFor(t, `rotated: ES256, kid "([A-Z0-9]+)"\n`)[1]
		got := call{args: "issuer " + issuer}.run(t)
		assert.Equal(t, exitOK, got.code)
		assert.Contains(t, got.out, "keys: 2 used, 0 skipped")
		assert.Contains(t, got.out, kid)
		for _, raw := range []string{get(t, "--client-id a"), before} {
			_, err := v.Verify(t.Context(), raw)
			assert.NoError(t, err)
		}
	})
	t.Run("J6 a clean stop", func(t *testing.T) {
		got := stop()
		assert.Equal(t, exitOK, got.code)
		assert.True(t, strings.HasSuffix(got.out, "stopped\n"))
		assert.Equal(t, exitUnavailable, call{args: "issuer " + issuer}.run(t).code)
	})
}

func TestDevAddress(t *testing.T) {
	t.Run("J6 a path, and a name for containers", func(t *testing.T) {
		out, log, _ := startDev(t, "--addr localhost:0 --issuer http://issuer:9000/dev/ --algorithm RS256")
		at := log.waitFor(t, `everyone who reaches (\S+:\d+)\s`)[1]
		doc, err := get(t.Context(), newClient(newTransport()), "http://"+at+"/dev"+wellKnown)
		require.NoError(t, err)
		m := readMetadata(doc)
		assert.Equal(t, "http://issuer:9000/dev/", m.Issuer)
		assert.Contains(t, out.String(), "issuer\n  http://issuer:9000/dev/\n  RS256, kid")
		assert.Contains(t, out.String(), "cfg.JWKS.AllowHTTP = true")
	})
	t.Run("J1 J6 an address that is taken", func(t *testing.T) {
		out, _, _ := startDev(t, "")
		assert.Contains(t, out.String(), " --scope orders:read ")
		assert.Contains(t, out.String(), " -d scope=orders:read ")
		addr := out.waitFor(t, `issuer\n  http://(\S+)\n`)[1]
		got := call{args: "dev --addr " + addr}.run(t)
		assert.Equal(t, exitUnavailable, got.code)
		assert.Contains(t, oneLine(got.err), "address already in use")
	})
	t.Run("J6 exposed by name", func(t *testing.T) {
		out, log, _ := startDev(t, "--addr 0.0.0.0:0 --expose")
		assert.Contains(t, out.String(), "http://localhost:")
		assert.Contains(t, log.String(), "everyone who reaches")
	})
}

// The code that the command prints is code: the Configs of issuer and dev, and the
// presets for known issuers.
func TestPrintedCodeCompiles(t *testing.T) {
	snippets := []string{devConfig("http://127.0.0.1:9000", "a\"b"), devConfig("http://issuer:9000", "a")}
	for issuer := range knownIssuers {
		in := newInspection(issuerOptions{allowHTTP: true}, issuer)
		in.issuer, in.needsURL = issuer, "https://elsewhere.example.com/m"
		snippets = append(snippets, in.config())
	}
	in := newInspection(issuerOptions{allowHTTP: true, jwksURL: "https://a.example/k"}, "https://a.example")
	in.issuer = in.given
	snippets = append(snippets, in.config())

	var program strings.Builder
	program.WriteString("package main\n\nimport (\n")
	for _, name := range []string{"jwkscache", "verifier", "verifier/providers"} {
		fmt.Fprintf(&program, "\t%q\n", "github.com/seed-12ed5b1c/jwtguard/"+name)
	}
	program.WriteString(")\n\nfunc main() {\n\tvar err error\n")
	for _, code := range snippets {
		require.NotEmpty(t, code)
		program.WriteString("\t{\n" + code + "\t_ = cfg\n\t}\n")
	}
	program.WriteString("\t_, _ = jwkscache.Static, err\n}\n")
	file := filepath.Join(t.TempDir(), "main.go")
	require.NoError(t, os.WriteFile(file, []byte(program.String()), 0o600))
	text, err := exec.CommandContext(t.Context(), "go", "build", "-o", os.DevNull, file).CombinedOutput()
	assert.NoError(t, err, "J4 J6 %s\n%s", text, program.String())
}
