package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDemoKeepsItsPromises(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, demo(t.Context(), &out))
	text := out.String()
	assert.Contains(t, text, "Everything is as promised.")
	for _, row := range []string{
		`the right token +200 +200 +200 +200`,
		`no token +401 +401 +401 +401`,
		`expired +401 +401 +401 +401`,
		`wrong audience +401 +401 +401 +401`,
		`wrong issuer +401 +401 +401 +401`,
		`tampered: scope changed to orders:write +401 +401 +401 +401`,
		`missing scope +403 +403 +403 +403`,
		`new key, first use +200 +200 +200 +200`,
		`server down, new key +200 +200 +200 +200`,
		`no keys yet +503 +503 +503 +503`,
		`Retry-After: \d+\n`,
		`log: level=DEBUG msg="jwtguard: a request was refused" api=net/http .*cause="aud is .*https://other.example.test`,
		`log: level=DEBUG .*client_id=demo-client .*status=403`,
		`log: level=DEBUG .*status=503`,
	} {
		assert.Regexp(t, row, text)
	}
}

func TestDemoSaysWhenAPromiseIsBroken(t *testing.T) {
	var out bytes.Buffer
	log := &journal{}
	w, err := build(t.Context(), free, log.logger())
	require.NoError(t, err)
	s := &story{ctx: t.Context(), out: &out, log: log, world: w}
	s.call("no token", "GET", "", 200, "")
	assert.Len(t, s.broken, 1)
	require.NoError(t, w.close())
}

// What serveUntil prints is followed to the letter: the token request, then the
// calls.
func TestServeUntilInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &untilPrinted{done: make(chan struct{}), last: "Stop with Ctrl-C."}
	log := &journal{}
	ended := make(chan error, 1)
	go func() {
		ended <- serveUntil(ctx, out, free, log.logger())
	}()
	<-out.done
	text := out.text.String()
	command := regexp.MustCompile(`curl -X POST (\S+) -H 'content-type: application/json' -d '([^']+)'`).FindStringSubmatch(text)
	require.Len(t, command, 3, text)
	res, err := http.Post(command[1], "application/json", strings.NewReader(command[2]))
	require.NoError(t, err)
	var body bytes.Buffer
	_, err = body.ReadFrom(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	token := regexp.MustCompile(`.*"access_token":"([^"]*)".*`).FindStringSubmatch(body.String()) // the printed sed, in Go
	require.Len(t, token, 2)

	gets := regexp.MustCompile(`curl -i (http\S+/orders) -H "authorization: Bearer \$TOKEN"`).FindAllStringSubmatch(text, -1)
	require.Len(t, gets, 3)
	for _, get := range gets {
		req, err := http.NewRequest(http.MethodGet, get[1], nil)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+token[1])
		res, body, err := send(req)
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, res.StatusCode)
		assert.Contains(t, string(body), `"client_id":"demo-client"`)
	}
	res, _, err = send(must(http.NewRequest(http.MethodGet, gets[1][1], nil)))
	require.NoError(t, err)
	assert.Equal(t, http.StatusUnauthorized, res.StatusCode)
	assert.Len(t, log.refusals("Echo"), 1, "the log says why")
	cancel()
	require.NoError(t, <-ended)
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

// A port that is taken is named, and how to take another.
func TestBusyPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	const any = "127.0.0.1:0"
	busy := taken.Addr().String()
	for flag, at := range map[string]addresses{
		"auth": {busy, any, any, any}, "nethttp": {any, busy, any, any},
		"echo": {any, any, busy, any}, "gin": {any, any, any, busy},
	} {
		err := serveUntil(t.Context(), io.Discard, at, slog.New(slog.DiscardHandler))
		assert.ErrorContains(t, err, busy)
		assert.ErrorContains(t, err, `make run ARGS="-`+flag+` `)
	}
}

// untilPrinted closes done when last has been written.
type untilPrinted struct {
	text bytes.Buffer
	last string
	done chan struct{}
}

func (w *untilPrinted) Write(p []byte) (int, error) {
	n, err := w.text.Write(p)
	if strings.Contains(string(p), w.last) {
		close(w.done)
	}
	return n, err
}
