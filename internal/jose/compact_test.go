package jose_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

var compactForm = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`)

// FuzzParseCompact: what the parser takes has the one form of RFC 7515 §7.1,
// and its parts make the same text again.
func FuzzParseCompact(f *testing.F) {
	head, body, sig := encode(`{"alg":"ES256","kid":"k","typ":"at+jwt"}`), encode(`{"iss":"i","exp":1}`), encode("signature")
	good := head + "." + body + "." + sig
	for _, raw := range []string{
		good, good + ".", "." + good, good + "\r\n", head + "." + body + ".", head + ".." + sig, "..", ".", "", head + "." + body + "." + sig + "=",
		head + "." + body + "\n." + sig, encode(`{"alg":"ES256"} `) + "==." + body + "." + sig, head + "." + body + ".AB", head + "." + body + ".A",
		encode(`{"alg":"none"}`) + "." + body + "." + sig, encode(`{"alg":"ES256","crit":[]}`) + "." + body + "." + sig,
		encode(`{"alg":"ES256","kid":7}`) + "." + body + "." + sig, encode(`{"alg":"ES256","cty":"jwt"}`) + "." + body + "." + sig,
		encode(`{"alg":"ES256","Alg":"none"}`) + "." + body + "." + sig, encode(`[]`) + "." + body + "." + sig, head + "." + encode("{}{}") + "." + sig,
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		c, err := jose.Parse(raw, registered, new(jose.Buffer))
		if err != nil {
			require.True(t, slices.Contains(jose.ParseErrors(), err), "another error, or another of the same text: %v", err)
			return
		}
		require.Equal(t, raw, c.Raw)
		alg, kid, signed, payload, sig := c.Alg, c.Kid, string(c.Signed), c.Payload, c.Signature
		require.Regexp(t, compactForm, raw, "P1")
		head, _, _ := strings.Cut(raw, ".")
		require.Equal(t, raw, head+"."+encode(payload)+"."+encode(string(sig)), "P1 another spelling")
		require.Equal(t, raw, signed+"."+encode(string(sig)))
		header := independent(t, string(must(base64.RawURLEncoding.DecodeString(head))))
		if alg != "" || header["alg"] != nil {
			require.Equal(t, alg, header["alg"])
		}
		if kid != "" || header["kid"] != nil {
			require.Equal(t, kid, header["kid"])
		}
		for _, name := range []string{"crit", "b64"} {
			require.NotContains(t, header, name, "P3")
		}
		require.NotNil(t, independent(t, payload), "P2 null is no object")
	})
}

// TestParse has what each part of a token is read as, and each error.
func TestParse(t *testing.T) {
	long := strings.Repeat("x", 300)
	raw := encode(`{"alg":"ES256","kid":"\u006b","typ":"at+jwt","cty":"x","x5t":"short","x5t#S256":"`+long+`"}`) + "." + encode(`{"iss":"i"}`) + "." + encode("sig")
	c, err := jose.Parse(raw, registered, new(jose.Buffer))
	require.NoError(t, err)
	assert.Equal(t, jose.Header{Alg: "ES256", Kid: "k", X5T: "short", Typ: "at+jwt", Cty: "x", HasTyp: true}, c.Header)
	assert.Equal(t, raw, c.Raw)
	assert.Equal(t, `{"iss":"i"}`, c.Payload)
	assert.Equal(t, jose.Object{{Name: "iss", Value: `"i"`}}, c.Claims)
	assert.Equal(t, "sig", string(c.Signature))
	assert.Equal(t, raw[:strings.LastIndex(raw, ".")], string(c.Signed))
	assert.True(t, strings.HasPrefix(c.Text, raw) && strings.HasSuffix(c.Text, c.Payload))

	for _, n := range []int{95, 96, 188, 189} { // a thumbprint is 95 characters at most; escapes may double it
		c, err := jose.Parse(encode(`{"alg":"x","x5t":"`+strings.Repeat("a", n)+`"}`)+"."+encode(`{}`)+".AA", registered, new(jose.Buffer))
		require.NoError(t, err)
		assert.Equal(t, n <= 188, c.X5T != "", n)
	}
	head, body := encode(`{"alg":"ES256"}`), encode(`{}`)
	missing := jose.ParseErrors()
	for text, says := range map[string]string{
		"":                          "not three segments but one: an opaque token?",
		"a.b":                       "not three segments",
		"a.b.c.d":                   "not three segments",
		"a.b.c.d.e":                 "not three segments but five: an encrypted token?",
		"." + body + ".AA":          "segment 1: empty",
		head + "..AA":               "segment 2: empty",
		head + "." + body + ".":     "segment 3: empty",
		head + "=." + body + ".AA":  "segment 1: not base64url",
		head + "." + body + "\n.AA": "segment 2: not base64url",
		head + "." + body + ".A":    "segment 3: not base64url",
		head + "." + body + ".AB":   "segment 3: not base64url",
		encode(`{"crit":null}`) + "." + body + ".AA":                  "header: crit and b64 are not supported",
		encode(`{"b64":true}`) + "." + body + ".AA":                   "header: crit and b64 are not supported",
		encode(`{"alg":1}`) + "." + body + ".AA":                      "header: alg, kid, typ or cty is not a string",
		encode(`{"Alg":"x"}`) + "." + body + ".AA":                    "header: a registered name in another spelling",
		encode(`[]`) + "." + body + ".AA":                             "header: not one strict JSON object",
		head + "." + encode(`{"a":1}{}`) + ".AA":                      "claims: not one strict JSON object",
		head + "." + encode(`{"eXp":1}`) + ".AA":                      "claims: a registered name in another spelling",
		head + "." + encode(`{"a":`+nested("[", "]", 32)+`}`) + ".AA": "claims: JSON nested more than 32 deep",
		head + "." + encode(members(257)) + ".AA":                     "claims: a JSON object with more than 256 members",
		encode(`{"a":`+nested("[", "]", 32)+`}`) + "." + body + ".AA": "header: JSON nested more than 32 deep",
		encode(members(257)) + "." + body + ".AA":                     "header: a JSON object with more than 256 members",
	} {
		_, err := jose.Parse(text, registered, new(jose.Buffer))
		require.EqualError(t, err, says, text)
		missing = slices.DeleteFunc(missing, func(e error) bool { return e == err })
	}
	assert.Empty(t, missing, "ParseErrors has errors that no token here causes")
}

// Strings without escapes are parts of Text, so that a token that is kept has one copy.
func TestTextIsShared(t *testing.T) {
	raw := encode(`{"alg":"ES256","kid":"key","typ":"t","cty":"c","x5t":"x","x5t#S256":"y","a\u0062":1}`) + "." + encode(`{"iss":"i","e\u0062":"\u0041"}`) + ".AA"
	c, err := jose.Parse(raw, registered, new(jose.Buffer))
	require.NoError(t, err)
	within := func(s string) bool {
		start, at := uintptr(unsafe.Pointer(unsafe.StringData(c.Text))), uintptr(unsafe.Pointer(unsafe.StringData(s)))
		return start <= at && at+uintptr(len(s)) <= start+uintptr(len(c.Text))
	}
	for _, s := range []string{c.Raw, c.Payload, c.Alg, c.Kid, c.Typ, c.Cty, c.X5T, c.X5TS256, c.Claims[0].Name, c.Claims[0].Value, c.Claims[1].Value, jose.Unquote(c.Claims[0].Value)} {
		assert.True(t, within(s), s)
	}
	for _, s := range []string{c.Claims[1].Name, jose.Unquote(c.Claims[1].Value)} {
		assert.False(t, within(s), "%s had escapes", s)
	}
}

// members returns an object with n members.
func members(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"m%d":1`, i)
	}
	return "{" + b.String()[1:] + "}"
}

// A Buffer that was used for one token says nothing of it to the next.
func TestBuffer(t *testing.T) {
	b := new(jose.Buffer)
	tokens := []string{
		encode(`{"alg":"ES256","kid":"first","x5t":"a","typ":"b","cty":"c"}`) + "." + encode(`{"a":"long text of the first token","b\u0062":1}`) + "." + encode("signature"),
		encode(`{"alg":"x"}`) + "." + encode(`{}`) + ".AA",
	}
	var read []jose.Compact
	for _, raw := range tokens {
		c, err := jose.Parse(raw, registered, b)
		require.NoError(t, err)
		alone, err := jose.Parse(raw, registered, new(jose.Buffer))
		require.NoError(t, err)
		assert.Equal(t, alone, c)
		read = append(read, c)
	}
	assert.Equal(t, "first", read[0].Kid)
	assert.Equal(t, "bb", read[0].Claims[1].Name)
	assert.Equal(t, tokens[0], read[0].Raw)
	assert.GreaterOrEqual(t, b.Size(), len(tokens[1]))
}

func TestSameMediaType(t *testing.T) {
	for _, row := range []struct {
		a, b string
		want bool
	}{
		{"JWT", "jwt", true}, {"application/jwt", "JWT", true}, {"APPLICATION/x", "application/X", true},
		{"application/", "", false}, {"application/a/b", "a/b", false}, {"text/x", "x", false}, {"application", "application/", false},
	} {
		assert.Equal(t, row.want, jose.SameMediaType(row.a, row.b), row)
		assert.Equal(t, row.want, jose.SameMediaType(row.b, row.a), row)
	}
}

// independent reads an object with encoding/json; nil is none. Numbers are as they
// are written, since not all of them fit into a float64.
func independent(t *testing.T, text string) (all map[string]any) {
	t.Helper()
	require.NoError(t, decodeJSON(text, &all))
	return all
}

func decodeJSON(text string, to any) error {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	return dec.Decode(to)
}
