package ssf_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/ssf"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func TestHostileSETs(t *testing.T) {
	type row struct {
		name           string
		code           ssf.Outcome
		cause          string // part of it
		header, claims members
		body           func(s *scene, set string) string // instead
	}
	many := strings.TrimSuffix(strings.Repeat(`"x",`, 256), ",")
	other := jwttest.NewSigner("ES256")
	for _, row := range []row{
		{name: "S3 without typ", code: ssf.InvalidRequest, header: members{"typ": ""}},
		{name: "S3 typ JWT", code: ssf.InvalidRequest, header: members{"typ": `"JWT"`}},
		{name: "S3 typ at+jwt", code: ssf.InvalidRequest, header: members{"typ": `"at+jwt"`}},
		{name: "S3 typ logout+jwt", code: ssf.InvalidRequest, header: members{"typ": `"logout+jwt"`}},
		{name: "S3 typ with a space", code: ssf.InvalidRequest, header: members{"typ": `"secevent+jwt "`}},
		{name: "S3 typ of another tree", code: ssf.InvalidRequest, header: members{"typ": `"text/secevent+jwt"`}},
		{name: "S3 typ a number", code: ssf.InvalidRequest, header: members{"typ": `1`}},
		{name: "S3 crit", code: ssf.InvalidRequest, header: members{"crit": `["exp"]`}},
		{name: "S3 b64", code: ssf.InvalidRequest, header: members{"b64": `true`}},
		{name: "S3 alg none", code: ssf.InvalidKey, cause: `alg is "none"`, header: members{"alg": `"none"`}},
		{name: "S3 no alg", code: ssf.InvalidKey, header: members{"alg": ""}},
		{name: "S3 alg HS256", code: ssf.InvalidKey, header: members{"alg": `"HS256"`}},
		{name: "S3 alg in another case", code: ssf.InvalidKey, header: members{"alg": `"es256"`}},
		{name: "S3 the alg of another key", code: ssf.InvalidKey, header: members{"alg": `"ES384"`}},
		{name: "S3 an unknown kid", code: ssf.InvalidKey, cause: `kid is "unknown"`, header: members{"kid": `"unknown"`}},
		{name: "S3 a kid of another kind", code: ssf.InvalidRequest, header: members{"kid": `7`}},

		{name: "S3 no iss", code: ssf.InvalidIssuer, claims: members{"iss": ""}},
		{name: "S3 another iss", code: ssf.InvalidIssuer, cause: `iss is "https://idp.example.com"`, claims: members{"iss": `"https://idp.example.com"`}},
		{name: "S3 iss with a slash", code: ssf.InvalidIssuer, claims: members{"iss": `"https://issuer.test/"`}},
		{name: "S3 iss an array", code: ssf.InvalidIssuer, claims: members{"iss": `["https://issuer.test"]`}},
		{name: "S3 ISS beside iss", code: ssf.InvalidRequest, claims: members{"ISS": `"https://issuer.test"`}},
		{name: "S3 no aud", code: ssf.InvalidAudience, claims: members{"aud": ""}},
		{name: "S3 another aud", code: ssf.InvalidAudience, claims: members{"aud": `"https://api.example.com"`}},
		{name: "S3 aud of other elements", code: ssf.InvalidAudience, claims: members{"aud": `["a", 1]`}},
		{name: "S3 an empty aud", code: ssf.InvalidAudience, claims: members{"aud": `[]`}},
		{name: "S3 257 aud", code: ssf.InvalidAudience, claims: members{"aud": `[` + text(audience) + `,` + many + `]`}},
		{name: "S3 no jti", code: ssf.InvalidRequest, claims: members{"jti": ""}},
		{name: "S3 an empty jti", code: ssf.InvalidRequest, claims: members{"jti": `""`}},
		{name: "S3 a jti that is a number", code: ssf.InvalidRequest, claims: members{"jti": `1`}},
		{name: "S3 no iat", code: ssf.InvalidRequest, claims: members{"iat": ""}},
		{name: "S3 an iat that is a string", code: ssf.InvalidRequest, claims: members{"iat": `"1700000000"`}},
		{name: "S3 an iat in milliseconds", code: ssf.InvalidRequest, claims: members{"iat": `1700000000000`}},
		{name: "S3 exp", code: ssf.InvalidRequest, claims: members{"exp": `4102444800`}},
		{name: "S3 nbf", code: ssf.InvalidRequest, claims: members{"nbf": `1`}},
		{name: "S3 sub", code: ssf.InvalidRequest, claims: members{"sub": `"alice"`}},
		{name: "S3 no events", code: ssf.InvalidRequest, claims: members{"events": ""}},
		{name: "S3 events null", code: ssf.InvalidRequest, claims: members{"events": `null`}},
		{name: "S3 an array of events", code: ssf.InvalidRequest, claims: members{"events": `["` + ssf.SessionRevoked + `"]`}},
		{name: "S3 no event", code: ssf.InvalidRequest, claims: members{"events": `{}`}},
		{name: "S3 an event that is no object", code: ssf.InvalidRequest, cause: "it is not an object", claims: members{"events": event(ssf.SessionRevoked, `true`)}},
		{name: "S3 one of two", code: ssf.InvalidRequest, claims: members{
			"events": `{"` + ssf.SessionRevoked + `":{},"` + ssf.CredentialChange + `":null}`,
		}},
		{name: "S6 no subject", code: ssf.InvalidRequest, cause: "it does not say whom it is about", claims: members{"sub_id": ""}},
		{name: "S6 a subject that is a string", code: ssf.InvalidRequest, claims: members{"sub_id": `"alice"`}},
		{name: "S6 no subject of the second event", code: ssf.InvalidRequest, claims: members{
			"sub_id": "", "events": `{"` + ssf.SessionRevoked + `":{"subject":{"format":"opaque","id":"alice"}},"` + ssf.CredentialChange + `":{}}`,
		}},

		{name: "S3 an opaque token", code: ssf.InvalidRequest, body: func(*scene, string) string { return "opaque" }},
		{name: "S3 a line break behind it", code: ssf.InvalidRequest, body: func(_ *scene, set string) string { return set + "\n" }},
		{name: "S3 four segments", code: ssf.InvalidRequest, body: func(_ *scene, set string) string { return set + ".a" }},
		{name: "S3 no signature", code: ssf.InvalidRequest, body: func(_ *scene, set string) string { return set[:strings.LastIndex(set, ".")+1] }},
		{name: "S3 JSON", code: ssf.InvalidRequest, body: func(*scene, string) string { return `{"iss":"https://issuer.test"}` }},
		{name: "S3 a claim twice", code: ssf.InvalidRequest, body: func(s *scene, _ string) string {
			return s.iss.Sign(s.header().Text(), s.claims().With(`"jti":"set-2"`))
		}},
		{name: "S3 text behind the claims", code: ssf.InvalidRequest, body: func(s *scene, _ string) string {
			return s.iss.Sign(s.header().Text(), s.claims().Text()+`{}`)
		}},
		{name: "S3 another signature", code: ssf.InvalidKey, body: func(s *scene, set string) string {
			signed := set[:strings.LastIndex(set, ".")]
			return jwttest.Attach(signed, other.Signature(signed))
		}},
		{name: "S3 other claims than were signed", code: ssf.InvalidKey, body: func(s *scene, set string) string {
			parts := strings.Split(set, ".")
			return parts[0] + "." + jwttest.Encode(members{"jti": `"set-2"`}.Over(s.claims()).Text()) + "." + parts[2]
		}},
		{name: "S3 an access token", code: ssf.InvalidRequest, body: func(s *scene, _ string) string {
			return s.iss.Token(verifiertest.Claims{"aud": audience})
		}},
		{name: "S3 an access token with events", code: ssf.InvalidRequest, body: func(s *scene, _ string) string {
			kid, alg := s.iss.Key()
			claims := s.claims()
			claims["exp"], claims["sub"] = seconds(time.Now().Add(time.Hour)), `"alice"`
			return s.iss.Sign(members{"typ": `"at+jwt"`, "alg": text(alg), "kid": text(kid)}.Text(), claims.Text())
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, nil)
				set := s.iss.Sign(row.header.Over(s.header()).Text(), row.claims.Over(s.claims()).Text())
				if row.body != nil {
					set = row.body(s, set)
				}
				s.refused(s.push(set), 400, row.code)
				assert.ErrorContains(t, s.last().Err, row.cause)
			})
		})
	}
}

func TestGoodSETs(t *testing.T) {
	for name, row := range map[string]struct{ header, claims members }{
		"S3 typ in full":               {header: members{"typ": `"application/secevent+jwt"`}},
		"S3 typ in another case":       {header: members{"typ": `"SecEvent+JWT"`}},
		"S3 256 aud":                   {claims: members{"aud": `[` + strings.Repeat(`"x",`, 255) + text(audience) + `]`}},
		"S3 one of several aud":        {claims: members{"aud": `["other", ` + text(audience) + `]`}},
		"S3 claims that are not known": {claims: members{"txn": `"8675309"`, "client_id": `"shop"`}},
		"S3 exp, nbf and sub null":     {claims: members{"exp": `null`, "nbf": `null`, "sub": `null`}},
		"S3 an iat in the past":        {claims: members{"iat": `900000000`}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, nil)
				set := s.iss.Sign(row.header.Over(s.header()).Text(), row.claims.Over(s.claims()).Text())
				s.accepted(s.push(set), ssf.Applied)
				assert.Equal(t, s.iss.URL(), s.last().Issuer)
				assert.Equal(t, ssf.SessionRevoked, s.last().Event)
				assert.Len(t, s.calls, 1)
			})
		})
	}
}

// A SET is no access token, even if an API has the receiver's audience and accepts its typ.
func TestSETIsNoAccessToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, nil)
		cfg := s.iss.Config(audience)
		cfg.Types = []string{"secevent+jwt"}
		v, err := verifier.New(cfg)
		require.NoError(t, err)
		defer v.Close()
		for _, claims := range []members{nil, {"exp": seconds(time.Now().Add(time.Hour)), "sub": `"alice"`}} {
			_, err = v.Verify(t.Context(), s.set(claims))
			require.Error(t, err, "S3 %s", claims)
		}
		require.ErrorIs(t, err, verifier.ErrType)
	})
}
