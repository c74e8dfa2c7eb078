package echoauth

import (
	"github.com/labstack/echo/v4"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Protect lets through only requests whose token passes v and rules.
func Protect(v *verifier.Verifier, rules ...verifier.Rule) echo.MiddlewareFunc {
	return gate(v.Protect(rules...))
}

// Optional is Protect that lets requests without a token through as well. A bad
// token is still refused.
func Optional(v *verifier.Verifier, rules ...verifier.Rule) echo.MiddlewareFunc {
	return gate(v.Optional(rules...))
}

// Require adds rules inside Protect or Optional; inside Optional it refuses
// requests without a token.
func Require(rules ...verifier.Rule) echo.MiddlewareFunc {
	return gate(verifier.Inner(rules...))
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

func gate(admit verifier.Gate) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			ctx, err := admit(c.Request())
			if err != nil {
				return refuse(c, err)
			}
			c.SetRequest(c.Request().WithContext(ctx))
			return next(c)
		}
	}
}

func refuse(c echo.Context, err *verifier.Error) error {
	err.SetHeaders(c.Response().Header())
	return echo.NewHTTPError(err.Status(), public{err}).SetInternal(public{err})
}

// public is the client's half of an error, however an error handler or a log
// prints it. Only errors.As and errors.Is reach the operator's half.
type public struct{ err *verifier.Error }

func (p public) MarshalJSON() ([]byte, error) { return p.err.MarshalJSON() }

func (p public) Error() string { return p.err.Description() }

func (p public) Unwrap() error { return p.err }
