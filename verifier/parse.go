package verifier

import (
	"encoding/base64"
	"slices"
	"strings"
	"sync"
)

// A compact is a JWS in compact serialization (RFC 7515 §7.1), taken apart but
// not yet believed.
type compact struct {
	head      string // the header as it was sent, encoded
	header    *header
	unknown   bool // the header was read, not remembered
	claims    claimsText
	signed    []byte // what the signature is over; in the scratch, as is the next
	signature []byte
}

// A scratch is room for one token's bytes while it is verified. What outlives
// that is copied out.
type scratch struct {
	bytes   []byte
	names   []string
	members []member
}

// scratchAtMost is the longest room kept for the next token: enough for any
// within the default length.
const scratchAtMost = 2 * defaultTokenLength

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func (s *scratch) free() {
	if cap(s.bytes) <= scratchAtMost {
		scratches.Put(s)
	}
}

// What is wrong with a text that is no token costs nothing to say: anybody can
// send one.
var (
	notThreeSegments = refusal(ErrMalformed, "not three segments")
	emptySegment     = inSegment("empty")
	notBase64        = inSegment("not base64url")
)

func inSegment(what string) (errs [3]*Error) {
	for i := range errs {
		errs[i] = refusal(ErrMalformed, "segment %d: %s", i+1, what)
	}
	return errs
}

// parse takes raw apart in the room of s, or says what is wrong with it. A
// header that known has is not read again.
func parse(raw string, known *headerCache, s *scratch) (c compact, refused *Error) {
	head, rest, _ := strings.Cut(raw, ".")
	body, _, ok := strings.Cut(rest, ".")
	if !ok || strings.Count(raw, ".") > 2 {
		return c, notThreeSegments
	}
	bodyAt := len(head) + 1
	sigAt := bodyAt + len(body) + 1
	all := append(slices.Grow(s.bytes[:0], 2*len(raw)), raw...)
	defer func() { s.bytes = all }()

	c.head, c.header = head, known.find(head)
	c.unknown = c.header == nil
	var text [3][]byte
	for i, segment := range [...][]byte{all[:bodyAt-1], all[bodyAt : sigAt-1], all[sigAt:]} {
		if i == 0 && !c.unknown {
			continue
		}
		if len(segment) == 0 {
			return c, emptySegment[i]
		}
		start := len(all)
		if all, ok = appendDecoded(all, segment); !ok {
			return c, notBase64[i]
		}
		text[i] = all[start:]
	}
	c.signed, c.signature = all[:sigAt-1], text[2]
	if c.unknown {
		if c.header, refused = readHeader(string(text[0]), s); refused != nil {
			return c, refused
		}
	}
	var err error
	c.claims.payload = string(text[1])
	if c.claims.members, err = readObject(c.claims.payload, s); err != nil {
		return c, refusal(ErrMalformed, "claims: %w", err)
	}
	return c, nil
}

// base64url without padding (RFC 7515 §2), and without bits left over.
var base64url = base64.RawURLEncoding.Strict()

// appendDecoded appends what segment encodes, and tells whether it is unpadded
// base64url and nothing else. Go's decoder skips CR and LF even when strict,
// which the length betrays.
func appendDecoded(b, segment []byte) ([]byte, bool) {
	start := len(b)
	b, err := base64url.AppendDecode(b, segment)
	return b, err == nil && base64url.EncodedLen(len(b)-start) == len(segment)
}
