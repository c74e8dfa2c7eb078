// Package echoauth protects Echo routes with access tokens.
//
//	api := e.Group("/v1", echoauth.Protect(v, verifier.Scope("orders:read")))
//	api.GET("/orders", listOrders)
//
// [Protect] and [Optional] stand before a handler, [Require] adds rules inside
// them, [Token] tells the handler who is calling, and [Refuse] lets it refuse
// as they do. Wiring that cannot work panics at once: a nil Verifier, an
// empty list in a rule, an audience that is not configured. Require cannot know
// the audiences: there, one that is not configured answers 500 and is logged at
// ERROR. Everything is safe for concurrent use.
//
// A refusal sets the headers of RFC 6750 §3 and returns an *echo.HTTPError, so
// the application's own HTTPErrorHandler renders the body; Echo's default one
// writes the JSON {"error", "error_description"}. The text of that error is the
// client's, so that a program which prints it gives nothing away; the cause is
// for errors.As:
//
//	var refused *verifier.Error
//	if errors.As(err, &refused) {
//		slog.Warn("refused", "cause", refused)
//	}
//
// In a group, Echo runs the middleware for paths that do not exist as well: an
// unknown path under a protected group answers 401 rather than 404.
//
// # CORS
//
// A browser's preflight carries no token, and Protect answers it with 401 like
// any other request without one. So Echo's CORS middleware stands outside, where
// it answers preflights itself and marks refusals so that the page can read them:
//
//	e.Use(middleware.CORSWithConfig(middleware.CORSConfig{
//		AllowOrigins:  []string{"https://app.example.com"},
//		AllowHeaders:  []string{"Authorization"},
//		ExposeHeaders: []string{"WWW-Authenticate", "Retry-After"},
//	}))
package echoauth
