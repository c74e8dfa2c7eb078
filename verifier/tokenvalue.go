package verifier

import (
	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
	"github.com/seed-12ed5b1c/jwtguard/internal/tokenclaims"
)

func init() {
	tokenclaims.Value = func(token any, name string) (string, bool) {
		value := token.(*Token).members().Value(name)
		if s, err := jose.StringValue(value); err == nil {
			return s, value != ""
		}
		return value, true
	}
}
