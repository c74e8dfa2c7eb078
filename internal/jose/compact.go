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
	Raw     string // a copy of the whole token
	Payload string // the decoded second segment
	Claims  Object // of Payload

	// Text is the memory of Raw, of Payload, and of those strings in Header and
	// Claims that have no escapes.
	Text string

	// Signed is the signing input (RFC 7515 §5.1). Both are parts of the Buffer.
	Signed, Signature []byte
}

// Member returns the text of a member of the header that [Header] has not, or "" if there
// is none or it is null.
func (c *Compact) Member(name string) string {
	header := c.Text[len(c.Raw) : len(c.Text)-len(c.Payload)]
	return MemberOf(strings.TrimLeft(header, " \t\r\n"), name)
}

// A Header has the members of a JOSE header that are read (RFC 7515 §4). Members that
// contain or locate a key (jku, x5u, jwk, x5c) are not: see [Compact.Member].
type Header struct {
	Alg, Kid     string
	X5T, X5TS256 string // thumbprints of the key's certificate
	Typ, Cty     string
	HasTyp       bool // typ is present and not null
}

// A Buffer is reusable memory for parsing one token at a time. Whatever is used longer
// is copied.
type Buffer struct {
	bytes     []byte
	names     []span // of all objects that are open
	members   []span // of the outermost object: name, value, name, value ...
	unescaped []byte // names that had escapes
	header    Object
	table     nameTable
}

// Size returns how many bytes b has room for: those of a token and of its decoded
// segments.
func (b *Buffer) Size() int { return cap(b.bytes) }

// The errors of [Parse] are preallocated, because unauthenticated clients can cause them
// at any rate.
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

// inObject returns the error of errs for err of [ReadObject].
func inObject(errs map[error]error, err error) error {
	if known := errs[err]; known != nil {
		return known
	}
	return err
}

// objectErrors returns the errors of [ReadObject], prefixed with what the object is.
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

// headerNames are the names of which a header may have no other spelling.
var headerNames = []string{"alg", "kid", "typ", "crit"}

// Parse parses raw without verifying it. Claims with another spelling of a name in
// registered are an error. Errors contain no text of raw.
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
		return c, inObject(claimsErrors, err)
	}
	return c, nil
}

// readHeader refuses crit, since no extension is supported (RFC 7515 §4.1.11), and b64
// (RFC 7797 §7), whatever their values. A zip member has no meaning in a JWS.
func readHeader(text []byte, kept string, b *Buffer) (h Header, err error) {
	o, err := readObject(text, kept, headerNames, b, b.header[:0])
	b.header = o[:0]
	defer clear(o) // so that the buffer does not keep the text in memory
	if err != nil {
		return h, inObject(headerErrors, err)
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

// maxThumbprint is the maximum length of a SHA-256 thumbprint: hexadecimal with a colon
// between octets.
const maxThumbprint = 3*32 - 1

// thumbprint returns a thumbprint, or "" for a value that cannot be one: it only helps
// to choose a key.
func thumbprint(value string) string {
	if len(value) > 2*maxThumbprint { // allows for a few escapes
		return ""
	}
	s, _ := StringValue(value)
	return s
}

// SameMediaType reports whether a and b are the same media type in typ or cty: ignoring
// case, and with "application/" omitted if no other slash follows (RFC 7515 §4.1.9).
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
