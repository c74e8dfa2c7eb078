package verifier

// An api is what the refusals of one Verifier share: the trusted issuers, the realm
// of challenges, and the log. A nil *api is that of a route without a Verifier.
type api struct {
	policies policies
	realm    string
	log      refusalLog
	bugs     bugLog

	extensions
}
