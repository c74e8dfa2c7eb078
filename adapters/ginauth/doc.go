// Package ginauth protects Gin routes with access tokens.
//
//	api := r.Group("/v1", ginauth.Protect(v, verifier.Scope("orders:read")))
//	api.GET("/orders", listOrders)
//
// [Protect] and [Optional] stand before a handler, [Require] adds rules inside
// them, [Token] tells the handler who is calling, and [Refuse] lets it refuse
// as they do. Wiring that cannot work panics at once: a nil Verifier, an
// empty list in a rule, an audience that is not configured. Require cannot know
// the audiences: there, one that is not configured answers 500 and is logged at
// ERROR. Everything is safe for concurrent use.
//
// An answer aborts the chain and has the challenge of RFC 6750 §3,
// Cache-Control: no-store and a JSON body {"error", "error_description"}, without
// "error" where no token came;
// [Middleware] can give it another body.
//
// # CORS
//
// A browser's preflight carries no token, and Protect answers it with 401 like
// any other request without one. So a CORS middleware stands outside, where it
// answers preflights itself and marks refusals so that the page can read them;
// with github.com/gin-contrib/cors, on the engine and before the routes:
//
//	r.Use(cors.New(cors.Config{
//		AllowOrigins:  []string{"https://app.example.com"},
//		AllowMethods:  []string{"GET", "POST"},
//		AllowHeaders:  []string{"Authorization"},
//		ExposeHeaders: []string{"WWW-Authenticate", "Retry-After"},
//	}))
package ginauth
