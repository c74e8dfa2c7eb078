package verifier_test

import (
	"bytes"
	"crypto"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// renderings are all the ways in which x may reach a log.
func renderings(t testing.TB, x any) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		all[verb] = fmt.Sprintf(verb, x)
	}
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"slog text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"slog JSON": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var b bytes.Buffer
		slog.New(handler(&b)).Info("m", "x", x)
		all[name] = b.String()
	}
	doc, err := json.Marshal(x)
	require.NoError(t, err)
	all["JSON"] = string(doc)
	return all
}

// assertDiscreet asserts that no part of raw is in any rendering of x.
func assertDiscreet(t testing.TB, raw string, x any) {
	t.Helper()
	for how, text := range renderings(t, x) {
		for _, part := range strings.Split(raw, ".") {
			if len(part) >= 8 {
				assert.NotContains(t, text, part, how)
			}
		}
	}
}

// quoted finds Go string literals.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

func TestUnverifiedText(t *testing.T) {
	const marker = "XYZZY"
	texts := map[string]string{
		"short":              marker,
		"of 198 bytes":       strings.Repeat("a", 193) + marker,
		"of 199 bytes":       strings.Repeat("a", 194) + marker,
		"long":               strings.Repeat(marker, 400),
		"newlines":           marker + "\nlevel=ERROR msg=forged\r\n",
		"quotation marks":    marker + `" level="ERROR"` + "`'\\",
		"only marks":         strings.Repeat(`"`, 300) + marker,
		"terminal sequences": marker + "\x1b[31m\a\x00\u007f",
		"directions":         marker + "\u202e\u2028\u200b",
		"emoji":              strings.Repeat("😀", 50) + marker,
		"accents":            strings.Repeat("é", 99) + marker,
		"formats":            marker + "%s%d%!v%%",
		"one rune too long":  strings.Repeat("x", 197) + "😀" + marker,
	}
	// Each place tells how to make a token with the text in it, and the reason.
	places := map[string]struct {
		header, claims func(text string) members
		reason         error
		rule           verifier.Rule // or one that no client passes
	}{
		"alg":          {header: func(s string) members { return members{"alg": s} }, reason: verifier.ErrAlgorithm},
		"kid":          {header: func(s string) members { return members{"kid": s} }, reason: verifier.ErrSignature},
		"kid of a key": {header: func(s string) members { return members{"kid": s} }, reason: verifier.ErrSignature},
		"typ":          {header: func(s string) members { return members{"typ": s} }, reason: verifier.ErrType},
		"iss":          {claims: func(s string) members { return members{"iss": s} }, reason: verifier.ErrIssuer},
		"aud":          {claims: func(s string) members { return members{"aud": s} }, reason: verifier.ErrAudience},
		"aud list":     {claims: func(s string) members { return members{"aud": "[" + s + "," + s + "]"} }, reason: verifier.ErrAudience},
		"client_id":    {claims: func(s string) members { return members{"client_id": s} }, reason: verifier.ErrDenied},
		"scope":        {claims: func(s string) members { return members{"scope": "[" + s + "]"} }, reason: verifier.ErrScope, rule: verifier.Scope("x")},
		"any scope":    {claims: func(s string) members { return members{"scope": "[" + s + "]"} }, reason: verifier.ErrScope, rule: verifier.AnyScope("x")},
		"aud of a route": {
			claims: func(s string) members { return members{"aud": `["` + api + `",` + s + `]`} },
			reason: verifier.ErrAudience, rule: verifier.Audience(billingAPI),
		},
		"token_use": {claims: func(s string) members { return members{"token_use": s} }, reason: verifier.ErrType},
		"a name":    {claims: func(s string) members { return members{strings.Trim(s, `"`): "1", "exp": `"x"`} }, reason: verifier.ErrClaims},
		"cnf":       {claims: func(s string) members { return members{"cnf": s} }, reason: verifier.ErrBinding},
	}
	one, keys := setup(t, twoAudiences)
	two := newVerifier(t, part(issuer, twoAudiences, func(cfg *set) { cfg.Keys = keys }), part("b"))
	s := signerOf("ES256")
	for kind, text := range texts {
		value, err := json.Marshal(text)
		require.NoError(t, err)
		for place, p := range places {
			t.Run("R9 "+kind+" in "+place, func(t *testing.T) {
				var header, claims members
				if p.header != nil {
					header = p.header(string(value))
				}
				if p.claims != nil {
					claims = p.claims(string(value))
				}
				if place == "kid of a key" {
					keys.keys[text] = []crypto.PublicKey{newSigner("ES256").Public()}
					defer delete(keys.keys, text)
				}
				rules := []verifier.Rule{p.rule, verifier.Issuer(issuer)}
				if p.rule == nil {
					rules[0] = verifier.Client("nobody")
				}
				_, err := two.Verify(ctx, s.token(header, claims), rules...)
				assertRefused(t, p.reason, err)
				also := err.Error()
				_, err = one.Verify(ctx, s.token(header, claims), rules...)
				assertRefused(t, p.reason, err)
				message := err.Error()
				if place != "iss" {
					assert.Equal(t, message, also)
				}
				message += " " + also
				for _, r := range message {
					assert.True(t, r >= ' ' && r < unicode.MaxASCII, "%q in %q", r, message)
				}
				for _, q := range quoted.FindAllString(message, -1) {
					assert.LessOrEqual(t, len(q), 200, q)
					_, err := strconv.Unquote(q)
					assert.NoError(t, err, q)
				}
				assert.NotContains(t, quoted.ReplaceAllString(message, ""), marker)
				if kind == "short" && (place == "alg" || place == "kid" || place == "typ" || place == "iss" || place == "aud" || place == "client_id") {
					assert.Contains(t, message, `"`+marker+`"`, "operators see what came")
				}
				if kind == "of 198 bytes" && (place == "iss" || place == "kid") {
					assert.Contains(t, message, `"`+text+`"`, "all of it")
				}
				if kind == "long" && (place == "alg" || place == "kid" || place == "kid of a key") {
					assert.Contains(t, message, `"`+text[:198]+`"`, "as much as fits")
				}
				var e *verifier.Error
				require.ErrorAs(t, err, &e)
				h := http.Header{}
				e.SetHeaders(h)
				body, err := e.MarshalJSON()
				require.NoError(t, err)
				assert.NotContains(t, fmt.Sprint(h)+string(body), marker, "R3")
			})
		}
	}
}

func TestTokenInLogs(t *testing.T) {
	v, _ := setup(t)
	raw := signerOf("ES256").token(nil, members{"secret": `"PAYLOAD-ONLY"`, "scope": `"SCOPE-ONLY"`})
	tok := verified(t, v, raw)
	things := map[string]any{
		"a pointer": tok, "a copy": *tok, "in a struct": struct{ T *verifier.Token }{tok},
		"a copy in a struct": struct{ T verifier.Token }{*tok}, "in a list": []*verifier.Token{tok},
		"in a map": map[string]*verifier.Token{"t": tok},
	}
	for name, thing := range things {
		t.Run("R9 "+name, func(t *testing.T) {
			assertDiscreet(t, raw, thing)
			for how, text := range renderings(t, thing) {
				for _, hidden := range []string{"PAYLOAD-ONLY", "SCOPE-ONLY"} {
					assert.NotContains(t, text, hidden, how)
					assert.NotContains(t, text, strings.Trim(fmt.Sprint([]byte(hidden)), "[]"), how)
				}
			}
		})
	}
	t.Run("who is calling", func(t *testing.T) {
		const who = `Token(iss="https://login.example.com/" client_id="billing" sub="billing" jti="1")`
		assert.Equal(t, who, tok.String())
		assert.Equal(t, who, tok.GoString())
		assert.Equal(t, who, fmt.Sprintf("%+v", *tok))
		var b bytes.Buffer
		slog.New(slog.NewTextHandler(&b, nil)).Info("in", "token", tok)
		assert.Contains(t, b.String(), "token.iss=https://login.example.com/ token.client_id=billing token.sub=billing token.jti=1\n")
		b.Reset()
		slog.New(slog.NewTextHandler(&b, nil)).Info("in", "token", (*verifier.Token)(nil))
		assert.NotContains(t, b.String(), "panic")
	})
	t.Run("R9 claims that do not fit", func(t *testing.T) {
		_, err := verifier.ClaimsOf[struct {
			Secret int `json:"secret"`
		}](tok)
		require.Error(t, err)
		assertDiscreet(t, raw, err.Error())
	})
}

func TestErrorsInLogs(t *testing.T) {
	v, keys := setup(t)
	s := signerOf("ES256")
	raws := map[string]string{
		"good": s.good(), "forged": newSigner("ES256").good(), "expired": s.token(nil, members{"exp": "1"}), "cut off": s.good()[:100],
		"a fourth segment": s.good() + ".AAAAAAAAAAAA", "header of another kind": s.Sign(`["AAAAAAAA"]`, goodClaims().Text()),
		"one long segment": strings.Repeat("A", 500), "too long": strings.Repeat("A", 20_000), "spaces": s.good() + " ",
		"claims of another kind": s.Sign(s.Header().Text(), `"AAAAAAAAAAAA"`), "kid like a token": s.token(members{"kid": `"` + s.good() + `"`}, nil),
	}
	for name, raw := range raws {
		t.Run("R9 "+name, func(t *testing.T) {
			for _, err := range []error{nil, fmt.Errorf("down")} {
				keys.err = err
				for _, rule := range []verifier.Rule{verifier.Scope("x"), verifier.Client("x"), verifier.Claim("sub", "x")} {
					_, err := v.Verify(ctx, raw, rule)
					require.Error(t, err)
					assertDiscreet(t, raw, err)
					_, err = v.Authenticate(bearer(raw), rule)
					require.Error(t, err)
					assertDiscreet(t, raw, err)
				}
			}
			keys.err = nil
		})
	}
}
