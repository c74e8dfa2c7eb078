package differential

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A kind is one thing that a generator can do. Its name is the class of the
// cases that come of it.
type kind struct {
	name string
	mint func(g *generator) (jwks, token string)
}

// A sample is a case: what all libraries are asked.
type sample struct {
	number            int
	kind, jwks, token string
}

// A generator mints cases. The same seed mints the same.
type generator struct {
	*rand.Rand
	now   int64
	ring  *keyring
	keys  []*key // one for each algorithm, in their order
	plain string // their key set
}

func newGenerator(seed uint64, now int64) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0)), now: now, ring: newKeyring()}
	var jwks []object
	for _, alg := range algorithms {
		k := g.fresh(alg, "key-"+strings.ToLower(alg))
		g.keys = append(g.keys, k)
		jwks = append(jwks, k.jwk)
	}
	g.plain = keySet(jwks...)
	for g.ring.zero == "" {
		if token := g.draftOf("RS256").token(); decode(token[strings.LastIndex(token, ".")+1:])[0] == 0 {
			g.ring.zero = token
		}
	}
	return g
}

// mint goes round all kinds until there are enough cases.
func (g *generator) mint(kinds []kind, enough int) (samples []sample) {
	for len(samples) < enough {
		for _, k := range kinds {
			jwks, token := k.mint(g)
			samples = append(samples, sample{len(samples), k.name, jwks, token})
		}
	}
	return samples
}

func pick[T any](g *generator, list []T) T { return list[g.IntN(len(list))] }

// word is a short text that is different in most cases.
func (g *generator) word() string { return fmt.Sprintf("w%x", g.Uint32()) }

// A draft is a token before it is signed. As it comes, every voter accepts it.
type draft struct {
	key            *key
	alg            string // that signs
	header, claims object
	jwks           string
}

// draft returns one with an algorithm that all libraries know, the cheap ones
// more often.
func (g *generator) draft() *draft {
	if g.IntN(8) > 0 {
		return g.draftOf(pick(g, []string{"ES256", "EdDSA"}))
	}
	return g.draftOf(pick(g, algorithms[:len(algorithms)-1]))
}

func (g *generator) draftOf(alg string) *draft {
	d := &draft{alg: alg, jwks: g.plain}
	for i, a := range algorithms {
		if a == alg {
			d.key = g.keys[i]
		}
	}
	d.header = object{{"alg", quoted(alg)}, {"kid", quoted(d.key.kid())}}
	switch g.IntN(3) {
	case 0:
		d.header = d.header.with("typ", `"JWT"`)
	case 1:
		d.header = d.header.before("typ", `"at+jwt"`)
	}
	d.claims = object{
		{"iss", quoted(issuer)}, {"aud", quoted(audience)}, {"sub", quoted(g.word())},
		{"client_id", quoted(g.word())}, {"jti", quoted(g.word())}, {"scope", quoted("orders:read " + g.word())},
		{"iat", number(g.now - int64(g.IntN(600)))}, {"exp", number(g.now + 1200 + int64(g.IntN(6000)))},
	}
	if g.IntN(3) == 0 {
		d.claims = d.claims.with("nbf", number(g.now-600))
	}
	g.Shuffle(len(d.claims), func(i, j int) { d.claims[i], d.claims[j] = d.claims[j], d.claims[i] })
	return d
}

func (d *draft) token() string { return d.tokenOf(d.header.text(), d.claims.text()) }

// tokenOf signs these texts instead of the draft's own.
func (d *draft) tokenOf(header, claims string) string {
	signed := encode([]byte(header)) + "." + encode([]byte(claims))
	return signed + "." + encode(sign(d.key, d.alg, signed))
}

// drafted is a kind that edits a draft before it is signed.
func drafted(name string, edit func(g *generator, d *draft)) kind {
	return kind{name, func(g *generator) (string, string) {
		d := g.draft()
		edit(g, d)
		return d.jwks, d.token()
	}}
}

// mangled is a kind that edits a token after it was signed.
func mangled(name string, edit func(g *generator, token string) string) kind {
	return kind{name, func(g *generator) (string, string) {
		d := g.draft()
		return d.jwks, edit(g, d.token())
	}}
}

// claim is a kind with a claim of another value.
func claim(name, value string) kind {
	return drafted(name+": "+value, func(_ *generator, d *draft) { d.claims = d.claims.set(name, value) })
}

// allKinds is everything that is tried.
func allKinds() []kind {
	var all []kind
	for _, kinds := range [][]kind{
		goodKinds(), keyKinds(), keySetKinds(), segmentKinds(), jsonKinds(), nameKinds(),
		algKinds(), headerKinds(), signatureKinds(), claimKinds(), timeKinds(), partyKinds(), otherTokenKinds(),
	} {
		all = append(all, kinds...)
	}
	return all
}
