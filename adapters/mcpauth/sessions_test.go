package mcpauth_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/mcpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// H5: a session is its opener's.
func TestH5Sessions(t *testing.T) {
	s := newShop(t, mcpauth.Middleware{Options: &mcp.StreamableHTTPOptions{JSONResponse: true}})
	other := verifiertest.NewIssuer(t)
	v, err := verifier.New(s.iss.Config(audience), other.Config(audience))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, v.Close()) })
	h := mcpauth.Middleware{Options: &mcp.StreamableHTTPOptions{JSONResponse: true}}.Protect(v)(s.mcp)

	alice := verifiertest.Claims{"sub": "alice"}
	nobody := s.token("", verifiertest.Claims{"sub": nil, "client_id": nil})
	for _, row := range []struct {
		name           string
		opener, caller string
		status         int
	}{
		{"H5 a new token of the same", s.token("", alice), s.token("orders:read x", alice, verifiertest.Claims{"jti": "2"}), 200},
		{"H5 another subject", s.token("", alice), s.token("", verifiertest.Claims{"sub": "bob"}), 403},
		{"H5 another client", s.token("", alice), s.token("", alice, verifiertest.Claims{"client_id": "shop"}), 403},
		{"H5 no subject", s.token("", alice), s.token("", verifiertest.Claims{"sub": nil}), 403},
		{"H5 another issuer", s.token("", alice), other.Token(verifiertest.Claims{"aud": audience, "sub": "alice", "client_id": "till"}), 403},
		{
			"H5 names that join to the same", s.token("", verifiertest.Claims{"client_id": `a" "b`, "sub": "c"}),
			s.token("", verifiertest.Claims{"client_id": "a", "sub": `b" "c`}), 403,
		},
		{"H5 a token that names nobody", nobody, nobody, 200},
		{"H5 another token that names nobody", nobody, s.token("x", verifiertest.Claims{"sub": nil, "client_id": nil}), 403},
	} {
		t.Run(row.name, func(t *testing.T) {
			id := open(t, h, row.opener)
			s.tools()
			w := post(h, row.caller, call("list"), "Mcp-Session-Id", id)
			assert.Equal(t, row.status, w.Code, w.Body)
			if row.status == 200 {
				assert.Equal(t, []string{"list"}, s.tools())
				return
			}
			assert.Empty(t, s.tools())
			gone, cancel := context.WithCancel(t.Context())
			cancel() // or a stream would not end
			for _, method := range []string{http.MethodGet, http.MethodDelete} {
				w := send(h, newRequest(method, row.caller, "", "Mcp-Session-Id", id).WithContext(gone))
				assert.Equal(t, row.status, w.Code, method)
			}
			w = post(h, row.opener, call("list"), "Mcp-Session-Id", id)
			assert.Equal(t, 200, w.Code, "the session has gone on")
		})
	}
}

// H6: in a session, a handler sees the token of its request, not the opener's; the
// rules of tools are applied to it, too.
func TestH6TheTokenOfTheRequest(t *testing.T) {
	s := newShop(t, mcpauth.Middleware{Tools: refundOnly, Options: &mcp.StreamableHTTPOptions{JSONResponse: true}})
	var outside, infos []string
	s.mcp.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			_, ok := verifier.FromContext(ctx)
			outside = append(outside, fmt.Sprint(method, " ", ok))
			infos = append(infos, fmt.Sprint(method, " ", req.GetExtra().TokenInfo.Scopes))
			return next(ctx, method, req)
		}
	})
	both, read := s.token("orders:read orders:refund"), s.token("orders:read", verifiertest.Claims{"jti": "2"})
	id := open(t, s, both)
	assert.Equal(t, "ran for till with [orders:read]", said(t, post(s, read, call("list"), "Mcp-Session-Id", id)))
	assert.Equal(t, 403, post(s, read, call("refund"), "Mcp-Session-Id", id).Code)
	assert.Contains(t, said(t, post(s, read, misread, "Mcp-Session-Id", id)), "insufficient_scope")
	assert.Equal(t, "ran for till with [orders:read orders:refund]", said(t, post(s, both, call("refund"), "Mcp-Session-Id", id)))
	assert.Equal(t, []string{"list", "refund"}, s.tools())
	assert.Equal(t, []string{"initialize false", "notifications/initialized false", "tools/call false", "tools/call false", "tools/call false"}, outside,
		"H6 a middleware outside sees no token, rather than the opener's")
	assert.Equal(t, "tools/call [orders:read]", infos[2])
}

// H7: the SDK's own description of the token.
func TestH7TokenInfo(t *testing.T) {
	s := newShop(t, mcpauth.Middleware{Options: stateless})
	var info *auth.TokenInfo
	var inContext *auth.TokenInfo
	mcp.AddTool(s.mcp, &mcp.Tool{Name: "who"}, func(ctx context.Context, req *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
		info, inContext = req.Extra.TokenInfo, auth.TokenInfoFromContext(ctx)
		return text("ok"), nil, nil
	})
	expiry := time.Now().Add(time.Hour).Truncate(time.Second)
	raw := s.token("orders:read x", verifiertest.Claims{"exp": expiry.Unix(), "sub": "alice"})
	require.Equal(t, "ok", said(t, post(s, raw, call("who"))))
	assert.Equal(t, []string{"orders:read", "x"}, info.Scopes)
	assert.True(t, expiry.Equal(info.Expiration))
	assert.Equal(t, fmt.Sprintf("%q %q %q", s.iss.URL(), "till", "alice"), info.UserID)
	assert.Same(t, info, inContext)
	assert.NotContains(t, fmt.Sprintf("%+v %#v", *info, info), strings.Split(raw, ".")[2], "R9")

	late := s.token("orders:read", verifiertest.Claims{"exp": time.Now().Add(-10 * time.Second).Unix()})
	require.Equal(t, "ok", said(t, post(s, late, call("who"))), "H7 within the leeway, which the SDK does not know")
	assert.True(t, info.Expiration.Before(time.Now()))
}

// H7: in a session, TokenInfo is that of the request, not the opener's, who may have had
// more scopes.
func TestH7TokenInfoOfTheRequest(t *testing.T) {
	s := newShop(t, mcpauth.Middleware{Options: &mcp.StreamableHTTPOptions{JSONResponse: true}})
	mcp.AddTool(s.mcp, &mcp.Tool{Name: "who"}, func(ctx context.Context, req *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
		return text(fmt.Sprint(auth.TokenInfoFromContext(ctx).Scopes, req.Extra.TokenInfo.Scopes)), nil, nil
	})
	id := open(t, s, s.token("orders:read orders:refund"))
	for _, scopes := range []string{"orders:read", "orders:read x"} {
		w := post(s, s.token(scopes), call("who"), "Mcp-Session-Id", id)
		assert.Equal(t, fmt.Sprintf("[%s] [%s]", scopes, scopes), said(t, w))
	}
	late := s.token("orders:read", verifiertest.Claims{"exp": time.Now().Add(-10 * time.Second).Unix()})
	assert.Equal(t, "[orders:read] [orders:read]", said(t, post(s, late, call("who"), "Mcp-Session-Id", id)), "within the leeway")
}

// H8: a stream ends with its token, at exp plus the leeway.
func TestH8StreamsEndWithTheToken(t *testing.T) {
	const listen = `{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},"_meta":{
		"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}`
	for name, row := range map[string]struct {
		options *mcp.StreamableHTTPOptions
		request func(t *testing.T, s *shop, token string) *http.Request
	}{
		"H8 GET": {&mcp.StreamableHTTPOptions{}, func(t *testing.T, s *shop, token string) *http.Request {
			return newRequest(http.MethodGet, token, "", "Mcp-Session-Id", open(t, s, token))
		}},
		"H8 subscriptions/listen": {stateless, func(_ *testing.T, _ *shop, token string) *http.Request {
			return newRequest(http.MethodPost, token, listen, "Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", "subscriptions/listen")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t, mcpauth.Middleware{Options: row.options})
				r := row.request(t, s, s.token("orders:read", verifiertest.Claims{"exp": time.Now().Add(10 * time.Minute).Unix()}))
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				w := send(s, r.WithContext(ctx))
				assert.Equal(t, http.StatusOK, w.Code, w.Body)
				assert.Equal(t, 11*time.Minute, time.Since(start), w.Body)
				for session := range s.mcp.Sessions() {
					assert.NoError(t, session.Close())
				}
			})
		})
	}
}
