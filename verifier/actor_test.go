package verifier_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func TestActors(t *testing.T) {
	s := signerOf("ES256")
	v, _ := setup(t)
	deep := func(n int) string {
		return strings.Repeat(`{"sub":"a","act":`, n-1) + `{"sub":"a"}` + strings.Repeat("}", n-1)
	}
	for _, row := range []struct {
		name   string
		act    string
		actors []verifier.ActingParty
		direct bool
		actor  bool // Actor("admin")
	}{
		{"T3 none", "", nil, true, false},
		{"T3 null", "null", nil, true, false},
		{"T3 one", `{"sub":"admin","iss":"` + issuer + `","client_id":"c","x":1}`, []verifier.ActingParty{{issuer, "admin", "c"}}, false, true},
		{"T3 one without iss", `{"sub":"admin"}`, []verifier.ActingParty{{Subject: "admin"}}, false, true},
		{"T3 one of an issuer of another kind", `{"sub":"admin","iss":["i"]}`, []verifier.ActingParty{{Subject: "admin"}}, false, false},
		{"T3 one of another issuer", `{"sub":"admin","iss":"i"}`, []verifier.ActingParty{{Issuer: "i", Subject: "admin"}}, false, false},
		{"T3 one and those before it", `{"sub":"x","act":{"sub":"admin","act":{"client_id":"c"}}}`, []verifier.ActingParty{{Subject: "x"}, {Subject: "admin"}, {ClientID: "c"}}, false, false},
		{"T3 without a name", `{}`, []verifier.ActingParty{{}}, false, false},
		{"T3 of another kind", `["admin"]`, []verifier.ActingParty{{}}, false, false},
		{"T3 a string", `"admin"`, []verifier.ActingParty{{}}, false, false},
		{"T3 false", `false`, []verifier.ActingParty{{}}, false, false},
		{"T3 a name of another kind", `{"sub":["admin"],"iss":1}`, []verifier.ActingParty{{}}, false, false},
		{"T3 as many as are read", deep(16), repeated(16), false, false},
		{"T3 more", deep(20), repeated(16), false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			raw := s.token(nil, members{"act": row.act})
			assert.Equal(t, row.actors, verified(t, v, raw).Actors())
			for rule, good := range map[verifier.Rule]bool{verifier.Direct(): row.direct} {
				_, err := v.Verify(ctx, raw, rule)
				if good {
					assert.NoError(t, err)
				} else {
					assertRefused(t, verifier.ErrDenied, err)
				}
			}
			_, err := v.Verify(ctx, raw, verifier.Actor("other", "admin"))
			if row.actor {
				assert.NoError(t, err)
			} else {
				assertRefused(t, verifier.ErrDenied, err)
			}
		})
	}
	t.Run("T3 the cause without act", func(t *testing.T) {
		_, err := v.Verify(ctx, s.good(), verifier.Actor("admin"))
		assert.ErrorContains(t, err, "the token has no act")
	})
	t.Run("C11 Actor with several issuers", func(t *testing.T) {
		v := newVerifier(t, config(), part("b"))
		panicText(t, func() { v.Protect(verifier.Actor("admin")) })
		assert.NotPanics(t, func() { v.Protect(verifier.Actor("admin"), verifier.Issuer("b")) })
		panicText(t, func() { v.Protect(verifier.Actor()) })
	})
}

func repeated(n int) (all []verifier.ActingParty) {
	for range n {
		all = append(all, verifier.ActingParty{Subject: "a"})
	}
	return all
}

func ExampleToken_Actors() {
	v, err := verifier.New(verifier.Config{
		Issuer: "https://login.example.com/", Audiences: []string{"https://api.example.com"}, Keys: exampleKeys(login),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer v.Close()
	tok, err := v.Verify(ctx, login.token(nil, members{"sub": `"jane"`, "act": `{"sub":"support-tool"}`}))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(tok.Subject(), tok.Actors()[0].Subject)
	// Output: jane support-tool
}
