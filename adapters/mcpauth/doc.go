// Package mcpauth protects servers of the Model Context Protocol, made with
// github.com/modelcontextprotocol/go-sdk, with access tokens.
//
//	mux.Handle("/mcp", mcpauth.Protect(v, verifier.Scope("orders:read"))(server))
//
// [Protect] takes the place of mcp.NewStreamableHTTPHandler and
// auth.RequireBearerToken: it makes the streamable HTTP handler of the server, with
// httpauth in front of it, so that the response to a refused request is the one of
// RFC 6750 that httpauth describes. [Middleware] has the rules of single tools, the
// SDK's options, and another response. Everything is safe for concurrent use.
//
// Clients find the authorization server by the server's metadata (RFC 9728), which every
// challenge names. Give the server's address, byte for byte as clients use it, to
// verifier.Settings.Resources, and add the metadata to the router:
//
//	v, err := verifier.Settings{
//		Resources: []verifier.Resource{{URL: "https://mcp.example.com/mcp"}},
//	}.New(verifier.Config{
//		Issuer:    "https://login.example.com/",
//		Audiences: []string{"https://mcp.example.com/mcp"},
//	})
//	…
//	httpauth.HandleMetadata(mux, v)
//
// # In a tool
//
// verifier.FromContext returns the token of the request that calls the tool, also in a
// session that began with another token. The SDK's TokenInfo, in req.Extra and in the
// context, has its scopes and expiry, and in UserID issuer, client id and subject; its
// Extra is for this package only. [Require] applies rules that depend on the arguments.
// The SDK sends the text of an error that a tool returns to the client: return the error
// of this package's Require, whose text is a constant. That of verifier.Require is for
// operators.
//
// A middleware that AddReceivingMiddleware adds after Protect runs outside of it. There,
// verifier.FromContext finds no token, and the SDK's TokenInfoFromContext that of the
// request which opened the session; req.GetExtra().TokenInfo is that of this request.
//
// # Tools
//
// Rules of tools go into Middleware.Tools, by name. If it is nil, all tools need only the
// rules of Protect; otherwise each tool has an entry, which may be empty, or [Others] has
// one. A call without the scopes of its tool gets HTTP 403, before the server sees the
// request. The challenge names the scopes of Protect's rules and of the tool's: a client
// that requests them from its authorization server has all that the call needs (step-up
// authorization). To find out which tool is called, the body is read, up to the SDK's
// limit of 4 MiB. Header fields such as Mcp-Name are ignored, since the client chooses
// them.
//
// The rules are then enforced on the request as the SDK itself has parsed it. A call that
// the SDK parses differently from the check before it, such as one with duplicate members,
// gets a JSON-RPC error instead of 403, and does not run the tool.
//
// # Sessions and streams
//
// A session belongs to the caller who opened it: the token of each request must have
// the same issuer, client id and subject. It may be a newer token. A session that
// a token without client id and subject opened accepts only that token. The SDK keeps sessions until the
// client ends them, unless StreamableHTTPOptions.SessionTimeout is set, as a server
// for many clients should do.
//
// A stream that the server keeps open for messages (GET, and subscriptions/listen) ends
// when its token expires, after which the client connects again with a new one. A call
// that is running is not interrupted, unless the tool uses verifier.UntilExpiry.
package mcpauth
