package dpop_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
)

const allAlgorithms = `algs="ES256 ES384 ES512 EdDSA Ed25519 RS256 RS384 RS512 PS256 PS384 PS512"`

// Each way to make a proof that is not one.
func TestBadProofs(t *testing.T) {
	private := members{"d": `"AAAA"`, "p": `"AAAA"`, "q": `"AAAA"`, "dp": `"AAAA"`, "dq": `"AAAA"`, "qi": `"AAAA"`, "oth": "[]", "k": `"AAAA"`, "priv": `"AAAA"`, "D": `"AAAA"`}
	type row struct {
		change func(*attempt)
		reason error // ErrProof if nil
		cause  string
	}
	rows := map[string]row{
		"no proof":                       {func(a *attempt) { a.fields = []string{} }, nil, "DPoP field"},
		"two proofs":                     {func(a *attempt) { a.fields = []string{a.proof(), a.proof()} }, nil, "DPoP field"},
		"two in one field":               {func(a *attempt) { a.fields = []string{a.proof() + ", " + a.proof()} }, nil, "not three segments"},
		"an empty field":                 {func(a *attempt) { a.fields = []string{""} }, nil, "not three segments"},
		"a space before":                 {func(a *attempt) { a.fields = []string{" " + a.proof()} }, nil, "segment 1"},
		"a long one":                     {func(a *attempt) { a.claims["x"] = text(strings.Repeat("x", 8<<10)) }, nil, "too long"},
		"padded":                         {func(a *attempt) { a.fields = []string{a.proof() + "="} }, nil, "segment 3"},
		"no signature":                   {func(a *attempt) { p := a.proof(); a.fields = []string{p[:strings.LastIndexByte(p, '.')+1]} }, nil, "segment 3"},
		"another typ":                    {func(a *attempt) { a.header["typ"] = `"JWT"` }, nil, "typ"},
		"no typ":                         {func(a *attempt) { a.header["typ"] = "" }, nil, "typ"},
		"typ of an access token":         {func(a *attempt) { a.header["typ"] = `"at+jwt"` }, nil, "typ"},
		"alg none":                       {func(a *attempt) { a.header["alg"] = `"none"` }, nil, "alg"},
		"no alg":                         {func(a *attempt) { a.header["alg"] = "" }, nil, "alg"},
		"alg in lower case":              {func(a *attempt) { a.header["alg"] = `"es256"` }, nil, "alg"},
		"HMAC with the public key":       {func(a *attempt) { a.header["alg"] = `"HS256"` }, nil, "alg"},
		"an alg of another key":          {func(a *attempt) { a.header["alg"] = `"RS256"` }, nil, "jwk"},
		"an alg of another curve":        {func(a *attempt) { a.header["alg"] = `"ES384"` }, nil, "jwk"},
		"crit":                           {func(a *attempt) { a.header["crit"] = `["x"]` }, nil, "crit"},
		"b64":                            {func(a *attempt) { a.header["b64"] = "false" }, nil, "crit"},
		"no jwk":                         {func(a *attempt) { a.header["jwk"] = "" }, nil, "jwk"},
		"jwk is null":                    {func(a *attempt) { a.header["jwk"] = "null" }, nil, "jwk"},
		"jwk is a string":                {func(a *attempt) { a.header["jwk"] = text(a.header["jwk"]) }, nil, "jwk"},
		"jwk is an array":                {func(a *attempt) { a.header["jwk"] = "[" + a.header["jwk"] + "]" }, nil, "jwk"},
		"jwk with another name":          {func(a *attempt) { a.header["JWK"], a.header["jwk"] = a.header["jwk"], "" }, nil, "jwk"},
		"jwk with a number":              {func(a *attempt) { a.header["jwk"] = `{"kty":7}` }, nil, "jwk"},
		"jwk with another alg":           {func(a *attempt) { a.header["jwk"] = a.signer.JWK(members{"alg": `"ES384"`}) }, nil, "jwk"},
		"a secret as jwk":                {func(a *attempt) { a.header["jwk"] = `{"kty":"oct","k":"AAAA"}` }, nil, "private or symmetric"},
		"no jti":                         {func(a *attempt) { a.claims["jti"] = "" }, nil, "jti"},
		"an empty jti":                   {func(a *attempt) { a.claims["jti"] = `""` }, nil, "jti"},
		"jti is a number":                {func(a *attempt) { a.claims["jti"] = "7" }, nil, "jti"},
		"a long jti":                     {func(a *attempt) { a.claims["jti"] = text(strings.Repeat("x", 257)) }, nil, "jti"},
		"no htm":                         {func(a *attempt) { a.claims["htm"] = "" }, nil, "htm"},
		"another method":                 {func(a *attempt) { a.claims["htm"] = `"POST"` }, nil, `htm of the proof is "POST", and the method is "GET"`},
		"the method in lower case":       {func(a *attempt) { a.claims["htm"] = `"get"` }, nil, "htm"},
		"a request of another kind":      {func(a *attempt) { a.method = "DELETE" }, nil, "htm"},
		"no htu":                         {func(a *attempt) { a.claims["htu"] = "" }, nil, "htu"},
		"htu is an array":                {func(a *attempt) { a.claims["htu"] = `["` + api + `/orders"]` }, nil, "htu"},
		"no iat":                         {func(a *attempt) { a.claims["iat"] = "" }, nil, "iat"},
		"iat is a string":                {func(a *attempt) { a.claims["iat"] = text(a.claims["iat"]) }, nil, "iat"},
		"iat is negative":                {func(a *attempt) { a.claims["iat"] = "-1" }, nil, "iat"},
		"iat is huge":                    {func(a *attempt) { a.claims["iat"] = "1e300" }, nil, "iat"},
		"iat with many digits":           {func(a *attempt) { a.claims["iat"] += "." + strings.Repeat("0", 60) }, nil, "iat"},
		"iat twice":                      {func(a *attempt) { a.fields = []string{a.signer.Sign(a.header.Text(), a.claims.With(`"iat":1`))} }, nil, "not one strict JSON object"},
		"a name in another spelling":     {func(a *attempt) { a.claims["HTU"] = a.claims["htu"] }, nil, "spelling"},
		"old":                            {func(a *attempt) { a.claims["iat"] = seconds(time.Now().Add(-66 * time.Second)) }, nil, "1m6s ago, more than Window and Skew, 1m5s"},
		"of the future":                  {func(a *attempt) { a.claims["iat"] = seconds(time.Now().Add(6 * time.Second)) }, nil, "6s in the future, more than Skew, 5s"},
		"no ath":                         {func(a *attempt) { a.claims["ath"] = "" }, nil, "ath"},
		"ath of another token":           {func(a *attempt) { a.claims["ath"] = text(hash("x")) }, nil, "ath"},
		"ath with padding":               {func(a *attempt) { a.claims["ath"] = text(hash(a.token) + "=") }, nil, "ath"},
		"ath is a number":                {func(a *attempt) { a.claims["ath"] = "7" }, nil, "htu"},
		"another token, same key":        {func(a *attempt) { a.token = a.bound(jwkOf(a.client)) }, nil, "ath"},
		"another key":                    {func(a *attempt) { a.by(jwttest.NewSigner("ES256")) }, verifier.ErrBinding, "another key"},
		"another key of another kind":    {func(a *attempt) { a.by(jwttest.NewSigner("Ed25519")) }, verifier.ErrBinding, "another key"},
		"another key, signed by a third": {func(a *attempt) { a.by(jwttest.NewSigner("ES256")); a.signer = jwttest.NewSigner("ES256") }, verifier.ErrBinding, "another key"},
		"signed by another key":          {func(a *attempt) { a.signer = jwttest.NewSigner("ES256") }, nil, "does not verify"},
		"changed afterwards": {func(a *attempt) {
			p := strings.Split(a.proof(), ".")
			a.claims["jti"] = `"changed"`
			a.fields = []string{p[0] + "." + jwttest.Encode(a.claims.Text()) + "." + p[2]}
		}, nil, "does not verify"},
		"as Bearer":                 {func(a *attempt) { a.scheme = "Bearer" }, verifier.ErrBinding, "scheme"},
		"a token that is not bound": {func(a *attempt) { a.token = a.iss.Token(nil); a.claims["ath"] = text(hash(a.token)) }, verifier.ErrBinding, "not bound"},
		"a token bound to a number": {func(a *attempt) {
			a.token = a.iss.Token(map[string]any{"cnf": map[string]any{"jkt": 7}})
			a.claims["ath"] = text(hash(a.token))
		}, verifier.ErrBinding, "not a string"},
		"a token bound otherwise": {func(a *attempt) {
			a.token = a.iss.Token(map[string]any{"cnf": map[string]any{"x5t#S256": "x"}})
			a.claims["ath"] = text(hash(a.token))
		}, verifier.ErrBinding, "cnf"},
	}
	for name, value := range private {
		rows["jwk with "+name] = row{func(a *attempt) { a.header["jwk"] = a.client.JWK(members{"kid": "", name: value}) }, nil, "private or symmetric"}
		rows["jwk with "+name+" null"] = row{func(a *attempt) { a.header["jwk"] = a.client.JWK(members{"kid": "", name: "null"}) }, nil, "private or symmetric"}
	}
	for name, row := range rows {
		t.Run("B2 "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, dpop.Config{})
				a := s.attempt()
				row.change(a)
				if row.reason == nil {
					row.reason = verifier.ErrProof
				}
				w := refused(t, s.send(a.request(), verifier.Scope("orders:read")), row.reason, row.cause)
				assert.Equal(t, 401, w.Code)
				code, scheme := "invalid_dpop_proof", `DPoP`
				if row.reason == verifier.ErrBinding {
					code, scheme = "invalid_token", a.scheme
				}
				assert.Contains(t, challenges(w), scheme+` realm="api", error="`+code+`"`)
				assert.Equal(t, 1, strings.Count(challenges(w), "error="), challenges(w))
				assert.NotContains(t, w.Body.String()+challenges(w), "proof-")
				require.Nil(t, s.send(s.attempt().request()), "the next one is good")
			})
		})
	}
}

// Every algorithm, and what clients may leave out or add.
func TestGoodProofs(t *testing.T) {
	rows := map[string]func(*attempt){
		"as it is":                 func(*attempt) {},
		"the scheme in lower case": func(a *attempt) { a.scheme = "dpop" },
		"typ as a media type":      func(a *attempt) { a.header["typ"] = `"application/DPoP+JWT"` },
		"more members and claims":  func(a *attempt) { a.header["kid"], a.claims["x"], a.claims["nonce"] = `"k"`, "[1]", `"unasked"` },
		"jwk with alg and use": func(a *attempt) {
			a.header["jwk"] = a.client.JWK(members{"alg": `"ES256"`, "use": `"sig"`, "ext": "true"})
		},
		"iat with a fraction":     func(a *attempt) { a.claims["iat"] += ".25" },
		"iat as old as allowed":   func(a *attempt) { a.claims["iat"] = seconds(time.Now().Add(-65 * time.Second)) },
		"iat as early as allowed": func(a *attempt) { a.claims["iat"] = seconds(time.Now().Add(5 * time.Second)) },
		"the longest jti":         func(a *attempt) { a.claims["jti"] = text(strings.Repeat("x", 256)) },
		"unknown members beside jkt": func(a *attempt) {
			a.token = a.iss.Token(map[string]any{"cnf": map[string]any{"jkt": thumbprint(jwkOf(a.client)), "kc-jkt-type": "DPoP"}})
			a.claims["ath"] = text(hash(a.token))
		},
		"another method": func(a *attempt) { a.method, a.claims["htm"] = "PATCH", `"PATCH"` },
	}
	for _, alg := range jwttest.Asymmetric {
		rows[alg] = func(a *attempt) {
			a.client = jwttest.NewSigner(alg)
			a.by(a.client)
			a.token = a.bound(jwkOf(a.client))
			a.claims["ath"] = text(hash(a.token))
		}
	}
	for name, change := range rows {
		t.Run("B2 "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, dpop.Config{})
				a := s.attempt()
				change(a)
				require.Nil(t, s.send(a.request()))
				refused(t, s.send(a.request()), verifier.ErrReplay, "") // the signature is another one
			})
		})
	}
}

func TestChallenges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, dpop.Config{Algorithms: []string{"ES256", "EdDSA"}})
		a := s.attempt()
		read := verifier.Scope("orders:read")
		none := func(rules ...verifier.Rule) string {
			return challenges(refused(t, s.send(&http.Request{Method: "GET", Header: http.Header{}}, rules...), verifier.ErrNoToken, ""))
		}
		assert.Equal(t, "Bearer realm=\"api\", scope=\"orders:read\"\nDPoP realm=\"api\", scope=\"orders:read\", algs=\"ES256 EdDSA\"", none(read), "B3 both")
		assert.Equal(t, "DPoP realm=\"api\", algs=\"ES256 EdDSA\"", none(verifier.Bound()), "B3 Bound")
		w := refused(t, s.send(a.request(), verifier.Scope("orders:write")), verifier.ErrScope, "")
		assert.Equal(t, 403, w.Code)
		assert.Equal(t, "Bearer realm=\"api\", scope=\"orders:write\"\nDPoP realm=\"api\", error=\"insufficient_scope\", error_description=\"The access token lacks a scope that this needs.\", scope=\"orders:write\", algs=\"ES256 EdDSA\"", challenges(w), "B3 the scheme of the request has the error")
		require.Nil(t, s.send(a.request(), read), "B4 what is refused does not use up the proof")

		b := s.attempt()
		b.token, b.scheme, b.fields = s.iss.Token(nil), "Bearer", []string{}
		w = refused(t, s.send(b.request(), verifier.Bound()), verifier.ErrBinding, "not bound")
		assert.Equal(t, "DPoP realm=\"api\", error=\"invalid_token\", error_description=\"The access token is not valid for this API.\", algs=\"ES256 EdDSA\"", challenges(w), "B3 Bound")
		require.Nil(t, s.send(b.request()), "B3 without Bound, a token that is not bound is good")
		require.Nil(t, s.send(s.attempt().request(), verifier.Bound(), read))

		c := s.attempt()
		c.by(jwttest.NewSigner("RS256"))
		refused(t, s.send(c.request()), verifier.ErrProof, "alg")
	})
}

func TestConfigErrors(t *testing.T) {
	long := []byte(strings.Repeat("s", 32))
	for name, row := range map[string]struct {
		cfg  dpop.Config
		want string
	}{
		"no origin":              {dpop.Config{Origins: []string{}}, "no Origins"},
		"an origin without host": {dpop.Config{Origins: []string{"https://"}}, "Origins"},
		"no URL":                 {dpop.Config{Origins: []string{"api.example.com"}}, "Origins"},
		"another scheme":         {dpop.Config{Origins: []string{"ftp://api.example.com"}}, "Origins"},
		"a user":                 {dpop.Config{Origins: []string{"https://u@api.example.com"}}, "Origins"},
		"a query":                {dpop.Config{Origins: []string{"https://api.example.com/?a"}}, "Origins"},
		"a fragment":             {dpop.Config{Origins: []string{"https://api.example.com/#"}}, "Origins"},
		"a zone":                 {dpop.Config{Origins: []string{"https://[fe80::1%25eth0]"}}, "Origins"},
		"twice":                  {dpop.Config{Origins: []string{api, "HTTPS://API.example.com:443/"}}, "twice"},
		"a proxy that is none":   {dpop.Config{Trusted: []netip.Prefix{{}}}, "Trusted"},
		"an unknown algorithm":   {dpop.Config{Algorithms: []string{"ES257"}}, "Algorithms"},
		"a symmetric algorithm":  {dpop.Config{Algorithms: []string{"HS256"}}, "Algorithms"},
		"no algorithm":           {dpop.Config{Algorithms: []string{}}, "Algorithms"},
		"a window without unit":  {dpop.Config{Window: 60}, "Window"},
		"a long window":          {dpop.Config{Window: time.Hour}, "Window"},
		"a negative window":      {dpop.Config{Window: -time.Second}, "Window"},
		"a large skew":           {dpop.Config{Skew: time.Hour}, "Skew"},
		"no nonce secret":        {dpop.Config{NonceSecrets: [][]byte{}}, "NonceSecrets"},
		"a short nonce secret":   {dpop.Config{NonceSecrets: [][]byte{long, long[1:]}}, "NonceSecrets[1]"},
		"a lifetime alone":       {dpop.Config{NonceLifetime: time.Minute}, "NonceSecrets"},
		"a short lifetime":       {dpop.Config{NonceSecrets: [][]byte{long}, NonceLifetime: time.Second}, "NonceLifetime"},
		"a long lifetime":        {dpop.Config{NonceSecrets: [][]byte{long}, NonceLifetime: 2 * time.Hour}, "NonceLifetime"},
	} {
		t.Run("B7 "+name, func(t *testing.T) {
			if row.cfg.Origins == nil {
				row.cfg.Origins = []string{api}
			}
			_, err := dpop.New(row.cfg)
			require.ErrorContains(t, err, "dpop: ")
			assert.ErrorContains(t, err, row.want)
		})
	}
}
