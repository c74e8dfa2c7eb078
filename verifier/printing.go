package verifier

import (
	"fmt"
	"maps"
	"slices"
)

// text is what of c may be read by anybody.
func (c Config) text() string {
	return fmt.Sprintf("Config(issuer=%q audiences=%q)", c.Issuer, c.Audiences)
}

// Format writes the issuer and the audiences, whatever the verb.
func (c Config) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(c.text())) }

// MarshalText returns the issuer and the audiences, for log/slog and
// encoding/json.
func (c Config) MarshalText() ([]byte, error) { return []byte(c.text()), nil }

// Format writes the issuers, whatever the verb.
func (v *Verifier) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "Verifier(issuers=%q)", slices.Sorted(maps.Keys(v.trusts)))
}
