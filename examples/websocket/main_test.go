package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// An api serves over pipes, so that time in a bubble can pass while it waits.
type api struct {
	issuer *verifiertest.Issuer
	client *http.Client
}

func newAPI(t *testing.T) *api {
	iss := verifiertest.NewIssuer(t)
	v, err := verifier.Settings{TokenFrom: tokenFromHandshake, Logger: slog.New(slog.DiscardHandler)}.New(iss.Config("https://api.example.com"))
	require.NoError(t, err)
	l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	s := &http.Server{Handler: routes(v)}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Serve(l)
	}()
	transport := &http.Transport{DialContext: l.dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		assert.NoError(t, s.Close())
		<-served
		assert.NoError(t, v.Close())
	})
	return &api{iss, &http.Client{Transport: transport}}
}

// dial does a handshake with these subprotocols and pairs of header fields.
func (a *api) dial(t *testing.T, subprotocols []string, fields ...string) (*websocket.Conn, *http.Response) {
	t.Helper()
	header := make(http.Header)
	for i := 0; i < len(fields); i += 2 {
		header.Add(fields[i], fields[i+1])
	}
	conn, res, _ := websocket.Dial(t.Context(), "ws://api.example.com/orders", &websocket.DialOptions{
		HTTPClient: a.client, HTTPHeader: header, Subprotocols: subprotocols,
	})
	require.NotNil(t, res)
	if conn != nil {
		t.Cleanup(func() { _ = conn.CloseNow() })
	}
	return conn, res
}

type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.IPAddr{} }

func TestHandshake(t *testing.T) {
	for _, row := range []struct {
		name      string
		protocols []string // of which TOKEN is the token
		fields    []string
		status    int
		body      string
	}{
		{"X2 a subprotocol", []string{"orders.v1", "bearer.TOKEN"}, nil, 101, ""},
		{"X2 a subprotocol, the token first", []string{"bearer.TOKEN", "orders.v1"}, nil, 101, ""},
		{"X2 a cookie", []string{"orders.v1"}, []string{"Cookie", cookieName + "=TOKEN"}, 101, ""},
		{"X2 Authorization, of a client that is no browser", []string{"orders.v1"}, []string{"Authorization", "Bearer TOKEN"}, 101, ""},
		{"R1 no token", []string{"orders.v1"}, nil, 401, "access token is needed"},
		{"X2 two tokens", []string{"orders.v1", "bearer.TOKEN", "bearer.x"}, nil, 400, "invalid_request"},
		{"X2 a subprotocol and a cookie", []string{"orders.v1", "bearer.TOKEN"}, []string{"Cookie", cookieName + "=TOKEN"}, 400, "invalid_request"},
		{"X2 a subprotocol and Authorization", []string{"orders.v1", "bearer.TOKEN"}, []string{"Authorization", "Bearer TOKEN"}, 400, "invalid_request"},
		{"a token that is none", []string{"orders.v1", "bearer.rubbish"}, nil, 401, "invalid_token"},
		{"a token without its prefix", []string{"orders.v1", "TOKEN"}, nil, 401, "access token is needed"},

		{"the page's own origin", []string{"orders.v1"}, []string{"Cookie", cookieName + "=TOKEN", "Origin", "http://api.example.com"}, 101, ""},
		{"another site's page", []string{"orders.v1"}, []string{"Cookie", cookieName + "=TOKEN", "Origin", "https://evil.example.org"}, 403, "not authorized"},
		{"another subdomain's page, which SameSite lets pass", []string{"orders.v1"}, []string{"Cookie", cookieName + "=TOKEN", "Origin", "http://blog.example.com"}, 403, "not authorized"},
		{"another port's page", []string{"orders.v1"}, []string{"Cookie", cookieName + "=TOKEN", "Origin", "http://api.example.com:8081"}, 403, "not authorized"},
		{"a sandboxed frame", []string{"orders.v1"}, []string{"Cookie", cookieName + "=TOKEN", "Origin", "null"}, 403, "not a valid URL"},
		{"another site's page with a token of its own", []string{"orders.v1", "bearer.TOKEN"}, []string{"Origin", "https://evil.example.org"}, 403, "not authorized"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newAPI(t)
			token := a.issuer.Token(verifiertest.Claims{"scope": "orders:read", "client_id": "shop"})
			conn, res := a.dial(t, insert(token, row.protocols), insert(token, row.fields)...)
			require.Equal(t, row.status, res.StatusCode)
			if row.status != 101 {
				body, err := io.ReadAll(res.Body)
				require.NoError(t, err)
				assert.Contains(t, string(body), row.body)
				return
			}
			assert.Equal(t, []string{"orders.v1"}, res.Header["Sec-Websocket-Protocol"], "never the token")
			require.NoError(t, conn.Write(t.Context(), websocket.MessageText, []byte("order 1")))
			_, message, err := conn.Read(t.Context())
			require.NoError(t, err)
			assert.Equal(t, "order 1 for shop", string(message))
		})
	}
}

// Browsers put spaces between subprotocols; others send several fields.
func TestTokenFromHandshake(t *testing.T) {
	for _, row := range []struct {
		name   string
		fields []string
		want   string
	}{
		{"as browsers write it", []string{"orders.v1, bearer.a"}, "a"},
		{"without a space", []string{"orders.v1,bearer.a"}, "a"},
		{"in two fields", []string{"orders.v1", "bearer.a"}, "a"},
		{"two tokens", []string{"orders.v1, bearer.a, bearer.b"}, "a,b"},
		{"two tokens in two fields", []string{"bearer.a", "bearer.a"}, "a,a"},
		{"none", []string{"orders.v1, bearer"}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := &http.Request{Header: http.Header{"Sec-Websocket-Protocol": row.fields}}
			assert.Equal(t, row.want, tokenFromHandshake(r))
		})
	}
}

func TestNoSubprotocol(t *testing.T) {
	a := newAPI(t)
	token := a.issuer.Token(verifiertest.Claims{"scope": "orders:read"})
	conn, res := a.dial(t, []string{"bearer." + token})
	require.Equal(t, 101, res.StatusCode)
	assert.Empty(t, res.Header["Sec-Websocket-Protocol"])
	_, _, err := conn.Read(t.Context())
	assert.Equal(t, websocket.StatusPolicyViolation, websocket.CloseStatus(err))
}

func TestExpiry(t *testing.T) {
	for name, answers := range map[string]bool{"a client that answers the close": true, "one that does not": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAPI(t)
				start := time.Now()
				token := a.issuer.Token(verifiertest.Claims{"scope": "orders:read", "exp": start.Add(10 * time.Minute).Unix()})
				conn, _ := a.dial(t, []string{"orders.v1", "bearer." + token})
				require.NotNil(t, conn)
				if !answers {
					time.Sleep(12 * time.Minute) // in the bubble
				}
				_, _, err := conn.Read(t.Context())
				if !answers {
					assert.Error(t, err)
					return // newAPI's cleanup fails if the handler hangs
				}
				assert.Equal(t, statusExpired, websocket.CloseStatus(err))
				assert.Equal(t, 11*time.Minute, time.Since(start), "exp and the leeway")
				_, res := a.dial(t, []string{"orders.v1", "bearer." + token})
				assert.Equal(t, 401, res.StatusCode)
			})
		})
	}
}

// insert puts the token into each text.
func insert(token string, texts []string) (all []string) {
	for _, text := range texts {
		all = append(all, strings.ReplaceAll(text, "TOKEN", token))
	}
	return all
}
