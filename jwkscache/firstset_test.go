package jwkscache_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// What is wrong with a key set is said, and the first one is taken no more than
// a later one: a cache with no keys at all stays empty.
func TestBadFirstSet(t *testing.T) {
	a := newKey("a")
	member := a.jwk.String()
	set := rawSet(member)
	for _, row := range []struct{ name, doc, why string }{
		{"K7 nothing", ``, "not a JWK Set: not a JSON object"},
		{"K7 HTML", `<html></html>`, "not a JWK Set: not a JSON object"},
		{"K7 null", `null`, "not a JWK Set: not a JSON object"},
		{"K7 an array of keys", `[` + member + `]`, "not a JWK Set: not a JSON object"},
		{"K7 a text", `"keys"`, "not a JWK Set: not a JSON object"},
		{"K7 {}", `{}`, "not a JWK Set: no member named keys"},
		{"K7 a lone JWK", member, "not a JWK Set: no member named keys"},
		{"K7 a name that is none", `{keys:[]}`, "not a JWK Set: broken JSON"},
		{"K7 truncated before a name", strings.TrimSuffix(set, "}") + ",", "not a JWK Set: broken JSON"},
		{"K7 truncated after the keys", strings.TrimSuffix(set, "}"), "not a JWK Set: broken JSON"},
		{"K7 a comma before the end", strings.TrimSuffix(set, "}") + ",}", "not a JWK Set: broken JSON"},
		{"K7 a broken member", `{"a":tru,` + strings.TrimPrefix(set, "{"), "not a JWK Set: broken JSON"},
		{"K7 keys twice", `{"keys":[],` + strings.TrimPrefix(set, "{"), "not a JWK Set: two members named keys"},
		{"K7 keys a number", `{"keys":7}`, "not a JWK Set: keys is not an array"},
		{"K7 keys null", `{"keys":null}`, "not a JWK Set: keys is not an array"},
		{"K7 keys missing", `{"keys":`, "not a JWK Set: keys is not an array"},
		{"K7 truncated inside a key", set[:len(set)/2], "not a JWK Set: broken JSON"},
		{"K7 a comma after the keys", strings.Replace(set, "]", ",]", 1), "not a JWK Set: "},
		{"K7 257 keys", rawSet(strings.Repeat(`{},`, 256) + member), "not a JWK Set: more than 256 keys"},
		{"K7 trailing rubbish", set + "x", "not a JWK Set: something follows the JSON object"},
		{"K7 a trailing second set", set + set, "not a JWK Set: something follows the JSON object"},
		{"K7 no key", `{"keys":[]}`, "no usable key among 0"},
		{"K7 none usable", rawSet(`{}`, `7`), "no usable key among 2"},
	} {
		t.Run(row.name, inBubble(func(t *testing.T) {
			_, err := jwkscache.Static([]byte(row.doc))
			require.ErrorContains(t, err, "jwkscache: "+row.why)

			s := newServer(reply(200, row.doc))
			c := open(t, s, jwkscache.Config{})
			require.Equal(t, jwkscache.Empty, c.Stats().State)
			require.ErrorContains(t, cannotTell(t, c, "a"), row.why)
			require.ErrorContains(t, c.Health(), row.why)
			s.serve(publish(a))
			require.NoError(t, c.Refresh(t.Context()))
			serves(t, c, a)
			assert.Equal(t, jwkscache.Fresh, c.Stats().State)
		}))
	}
}
