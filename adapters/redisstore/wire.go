package redisstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
)

// maxEncoded is the longest encoding of an entry's strings that is read, in bytes.
const maxEncoded = 64 << 10

// An identity has the strings of a revocation.Entry. Its JSON is the name of the entry in
// Redis, where one that is added again has the later of both times, as in a List.
type identity struct {
	Issuer   string `json:"iss"`
	TokenID  string `json:"jti,omitempty"`
	Subject  string `json:"sub,omitempty"`
	ClientID string `json:"client_id,omitempty"`
}

// times are IssuedBefore and Expires of a revocation.Entry, in milliseconds since 1970.
type times struct{ before, expires int64 }

// always stands for an IssuedBefore of zero: a token ID, whenever the token was issued.
// It is the last second of the year 9999.
const always = 253402300799000

var errEntry = errors.New("not an entry")

// encode returns the name of an entry in Redis, and its times.
func encode(e *revocation.Entry) (name string, t times) {
	encoded, err := json.Marshal(identity{e.Issuer, e.TokenID, e.Subject, e.ClientID})
	if err != nil {
		panic(err) // strings only
	}
	t = times{before: always, expires: max(e.Expires.UnixMilli(), 1)}
	if !e.IssuedBefore.IsZero() {
		t.before = max(e.IssuedBefore.UnixMilli(), 1)
	}
	return string(encoded), t
}

// decode is the inverse of encode. An entry with members that this version does not know
// is not decoded: without them, it could revoke other tokens.
func decode(name, value string) (e revocation.Entry, err error) {
	if len(name) > maxEncoded {
		return e, errEntry
	}
	t, err := parseTimes(value)
	if err != nil {
		return e, err
	}
	var i identity
	d := json.NewDecoder(strings.NewReader(name))
	d.DisallowUnknownFields()
	if err := d.Decode(&i); err != nil || d.InputOffset() != int64(len(name)) {
		return e, errEntry
	}
	e = revocation.Entry{Issuer: i.Issuer, TokenID: i.TokenID, Subject: i.Subject, ClientID: i.ClientID, Expires: time.UnixMilli(t.expires).UTC()}
	switch {
	case t.before < always:
		e.IssuedBefore = time.UnixMilli(t.before).UTC()
	case i.TokenID == "":
		return e, errEntry // zero would mean now
	}
	return e, nil
}

// later returns the later of each time.
func (t times) later(u times) times {
	return times{max(t.before, u.before), max(t.expires, u.expires)}
}

func (t times) String() string { return fmt.Sprintf("%d %d", t.before, t.expires) }

func parseTimes(s string) (t times, err error) {
	before, expires, found := strings.Cut(s, " ")
	if !found || len(s) > 40 {
		return t, errEntry
	}
	if t.before, err = parseTime(before); err == nil {
		t.expires, err = parseTime(expires)
	}
	return t, err
}

func parseTime(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 || n > always {
		return 0, errEntry
	}
	return n, nil
}
