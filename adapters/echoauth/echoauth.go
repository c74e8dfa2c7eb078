package echoauth

import (
	"github.com/labstack/echo/v4"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Protect admits only requests whose token is valid for v and passes rules.
func Protect(v *verifier.Verifier, rules ...verifier.Rule) echo.MiddlewareFunc {
	return guard(v, v.Protect(rules...))
}

// Optional admits requests without a token, too. A bad token is refused as by Protect.
func Optional(v *verifier.Verifier, rules ...verifier.Rule) echo.MiddlewareFunc {
	return guard(v, v.Optional(rules...))
}

// Require adds rules inside Protect or Optional. Inside Optional, it refuses requests
// without a token.
func Require(rules ...verifier.Rule) echo.MiddlewareFunc {
	return Guard(verifier.RequireGuard(rules...))
}

// Token returns the verified token of c's request. It returns false if Optional admitted the
// request without a token, and inside a [Guard] that is not a Verifier's.
func Token(c echo.Context) (*verifier.Token, bool) {
	return verifier.FromContext(c.Request().Context())
}

// Refuse sets the header fields of a refusal and returns the error for the handler to
// return, as Protect does. The refusal is the *verifier.Error or the reason of package
// verifier that err wraps, and 403 for any other err.
func Refuse(c echo.Context, err error) error {
	return refuse(c, verifier.AsError(c.Request().Context(), err))
}

// HandleMetadata adds the protected resource metadata (RFC 9728 §3) of the verifiers'
// Settings.Resources to e, at verifier.MetadataPath and below. The routes need no token.
// Protect and Optional serve the metadata of their own Verifier, too, in the requests that
// they see.
func HandleMetadata(e *echo.Echo, verifiers ...*verifier.Verifier) {
	h := func(c echo.Context) error {
		if !verifier.ServeMetadata(c.Response(), c.Request(), verifiers...) {
			return echo.ErrNotFound
		}
		return nil
	}
	e.Any(verifier.MetadataPath, h)
	e.Any(verifier.MetadataPath+"/*", h)
}

// Guard puts any Guard in front of handlers, such as verifier.FirstOf or one of your
// own that checks API keys. Inside Protect it takes its place: the handler does not see
// the token then. To add a condition to Protect, use verifier.Check.
func Guard(g verifier.Guard) echo.MiddlewareFunc {
	if g == nil {
		panic("echoauth: nil Guard")
	}
	return guard(nil, g)
}

// guard is Guard, and serves the metadata of v, which may be nil.
func guard(v *verifier.Verifier, g verifier.Guard) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if verifier.ServeMetadata(c.Response(), r, v) {
				return nil
			}
			if r.Pattern == "" {
				r.Pattern = c.Path() // for observers
			}
			admitted, err := g.Admit(r)
			if err != nil {
				return refuse(c, err)
			}
			verifier.SetHeaders(admitted.Context(), c.Response().Header())
			c.SetRequest(admitted)
			return next(c)
		}
	}
}

func refuse(c echo.Context, err *verifier.Error) error {
	err.SetHeaders(c.Response().Header())
	return echo.NewHTTPError(err.Status(), public{err}).SetInternal(public{err})
}

// public shows only the client's part of an error, however an error handler or a log
// prints it. errors.As and errors.Is find the operator's part.
type public struct{ err *verifier.Error }

func (p public) MarshalJSON() ([]byte, error) { return p.err.MarshalJSON() }

func (p public) Error() string { return p.err.Description() }

func (p public) Unwrap() error { return p.err }
