// Package ginauth protects Gin routes with access tokens.
//
//	api := r.Group("/v1", ginauth.Protect(v, verifier.Scope("orders:read")))
//	api.GET("/orders", listOrders)
//
// [Protect] and [Optional] go before a handler, and [Require] adds rules inside
// them. In the handler, [Token] returns the verified token, and [Refuse] sends the
// same response as Protect. [Guard] goes before a handler with any verifier.Guard.
// Everything is safe for concurrent use.
//
// Mistakes panic when the routes are made: a nil Verifier, an empty list in a
// rule, an audience that is not configured. Require does not know which audiences
// are configured: there, an unknown one is a 500, which is logged at ERROR.
//
// A refusal aborts the chain. The response has the challenge of RFC 6750 §3,
// Cache-Control: no-store and a JSON body {"error", "error_description"}, without
// "error" where no token was sent. [Middleware] replaces the body.
//
// # Metadata
//
// With verifier.Settings.Resources, every challenge names the protected resource
// metadata (RFC 9728), from which a client learns where to get a token.
// [HandleMetadata] serves it, without a token:
//
//	ginauth.HandleMetadata(r, v)
//
// # Audit
//
// verifier.Settings.Observe receives each decision; the example "audit" writes a log
// of who was admitted to which route with it.
//
// # CORS
//
// A browser's preflight carries no token, so Protect responds with 401, as to any
// request without one. Put a CORS middleware outside: it responds to preflights
// itself, and adds the fields that let the page read refusals. With
// github.com/gin-contrib/cors, on the engine and before the routes:
//
//	r.Use(cors.New(cors.Config{
//		AllowOrigins:  []string{"https://app.example.com"},
//		AllowMethods:  []string{"GET", "POST"},
//		AllowHeaders:  []string{"Authorization"},
//		ExposeHeaders: []string{"WWW-Authenticate", "Retry-After"},
//	}))
package ginauth
