package verifier

import (
	"encoding/base64"
	"slices"
	"strings"
	"sync"
)

// A compact is a JWS in compact serialization (RFC 7515 §7.1), parsed and not
// verified. What is not in the evidence is gone with the scratch.
type compact struct {
	evidence
	head      string // the header as it was sent
	unknown   bool   // it was read, not remembered
	signed    []byte // what the signature is over
	signature []byte
}

// A scratch is room for one token's bytes while it is verified. What outlives
// that is copied out.
type scratch struct {
	bytes     []byte
	names     []span // of all objects that are open
	members   []span // of the outermost, name and value in turn
	unescaped []byte // what escaped names mean
	table     nameTable
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

// Preallocated, because unauthenticated clients can cause these at any rate.
var (
	notThreeSegments = refusal(ErrMalformed, "not three segments")
	oneSegment       = refusal(ErrMalformed, "not three segments but one: an opaque token?")
	fiveSegments     = refusal(ErrMalformed, "not three segments but five: an encrypted token?")
	emptySegment     = inSegment("empty")
	notBase64        = inSegment("not base64url")
)

func wrongSegments(raw string) *Error {
	switch strings.Count(raw, ".") {
	case 0:
		return oneSegment
	case 4:
		return fiveSegments
	}
	return notThreeSegments
}

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
	body, sig, ok := strings.Cut(rest, ".")
	if !ok || strings.Contains(sig, ".") {
		return c, wrongSegments(raw)
	}
	c.head, c.header = head, known.find(head)
	c.unknown = c.header == nil

	bodyAt, sigAt := len(head)+1, len(head)+1+len(body)+1
	all := append(slices.Grow(s.bytes[:0], 2*len(raw)), raw...)
	defer func() { s.bytes = all }()
	if all, refused = appendDecoded(all, all[bodyAt:sigAt-1], 1); refused != nil {
		return c, refused
	}
	decoded := len(all)
	if all, refused = appendDecoded(all, all[sigAt:len(raw)], 2); refused != nil {
		return c, refused
	}
	c.signed, c.signature = all[:sigAt-1], all[decoded:]
	if c.unknown {
		end := len(all)
		if all, refused = appendDecoded(all, all[:bodyAt-1], 0); refused != nil {
			return c, refused
		}
		if c.header, refused = readHeader(all[end:], s); refused != nil {
			return c, refused
		}
	}
	var err error
	if c.payload, c.members, err = readObject(all[len(raw):decoded], claimNames, s); err != nil {
		return c, refusal(ErrMalformed, "claims: %w", err)
	}
	return c, nil
}

// base64url without padding (RFC 7515 §2), and without bits left over.
var base64url = base64.RawURLEncoding.Strict()

// appendDecoded appends what segment i encodes, unpadded base64url and nothing
// else. Go's decoder skips CR and LF even when strict, which the length betrays.
func appendDecoded(b, segment []byte, i int) ([]byte, *Error) {
	if len(segment) == 0 {
		return b, emptySegment[i]
	}
	start := len(b)
	b, err := base64url.AppendDecode(b, segment)
	if err != nil || base64url.EncodedLen(len(b)-start) != len(segment) {
		return b, notBase64[i]
	}
	return b, nil
}
