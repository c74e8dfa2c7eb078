package jose

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Compact is a JWS in compact serialization whose payload is a JSON object, as
// of a JWT (RFC 7515 §7.1, RFC 7519 §3). It is parsed and not verified.
type Compact struct {
	Header
	Raw     string // a copy of the whole
	Payload string // the bytes that were signed
	Claims  Object // of Payload

	// Text is the memory that Raw, Payload and the strings of Header and Claims
	// are parts of, as far as they have no escapes.
	Text string

	// Signed is what the signature is over. Both are parts of the Buffer.
	Signed, Signature []byte
}

// A Header is what is read of a JOSE header (RFC 7515 §4). Members that would
// choose a key by themselves (jku, x5u, jwk, x5c) are not read.
type Header struct {
	Alg, Kid     string
	X5T, X5TS256 string // thumbprints of the key's certificate
	Typ, Cty     string
	HasTyp       bool // typ is there, and not null
}

// A Buffer is room for one token at a time. What outlives the token is copied out
// of it.
type Buffer struct {
	bytes     []byte
	names     []span // of all objects that are open
	members   []span // of the outermost object: name, value, name, value ...
	unescaped []byte // names that had escapes
	header    Object
	table     nameTable
}

// Size returns how many bytes of a token b has room for.
func (b *Buffer) Size() int { return cap(b.bytes) }

// The errors of [Parse] are made beforehand, since anybody can cause them at any
// rate.
var (
	errSegments     = errors.New("not three segments")
	errOneSegment   = errors.New("not three segments but one: an opaque token?")
	errFiveSegments = errors.New("not three segments but five: an encrypted token?")
	errEmpty        = segmentErrors("empty")
	errNotBase64    = segmentErrors("not base64url")
	errCritical     = errors.New("header: crit and b64 are not supported")
	errHeaderKind   = errors.New("header: alg, kid, typ or cty is not a string")

	headerErrors = objectErrors("header")
	claimsErrors = objectErrors("claims")
)

// ParseErrors returns all errors of [Parse].
func ParseErrors() []error {
	all := []error{errSegments, errOneSegment, errFiveSegments, errCritical, errHeaderKind}
	all = append(append(all, errEmpty[:]...), errNotBase64[:]...)
	for _, errs := range []map[error]error{headerErrors, claimsErrors} {
		for _, err := range errs {
			all = append(all, err)
		}
	}
	return all
}

// objectErrors returns those of [ReadObject] with what the object is.
func objectErrors(what string) map[error]error {
	errs := make(map[error]error)
	for _, err := range []error{ErrJSON, ErrDepth, ErrMembers, ErrVariant} {
		errs[err] = fmt.Errorf("%s: %w", what, err)
	}
	return errs
}

func segmentErrors(what string) (errs [3]error) {
	for i := range errs {
		errs[i] = fmt.Errorf("segment %d: %s", i+1, what)
	}
	return errs
}

func segmentsError(raw string) error {
	switch strings.Count(raw, ".") {
	case 0:
		return errOneSegment
	case 4:
		return errFiveSegments
	}
	return errSegments
}

// headerNames are the names that no other spelling in a header may stand for.
var headerNames = []string{"alg", "kid", "typ", "crit"}

// Parse reads raw, whose claims have no other spelling of a registered name. Its
// errors say what is wrong in words of this package, never in those of raw.
func Parse(raw string, registered []string, b *Buffer) (c Compact, err error) {
	head, rest, _ := strings.Cut(raw, ".")
	body, sig, ok := strings.Cut(rest, ".")
	if !ok || strings.Contains(sig, ".") {
		return c, segmentsError(raw)
	}
	bodyAt, sigAt := len(head)+1, len(head)+1+len(body)+1
	all := append(slices.Grow(b.bytes[:0], 2*len(raw)), raw...)
	defer func() { b.bytes = all }()
	segments := [3][]byte{all[:bodyAt-1], all[bodyAt : sigAt-1], all[sigAt:len(raw)]}
	var ends [3]int
	for i, segment := range segments {
		if len(segment) == 0 {
			return c, errEmpty[i]
		}
		if all, ok = AppendDecode(all, segment); !ok {
			return c, errNotBase64[i]
		}
		ends[i] = len(all)
	}
	c.Signed, c.Signature = all[:sigAt-1], all[ends[1]:ends[2]]
	c.Text = string(all[:ends[1]])
	c.Raw, c.Payload = c.Text[:len(raw)], c.Text[ends[0]:]
	if c.Header, err = readHeader(all[len(raw):ends[0]], c.Text[len(raw):ends[0]], b); err != nil {
		return c, err
	}
	if c.Claims, err = readObject(all[ends[0]:ends[1]], c.Payload, registered, b, nil); err != nil {
		return c, claimsErrors[err]
	}
	return c, nil
}

// readHeader understands no extension, so everything critical is refused (RFC
// 7515 §4.1.11), and so is b64 (RFC 7797 §7), whatever their values. A zip member
// means nothing in a JWS.
func readHeader(text []byte, kept string, b *Buffer) (h Header, err error) {
	o, err := readObject(text, kept, headerNames, b, b.header[:0])
	b.header = o[:0]
	defer clear(o) // lest the room keep the text alive
	if err != nil {
		return h, headerErrors[err]
	}
	if o.Has("crit") || o.Has("b64") {
		return h, errCritical
	}
	var errs [4]error
	h.Alg, errs[0] = o.String("alg")
	h.Kid, errs[1] = o.String("kid")
	h.Typ, errs[2] = o.String("typ")
	h.Cty, errs[3] = o.String("cty")
	if errs != [4]error{} {
		return h, errHeaderKind
	}
	h.HasTyp = o.Value("typ") != ""
	h.X5T, h.X5TS256 = thumbprint(o.Value("x5t")), thumbprint(o.Value("x5t#S256"))
	return h, nil
}

// maxThumbprint is how long the text of a SHA-256 thumbprint can be: hexadecimal
// with a colon between octets.
const maxThumbprint = 3*32 - 1

// thumbprint returns a thumbprint, which only helps to choose a key: a value that
// cannot be one counts as none.
func thumbprint(value string) string {
	if len(value) > 2*maxThumbprint { // a few escapes may be in it
		return ""
	}
	s, _ := StringValue(value)
	return s
}

// SameMediaType compares media types as typ and cty write them: ignoring case,
// and with "application/" left out where no other slash follows (RFC 7515
// §4.1.9).
func SameMediaType(a, b string) bool {
	return strings.EqualFold(shortMediaType(a), shortMediaType(b))
}

func shortMediaType(t string) string {
	const prefix = "application/"
	if len(t) > len(prefix) && strings.EqualFold(t[:len(prefix)], prefix) && !strings.Contains(t[len(prefix):], "/") {
		return t[len(prefix):]
	}
	return t
}
