// Package echov5auth protects routes of Echo v5 with access tokens. Package echoauth
// is for Echo v4. This one is a module of its own, so that Echo v5 is in the go.mod of
// those only who use it:
//
//	go get github.com/seed-12ed5b1c/jwtguard/adapters/echov5auth
//
// The functions are those of echoauth: a program that moves to Echo v5 changes the import.
// The service of examples/echo, which is complete, needs a *echo.Context in its handlers
// then, and an HTTPErrorHandler with v5's parameters, which ends in
// echo.DefaultHTTPErrorHandler(false)(c, err).
//
//	api := e.Group("/v1", echov5auth.Protect(v, verifier.Scope("orders:read")))
//	api.GET("/orders", listOrders)
//
// [Protect] and [Optional] go before a handler, and [Require] adds rules inside
// them. In the handler, [Token] returns the verified token, and [Refuse] makes the
// same response as Protect. [Guard] goes before a handler with any verifier.Guard.
// Everything is safe for concurrent use.
//
// Mistakes panic when the routes are made: a nil Verifier, an empty list in a
// rule, an audience that is not configured. Require does not know which audiences
// are configured: there, an unknown one is a 500, which is logged at ERROR.
//
// A refusal sets the header fields of RFC 6750 §3 and returns an error that is an
// echo.HTTPStatusCoder, so the application's own HTTPErrorHandler writes the body;
// Echo's default one writes the JSON {"error", "error_description"}. errors.As also
// makes an *echo.HTTPError of it. The text of that error is the client's, so that
// printing it reveals nothing; errors.As finds the cause:
//
//	var refused *verifier.Error
//	if errors.As(err, &refused) {
//		slog.Warn("refused", "cause", refused)
//	}
//
// In a group, Echo runs the middleware also for paths that do not exist: without a
// token, an unknown path under a protected group gets 401 and not 404.
//
// # Metadata
//
// With verifier.Settings.Resources, every challenge names the protected resource
// metadata (RFC 9728), from which a client learns where to get a token.
// [HandleMetadata] serves it, without a token:
//
//	echov5auth.HandleMetadata(e, v)
//
// # Audit
//
// verifier.Settings.Observe receives each decision; the example "audit" writes a log
// of who was admitted to which route with it. The route is the one that Echo found,
// also where Echo is inside another router. Middleware of Echo.Pre has none.
//
// # CORS
//
// A browser's preflight carries no token, so Protect responds with 401, as to any
// request without one. Put Echo's CORS middleware outside: it responds to
// preflights itself, and adds the fields that let the page read refusals:
//
//	e.Use(middleware.CORSWithConfig(middleware.CORSConfig{
//		AllowOrigins:  []string{"https://app.example.com"},
//		AllowHeaders:  []string{"Authorization"},
//		ExposeHeaders: []string{"WWW-Authenticate", "Retry-After"},
//	}))
package echov5auth
