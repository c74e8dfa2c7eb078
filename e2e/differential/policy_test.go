package differential

import "time"

// What every library is set up for.
const (
	issuer   = "https://login.example.com/tenant"
	audience = "https://api.example.com"
	leeway   = time.Minute
)

var algorithms = []string{
	"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
}
