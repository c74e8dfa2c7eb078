package ssf_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
	"github.com/seed-12ed5b1c/jwtguard/verifier/ssf"
)

const (
	alice    = `{"format":"iss_sub","iss":"https://issuer.test","sub":"alice"}`
	mallory  = `{"format":"iss_sub","iss":"https://other.example.com","sub":"alice"}`
	opaque   = `{"format":"opaque","id":"bob"}`
	shop     = `{"format":"opaque","id":"shop"}`
	email    = `{"format":"email","email":"alice@example.com"}`
	oneToken = `{"format":"jwt_id","iss":"https://issuer.test","jti":"t1"}`
)

func list(ids ...string) string { return `[` + strings.Join(ids, ",") + `]` }

func aliases(ids ...string) string {
	return `{"format":"aliases","identifiers":` + list(ids...) + `}`
}

func repeat(id string, n int) string {
	return aliases(strings.Split(strings.Repeat(id+" ", n), " ")[:n]...)
}

func TestSubjects(t *testing.T) {
	type entries = []revocation.Entry
	long := strings.Repeat("x", 2048)
	subject := func(s string) revocation.Entry { return revocation.Entry{Subject: s} }
	for _, row := range []struct {
		name, subject string
		ignored       []string
		want          entries // nil if it has no effect
		outcome       ssf.Outcome
	}{
		{name: "S6 iss_sub", subject: alice, want: entries{subject("alice")}},
		{name: "S6 iss_sub with escapes", subject: strings.Replace(alice, "alice", `\u0061lice`, 1), want: entries{subject("alice")}},
		{name: "S6 iss_sub without sub", subject: `{"format":"iss_sub","iss":"https://issuer.test"}`},
		{name: "S6 iss_sub without iss", subject: `{"format":"iss_sub","sub":"alice"}`},
		{name: "S6 iss_sub with an empty sub", subject: strings.Replace(alice, "alice", "", 1)},
		{name: "S6 iss_sub with a number", subject: `{"format":"iss_sub","iss":"https://issuer.test","sub":1}`},
		{name: "S6 iss_sub with null", subject: `{"format":"iss_sub","iss":"https://issuer.test","sub":null}`},
		{name: "S6 iss_sub with more members", subject: strings.Replace(alice, `"sub"`, `"tenant":"a","sub"`, 1)},
		{name: "S6 iss_sub with one more at the end", subject: strings.Replace(alice, `"}`, `","tenant":"a"}`, 1)},
		{name: "S6 a sub of 2 KiB", subject: strings.Replace(alice, "alice", long, 1), want: entries{subject(long)}},
		{name: "S6 a longer sub", subject: strings.Replace(alice, "alice", long+"x", 1)},
		{name: "S7 iss_sub of another issuer", subject: mallory, outcome: ssf.OtherIssuer},
		{name: "S7 iss_sub with a slash", subject: strings.Replace(alice, "issuer.test", "issuer.test/", 1), outcome: ssf.OtherIssuer},
		{name: "S6 opaque", subject: opaque, want: entries{subject("bob")}},
		{name: "S6 opaque with sub instead of id", subject: `{"format":"opaque","sub":"bob"}`},
		{name: "S6 jwt_id", subject: oneToken, want: entries{{TokenID: "t1"}}},
		{name: "S7 jwt_id of another issuer", subject: strings.Replace(oneToken, "issuer.test", "other.test", 1), outcome: ssf.OtherIssuer},
		{name: "S6 email", subject: email},
		{name: "S6 phone_number", subject: `{"format":"phone_number","phone_number":"+12065550100"}`},
		{name: "S6 account", subject: `{"format":"account","uri":"acct:alice@example.com"}`},
		{name: "S6 did", subject: `{"format":"did","url":"did:example:123456"}`},
		{name: "S6 uri", subject: `{"format":"uri","uri":"https://user.example.com/"}`},
		{name: "S6 saml_assertion_id", subject: `{"format":"saml_assertion_id","issuer":"https://issuer.test","assertion_id":"_8e8d"}`},
		{name: "S6 ip-addresses", subject: `{"format":"ip-addresses","ip-addresses":["10.29.37.75"]}`},
		{name: "S6 a format in another case", subject: strings.Replace(alice, "iss_sub", "ISS_SUB", 1)},
		{name: "S6 a format that is a number", subject: `{"format":1,"user":` + alice + `}`},
		{name: "S6 an empty format", subject: `{"format":"","user":` + alice + `}`},

		{name: "S6 aliases", subject: aliases(email, alice, opaque), want: entries{subject("alice"), subject("bob")}},
		{name: "S6 aliases with a token", subject: aliases(oneToken), want: entries{{TokenID: "t1"}}},
		{name: "S6 no alias that is supported", subject: aliases(email)},
		{name: "S7 aliases of two issuers", subject: aliases(mallory, alice), want: entries{subject("alice")}},
		{name: "S7 aliases of another issuer", subject: aliases(email, mallory, email), outcome: ssf.OtherIssuer},
		{name: "S6 no aliases", subject: aliases()},
		{name: "S6 aliases in aliases", subject: aliases(aliases(alice))},
		{name: "S6 a complex subject in aliases", subject: aliases(`{"format":"complex","user":` + alice + `}`)},
		{name: "S6 aliases without a list", subject: `{"format":"aliases"}`},
		{name: "S6 aliases that are no list", subject: `{"format":"aliases","identifiers":` + alice + `}`},
		{name: "S6 aliases of other elements", subject: aliases(`"alice"`, `null`)},
		{name: "S6 aliases with more members", subject: `{"format":"aliases","tenant":"a","identifiers":` + list(alice) + `}`},
		{name: "S6 16 aliases", subject: repeat(opaque, 16), want: slices.Repeat(entries{subject("bob")}, 16)},
		{name: "S6 17 aliases", subject: repeat(opaque, 17)},

		{name: "S6 a user", subject: `{"format":"complex","user":` + alice + `}`, want: entries{subject("alice")}},
		{name: "S6 a user, as in older drafts", subject: `{"user":` + alice + `}`, want: entries{subject("alice")}},
		{name: "S6 an application", subject: `{"format":"complex","application":` + shop + `}`, want: entries{{ClientID: "shop"}}},
		{name: "S6 a user of an application", subject: `{"format":"complex","user":` + alice + `,"application":` + shop + `}`, want: entries{{Subject: "alice", ClientID: "shop"}}},
		{name: "S6 aliases of both", subject: `{"format":"complex","user":` + aliases(alice, email, opaque) + `,"application":` + aliases(shop, opaque) + `}`, want: entries{
			{Subject: "alice", ClientID: "shop"}, {Subject: "alice", ClientID: "bob"}, {Subject: "bob", ClientID: "shop"}, {Subject: "bob", ClientID: "bob"},
		}},
		{name: "S6 aliases, one a token", subject: `{"format":"complex","user":` + aliases(oneToken, alice) + `,"application":` + aliases(shop, oneToken) + `}`, want: entries{{Subject: "alice", ClientID: "shop"}}},
		{name: "S6 a user's session", subject: `{"format":"complex","user":` + alice + `,"session":` + shop + `}`},
		{name: "S6 a user's device", subject: `{"format":"complex","device":` + shop + `,"user":` + alice + `}`},
		{name: "S6 a user of a tenant", subject: `{"format":"complex","tenant":` + shop + `,"user":` + alice + `}`},
		{name: "S6 a member that is not known", subject: `{"format":"complex","user":` + alice + `,"x":{}}`},
		{name: "S6 a member that is null", subject: `{"format":"complex","user":` + alice + `,"session":null}`},
		{name: "S6 nobody", subject: `{"format":"complex"}`},
		{name: "S6 an empty object", subject: `{}`},
		{name: "S6 a session", subject: `{"format":"complex","session":` + shop + `}`},
		{name: "S7 a user of another issuer", subject: `{"format":"complex","user":` + mallory + `}`, outcome: ssf.OtherIssuer},
		{name: "S7 aliases of a user of another issuer", subject: `{"format":"complex","user":` + aliases(mallory) + `}`, outcome: ssf.OtherIssuer},
		{name: "S7 an application of another issuer", subject: `{"format":"complex","user":` + alice + `,"application":` + mallory + `}`, outcome: ssf.OtherIssuer},
		{name: "S6 a user by email", subject: `{"format":"complex","user":` + email + `}`},
		{name: "S6 an application by uri", subject: `{"format":"complex","user":` + alice + `,"application":{"format":"uri","uri":"https://shop.example.com"}}`},
		{name: "S6 a user by a token", subject: `{"format":"complex","user":` + oneToken + `}`},
		{name: "S6 a user by a token alone", subject: `{"format":"complex","user":` + aliases(oneToken) + `}`},
		{name: "S6 a user that is null", subject: `{"format":"complex","user":null}`},
		{name: "S6 a user that is a string", subject: `{"format":"complex","user":"alice"}`},
		{name: "S6 a complex user", subject: `{"format":"complex","user":{"format":"complex","user":` + alice + `}}`},

		{name: "S6 a session that is ignored", subject: `{"format":"complex","user":` + alice + `,"session":` + shop + `}`, ignored: []string{"session"}, want: entries{subject("alice")}},
		{name: "S6 a session that is ignored, but no device", subject: `{"format":"complex","user":` + alice + `,"session":` + shop + `,"device":` + shop + `}`, ignored: []string{"session"}},
		{name: "S6 both ignored", subject: `{"user":` + alice + `,"session":` + shop + `,"tenant":` + shop + `}`, ignored: []string{"session", "tenant"}, want: entries{subject("alice")}},
		{name: "S6 nothing but what is ignored", subject: `{"format":"complex","session":` + shop + `}`, ignored: []string{"session"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			for where, claims := range map[string]members{
				"sub_id":  {"sub_id": row.subject},
				"subject": {"sub_id": "", "events": event(ssf.SessionRevoked, `{"subject":`+row.subject+`}`)},
				"both":    {"sub_id": row.subject, "events": event(ssf.SessionRevoked, `{"subject":`+strings.Replace(alice, "alice", "eve", 1)+`}`)},
			} {
				synctest.Test(t, func(t *testing.T) {
					s := newScene(t, func(c *ssf.Config) { c.Transmitters[0].IgnoredMembers = row.ignored })
					w := s.push(s.set(claims))
					if row.want == nil {
						if row.outcome == "" {
							row.outcome = ssf.Unsupported
						}
						s.accepted(w, row.outcome)
						assert.Empty(t, s.calls, where)
						assert.Equal(t, ssf.SessionRevoked, s.last().Event)
						assert.Error(t, s.last().Err)
						return
					}
					s.accepted(w, ssf.Applied)
					var want entries
					for _, e := range row.want {
						e.Issuer = s.iss.URL()
						if e.TokenID == "" {
							e.IssuedBefore = time.Now().UTC()
						}
						want = append(want, e)
					}
					assert.Equal(t, []entries{want}, s.calls, where)
				})
			}
		})
	}
}

// Access tokens of another issuer than the SETs'.
func TestSubjectIssuer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tokens = "https://issuer.test/oauth2/default"
		s := newScene(t, func(c *ssf.Config) { c.Transmitters[0].SubjectIssuer = tokens })
		for _, id := range []string{alice, strings.Replace(alice, "https://issuer.test", tokens, 1), strings.Replace(opaque, "bob", "alice", 1)} {
			s.calls = nil
			s.push(s.set(members{"sub_id": id}))
			want := revocation.Entry{Issuer: tokens, Subject: "alice", IssuedBefore: time.Now().UTC()}
			assert.Equal(t, [][]revocation.Entry{{want}}, s.calls, "S7 %s", id)
		}
		s.calls = nil
		s.accepted(s.push(s.set(members{"sub_id": mallory})), ssf.OtherIssuer)
		assert.Empty(t, s.calls)
	})
}
