package verifier_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

var update = flag.Bool("update", false, "write testdata anew instead of comparing")

// assertFile compares text with a file of testdata.
func assertFile(t *testing.T, name, text string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	assert.Equal(t, string(must(os.ReadFile(path))), text, "E2 %s: see -update", path)
}

// Everything that the checks say of each broken set-up, also those after the first that
// fails.
func TestExplainTexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		for _, b := range brokenSetups() {
			v, _ := setup(t, func(s *set) {
				if b.change != nil {
					b.change(s)
				}
			})
			r := v.Explain(ctx, b.token(), b.rules...)
			fmt.Fprintf(&out, "%s: %s\n", b.name, r.Mistake.Code)
			passed := 0
			for _, c := range r.Checks {
				switch c.Result {
				case verifier.CheckPassed:
					passed++
				case verifier.CheckSkipped:
					fmt.Fprintf(&out, "\t%s skipped: %s\n", c.Check, c.Cause)
				default:
					fmt.Fprintf(&out, "\t%s failed after %d passed\n\t\t%s\n\t\tdemanded %s\n\t\tcause %s\n\t\t%s: %s\n",
						c.Check, passed, c.Found, c.Demanded, c.Cause, c.Mistake.Code, c.Mistake.Text)
				}
			}
		}
		assertFile(t, "explain.txt", out.String())
	})
}

// Some reports, word for word, as text and as JSON.
func TestReportTexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, _ := setup(t, func(s *set) { s.MaxLifetime = time.Hour })
		good := v.Explain(ctx, signerOf("ES256").good(), verifier.Scope("orders:read"), verifier.ClientCredentials())
		odd := members{
			"exp": seconds(time.Now().Add(-3 * time.Hour)), "nbf": seconds(time.Now().Add(-26 * time.Hour)), "iat": `"x"`,
			"iss": `"https://login.example.com"`, "aud": `["https://x.example.org/` + strings.Repeat("very/", 50) + `","b\u202ec"]`,
			"email": `"alice@example.com"`, "tid": `""`, "auth_time": "0", "a b": "1", "https://x.example/y": "2",
			strings.Repeat("n", 39): "3", strings.Repeat("o", 40): "4", "\u00fc\U0001F600": `"\ud83d\ude00 ü"`,
			"realm_access": `{"roles":["x"]}`,
		}
		for i := range 20 {
			odd[fmt.Sprintf("more%02d", i)] = "1"
		}
		bad := v.Explain(ctx, newSigner("ES256").token(members{"kid": `"none"`, "jku": `"https://x"`, "cty": `"at"`}, odd), verifier.Scope("a"), verifier.Client("b"))
		down, _ := setup(t, func(s *set) { s.Keys = &keyMap{err: jwkscache.ErrUnavailable} })
		check := verifier.Check(func(context.Context, *verifier.Token) error { return errors.New("not today") })
		unavailable := down.Explain(ctx, signerOf("ES256").token(members{"typ": `"application/at+jwt"`}, members{"cnf": `{"kid":"a"}`}), check)
		static, _ := setup(t, func(s *set) { s.Keys = must(jwkscache.Static(jwttest.JWKS(signerOf("ES256").JWK(nil)))) })
		refused := static.Explain(ctx, signerOf("ES256").good(), check)
		for name, r := range map[string]verifier.Report{"good": good, "bad": bad, "all": bad.WithClaims(), "unavailable": unavailable, "check": refused} {
			assertFile(t, "report_"+name+".txt", r.String())
			doc := must(json.MarshalIndent(r, "", "\t"))
			assertFile(t, "report_"+name+".json", string(doc)+"\n")
		}
	})
}
