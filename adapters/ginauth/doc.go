// Package ginauth protects Gin routes with access tokens.
//
//	api := r.Group("/v1", ginauth.Protect(v, verifier.Scope("orders:read")))
//	api.GET("/orders", listOrders)
//
// [Protect] and [Optional] stand before a handler, [Require] adds rules inside
// them, [Token] tells the handler who is calling, and [Refuse] lets it refuse
// as they do. Wiring that cannot work panics at once: a nil Verifier, an
// audience that is not configured. Everything is safe for concurrent use.
//
// An answer aborts the chain and has the challenge of RFC 6750 §3,
// Cache-Control: no-store and a JSON body {"error", "error_description"}, without
// "error" where no token came;
// [Middleware] can give it another body.
package ginauth
