package verifier

import (
	"errors"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
)

// A header holds what a JOSE header may tell us. Whatever would choose a key
// (jku, x5u, jwk, x5c) is not read. It is immutable.
type header struct {
	alg, kid, typ string
	x5t, x5tS256  string // thumbprints of the key's certificate
	hasTyp        bool
}

// readHeader reads a JOSE header (RFC 7515 §4). It understands no extension, so
// everything critical is refused (§4.1.11), and so is b64 (RFC 7797 §7), null as
// any other. A zip member means nothing in a JWS.
func readHeader(text []byte, s *scratch) (*header, *Error) {
	_, o, err := readObject(text, headerNames, s)
	if err != nil {
		return nil, refusal(ErrMalformed, "header: %w", err)
	}
	if o.has("crit") || o.has("b64") {
		return nil, refusal(ErrMalformed, "header: crit and b64 are not supported")
	}
	h := new(header)
	var errs [4]error
	var cty string
	h.alg, errs[0] = o.str("alg")
	h.kid, errs[1] = o.str("kid")
	h.typ, errs[2] = o.str("typ")
	cty, errs[3] = o.str("cty")
	if err := errors.Join(errs[:]...); err != nil {
		return nil, refusal(ErrMalformed, "header: alg, kid, typ or cty is no string")
	}
	h.x5t, h.x5tS256 = o.thumbprint("x5t"), o.thumbprint("x5t#S256")
	h.hasTyp = o.get("typ") != ""
	switch {
	case h.alg == "":
		return nil, refusal(ErrAlgorithm, "the header has no alg")
	case sameType(cty, "JWT"):
		return nil, refusal(ErrType, "a nested JWT")
	}
	for _, s := range []*string{&h.alg, &h.kid, &h.typ, &h.x5t, &h.x5tS256} {
		*s = strings.Clone(*s) // and not the whole text with it
	}
	return h, nil
}

// maxThumbprint is what the longest spelling of a SHA-256 takes, hexadecimal
// with a colon between octets.
const maxThumbprint = 3*32 - 1

// thumbprint returns the member name, which only helps to choose a key: what can
// be none is as if it were not there.
func (o object) thumbprint(name string) string {
	if len(o.get(name)) > 2*maxThumbprint { // escapes may be in it, if few
		return ""
	}
	s, _ := o.str(name)
	return s
}

// size is how many bytes h keeps in memory.
func (h *header) size() int {
	n := 128
	for _, s := range []string{h.alg, h.kid, h.typ, h.x5t, h.x5tS256} {
		n += allocated(len(s))
	}
	return n
}

// sameType compares media types as typ and cty write them: without case, and
// with "application/" left out where no other slash follows (RFC 7515 §4.1.9).
func sameType(a, b string) bool {
	return strings.EqualFold(shortType(a), shortType(b))
}

func shortType(t string) string {
	const prefix = "application/"
	if len(t) > len(prefix) && strings.EqualFold(t[:len(prefix)], prefix) && !strings.Contains(t[len(prefix):], "/") {
		return t[len(prefix):]
	}
	return t
}

// What a verifier remembers of headers: so many texts, in so many bytes.
const (
	maxHeaders     = 64
	maxHeaderBytes = 64 << 10
)

// A headerCache remembers what the headers of verified tokens say: an issuer
// sends the same few texts with all its tokens. It holds neither key nor verdict,
// and a text is found only if it is the same to the byte.
type headerCache struct {
	current atomic.Pointer[map[string]*header] // replaced, never changed
	mu      sync.Mutex                         // of writers
	bytes   int                                // of current
}

// find returns the header that text encodes, nil if it is not remembered.
func (c *headerCache) find(text string) *header {
	if m := c.current.Load(); m != nil {
		return (*m)[text]
	}
	return nil
}

// remember is for headers of verified tokens only: nobody else may fill it. Full,
// it begins anew.
func (c *headerCache) remember(text string, h *header) {
	n := allocated(len(text)) + h.size()
	if n > maxHeaderBytes {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	next := make(map[string]*header)
	if m := c.current.Load(); m != nil && len(*m) < maxHeaders && c.bytes+n <= maxHeaderBytes {
		maps.Copy(next, *m)
		n += c.bytes
	}
	next[strings.Clone(text)], c.bytes = h, n
	c.current.Store(&next)
}
