package main

import (
	"bytes"
	"context"
	"io"
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
	} {
		assert.Regexp(t, row, text)
	}
}

func TestDemoSaysWhenAPromiseIsBroken(t *testing.T) {
	var out bytes.Buffer
	w, err := build(t.Context(), addresses{"127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"})
	require.NoError(t, err)
	s := &story{ctx: t.Context(), out: &out, world: w}
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
	ended := make(chan error, 1)
	go func() {
		ended <- serveUntil(ctx, out, addresses{"127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"})
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
	cancel()
	require.NoError(t, <-ended)
}

// A port that is taken is named, and how to take another.
func TestBusyPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	const free = "127.0.0.1:0"
	busy := taken.Addr().String()
	for flag, at := range map[string]addresses{
		"auth": {busy, free, free, free}, "nethttp": {free, busy, free, free},
		"echo": {free, free, busy, free}, "gin": {free, free, free, busy},
	} {
		err := serveUntil(t.Context(), io.Discard, at)
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
