package echoauth

import (
	"github.com/labstack/echo/v4"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Protect lets through only requests whose token passes v and rules.
func Protect(v *verifier.Verifier, rules ...verifier.Rule) echo.MiddlewareFunc {
	return Guard(v.Protect(rules...))
}

// Optional is Protect that lets requests without a token through as well. A bad
// token is still refused.
func Optional(v *verifier.Verifier, rules ...verifier.Rule) echo.MiddlewareFunc {
	return Guard(v.Optional(rules...))
}

// Require adds rules inside Protect or Optional; inside Optional it refuses
// requests without a token.
func Require(rules ...verifier.Rule) echo.MiddlewareFunc {
	return Guard(verifier.RequireGuard(rules...))
}

// Token returns the verified token of c's request; false where Optional let it
// through without one.
func Token(c echo.Context) (*verifier.Token, bool) {
	return verifier.FromContext(c.Request().Context())
}

// Refuse sets the headers of a refusal with err as Protect would, and returns
// the error for the handler to return. The answer is an *verifier.Error within
// err or the reason of package verifier's that err wraps, and 403 for any other.
func Refuse(c echo.Context, err error) error {
	return refuse(c, verifier.AsError(c.Request().Context(), err))
}

// Guard puts any Guard in front of handlers: one of your own, for API keys for
// example, or verifier.FirstOf of several.
func Guard(g verifier.Guard) echo.MiddlewareFunc {
	if g == nil {
		panic("echoauth: nil Guard")
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			admitted, err := g.Admit(c.Request())
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

// public is the client's part of an error, however an error handler or a log
// prints it. Only errors.As and errors.Is reach the operator's part.
type public struct{ err *verifier.Error }

func (p public) MarshalJSON() ([]byte, error) { return p.err.MarshalJSON() }

func (p public) Error() string { return p.err.Description() }

func (p public) Unwrap() error { return p.err }
