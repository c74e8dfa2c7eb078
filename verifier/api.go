package verifier

// An api is what the refusals of one Verifier have in common: whom it trusts,
// which realm its challenges name, and where it logs. A nil *api stands for a
// route that no Verifier guards.
type api struct {
	policies policies
	realm    string
	log      refusalLog
	bugs     bugLog

	extensions
}
