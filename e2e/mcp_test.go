package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth/extauth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/mcpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// An mcpShop is an MCP server behind mcpauth, with tokens of npm oidc-provider. All that
// its clients know is its URL, a client id and a secret.
type mcpShop struct {
	url  string
	auth *server

	mu    sync.Mutex
	asked []string // for metadata, by whatever client
}

// startMCPShop starts a shop; hide keeps its challenges from its clients. If they request
// no resource (RFC 8707), the authorization server needs to know one.
func startMCPShop(t *testing.T, options mcp.StreamableHTTPOptions, hide, needsResource bool) *mcpShop {
	t.Helper()
	s, mux := new(mcpShop), http.NewServeMux()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/.well-known/") {
			s.mu.Lock()
			s.asked = append(s.asked, r.URL.Path)
			s.mu.Unlock()
		}
		if hide {
			w = hiding{w}
		}
		mux.ServeHTTP(w, r)
	}))
	s.url = "http://" + srv.Listener.Addr().String() + "/mcp"
	if needsResource {
		t.Setenv("DEFAULT_RESOURCE", s.url)
	}
	s.auth = startOIDCProvider(t, "ES256-1")

	v, err := verifier.Settings{
		Resources: []verifier.Resource{{URL: s.url, Name: "Shop"}},
	}.New(verifier.Config{Issuer: s.auth.issuer, Audiences: []string{s.url}, RFC9068: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, v.Close()) })
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	require.NoError(t, v.Ready(ctx))

	tools := mcp.NewServer(&mcp.Implementation{Name: "shop", Version: "1"}, nil)
	for _, name := range []string{"list", "order"} {
		mcp.AddTool(tools, &mcp.Tool{Name: name}, func(ctx context.Context, _ *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
			tok, _ := verifier.FromContext(ctx)
			said := name + " for " + tok.ClientID() + " with " + strings.Join(slices.Sorted(slices.Values(tok.Scopes())), " ")
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: said}}}, nil, nil
		})
	}
	shop := mcpauth.Middleware{Tools: mcpauth.Tools{"list": nil, "order": {verifier.Scope("orders:write")}}, Options: &options}
	mux.Handle("/mcp", shop.Protect(v, verifier.Scope("orders:read"))(tools))
	httpauth.HandleMetadata(mux, v)
	srv.Start()
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	return s
}

// hiding removes the challenge from a response.
type hiding struct{ http.ResponseWriter }

func (w hiding) WriteHeader(status int) {
	w.Header().Del("WWW-Authenticate")
	w.ResponseWriter.WriteHeader(status)
}

func (w hiding) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (s *mcpShop) askedFor() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// The rows of both clients: a server that keeps sessions, and one that does not, with
// and without challenges. Without one, the metadata is at its well-known address, and
// its scopes are those of all tools; nothing tells a client which scope a tool lacks.
var mcpShops = map[string]struct {
	options mcp.StreamableHTTPOptions
	hide    bool
}{
	"H11 by the challenge, in a session":    {},
	"H11 by the challenge":                  {options: mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true}},
	"H11 by the well-known path":            {options: mcp.StreamableHTTPOptions{Stateless: true}, hide: true},
	"H11 by the well-known path, a session": {hide: true},
}

const mcpMetadata = "/.well-known/oauth-protected-resource/mcp"

// The Go SDK's own client, which requests no resource.
func TestMCPClientGo(t *testing.T) {
	for name, row := range mcpShops {
		t.Run(name, func(t *testing.T) {
			s := startMCPShop(t, row.options, row.hide, true)
			credentials, err := extauth.NewClientCredentialsHandler(&extauth.ClientCredentialsHandlerConfig{
				Credentials: &oauthex.ClientCredentials{
					ClientID: s.auth.client, ClientSecretAuth: &oauthex.ClientSecretAuth{ClientSecret: s.auth.secret},
				},
			})
			require.NoError(t, err)
			client := mcp.NewClient(&mcp.Implementation{Name: "e2e", Version: "1"}, nil)
			session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: s.url, OAuthHandler: credentials}, nil)
			require.NoError(t, err)
			defer session.Close()
			call := func(tool string) (string, error) {
				res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: tool})
				if err != nil {
					return "", err
				}
				return res.Content[0].(*mcp.TextContent).Text, nil
			}
			said, err := call("list")
			require.NoError(t, err)
			assert.Equal(t, "list for shop with orders:read", said)
			assert.Equal(t, []string{mcpMetadata}, s.askedFor())
			said, err = call("order")
			if row.hide {
				assert.ErrorContains(t, err, "Forbidden")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, "order for shop with orders:read orders:write", said, "the union")
			said, err = call("list")
			require.NoError(t, err)
			assert.Equal(t, "list for shop with orders:read orders:write", said)
		})
	}
}

// npm @modelcontextprotocol/sdk, with its own provider of client credentials. It requests
// the resource of the metadata, and only the scopes that it was made with: it cannot step
// up.
func TestMCPClientNode(t *testing.T) {
	for name, row := range mcpShops {
		t.Run(name, func(t *testing.T) {
			s := startMCPShop(t, row.options, row.hide, false)
			client := func(scope string) (call func(tool string) mcpAnswer) {
				p, _ := startNode(t, "@modelcontextprotocol/sdk.mjs", s.url, s.auth.client, s.auth.secret, s.auth.issuer, scope)
				return func(tool string) (answer mcpAnswer) {
					_, err := p.stdin.Write([]byte(tool + "\n"))
					require.NoError(t, err)
					require.NoError(t, json.Unmarshal([]byte(p.await(t, "answer ")), &answer))
					return answer
				}
			}
			reader := client("orders:read")
			assert.Equal(t, mcpAnswer{Text: "list for shop with orders:read"}, reader("list"))
			assert.Equal(t, []string{mcpMetadata}, s.askedFor())
			refused := "Server returned 403 after trying upscoping"
			if row.hide {
				refused = "lacks a scope"
			}
			assert.Contains(t, reader("order").Error, refused)
			writer := client("orders:read orders:write")
			assert.Equal(t, mcpAnswer{Text: "order for shop with orders:read orders:write"}, writer("order"))
		})
	}
}

// An mcpAnswer is one of @modelcontextprotocol/sdk.mjs.
type mcpAnswer struct{ Text, Error string }
