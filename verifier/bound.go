package verifier

import (
	"context"
	"errors"
)

type boundRule struct{ plainRule }

// Bound requires a sender-constrained token: one that is bound to a key (cnf), which its
// sender has proved to possess by DPoP or mutual TLS. Otherwise the response is 401. It
// needs [Settings.Bindings]. Proof of the key is required of bound tokens without this
// rule, too; Bound also refuses tokens that are not bound, which a thief could use.
func Bound() Rule { return boundRule{} }

func (boundRule) check(_ context.Context, t *Token) *Error {
	if t.bound {
		return nil
	}
	return refusal(ErrBinding, "the token is not bound; the rule requires that it is")
}

func (boundRule) misconfigured(a *api) error {
	if a != nil && len(a.bindings) == 0 {
		return errors.New("rule Bound: there are no Settings.Bindings that could confirm a token")
	}
	return nil
}

func (boundRule) traits() traits { return demandsBinding }

func (boundRule) explain(t *Token) ruleReport {
	found := "no cnf"
	if t.bound {
		found = "cnf"
	}
	return ruleReport{name: "Bound", found: found, demanded: "cnf, with a key that the sender possesses"}
}

func (boundRule) mistake(*Token) Mistake {
	return Mistake{"not_bound", "The token is not bound to a key of the client. Let the client send a DPoP proof or its certificate with the token request, and set the authorization server to bind tokens."}
}
