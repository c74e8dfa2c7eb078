package verifier

import (
	"errors"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// get returns the value of name, and "" if there is none: null is none.
func (o object) get(name string) string {
	if v := o.raw(name); v != "null" {
		return v
	}
	return ""
}

// has reports whether there is a member name, be it null.
func (o object) has(name string) bool { return o.raw(name) != "" }

// raw returns the value of name, which is not empty, as it was written.
func (o object) raw(name string) string {
	for i := range o {
		// Most claims have three letters: the first tells most of them apart.
		if n := o[i].name; len(n) == len(name) && n[0] == name[0] && n == name {
			return o[i].value
		}
	}
	return ""
}

var (
	errKind  = errors.New("of the wrong kind")
	errRange = errors.New("out of range")
	errLong  = errors.New("too long")
)

// maxAudiences is how many elements aud may have.
const maxAudiences = 256

// str returns the string name, and "" where there is none.
func (o object) str(name string) (string, error) {
	v := o.get(name)
	switch {
	case v == "":
		return "", nil
	case v[0] != '"':
		return "", errKind
	}
	return unquote(v), nil
}

// strings calls f with each string of name, an array of strings or one string
// alone.
func (o object) strings(name string, f func(string)) error {
	return eachString(o.get(name), func(quoted string) { f(unquote(quoted)) })
}

// eachString calls f with each string of v as it was written, v being an array
// of strings, one string or "".
func eachString(v string, f func(quoted string)) error {
	switch {
	case v == "":
		return nil
	case v[0] == '"':
		f(v)
		return nil
	case v[0] != '[':
		return errKind
	}
	for i := 1; v[i] != ']'; i++ {
		switch start := i; v[i] {
		case '"':
			for i++; v[i] != '"'; i++ {
				if v[i] == '\\' {
					i++ // whatever follows does not end the string
				}
			}
			f(v[start : i+1])
		case ',', ' ', '\t', '\n', '\r':
		default:
			return errKind
		}
	}
	return nil
}

// audiences returns the aud claim, an array of strings or one string alone (RFC
// 7519 §4.1.3), in list if that has room.
func (o object) audiences(list []string) ([]string, error) {
	v, n := o.get("aud"), 0
	err := eachString(v, func(string) { n++ })
	switch {
	case err != nil || n == 0:
		return nil, err
	case n > maxAudiences:
		return nil, errLong
	}
	if n > cap(list) {
		list = make([]string, 0, n)
	}
	err = eachString(v, func(quoted string) { list = append(list, unquote(quoted)) })
	return list, err
}

// scopeList reads scopes: a string with spaces between them (RFC 8693 §4.2) or
// an array with one in each element. Lists are counted before they take memory.
func (o object) scopeList(name string) ([]string, error) {
	v, n := o.get(name), 0
	text := ""
	if v != "" && v[0] == '"' {
		text, v = unquote(v), ""
		for range words(text) {
			n++
		}
	}
	err := eachString(v, func(quoted string) {
		if quoted != `""` {
			n++
		}
	})
	if err != nil || n == 0 {
		return nil, err
	}
	list := slices.AppendSeq(make([]string, 0, n), words(text))
	err = eachString(v, func(quoted string) {
		if quoted != `""` {
			list = append(list, unquote(quoted))
		}
	})
	return list, err
}

// words are the parts of s between spaces.
func words(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for w := range strings.SplitSeq(s, " ") {
			if w != "" && !yield(w) {
				return
			}
		}
	}
}

// lastDate is the end of the year 9999, in seconds.
const lastDate = 253402300799

// maxDateLength is how long the text of a date may be, which is to be read before
// the signature.
const maxDateLength = 64

// date returns the NumericDate name (RFC 7519 §2) in UTC, and the zero time
// where there is none. Years past 9999 are no dates.
func (o object) date(name string) (time.Time, error) {
	v := o.get(name)
	switch {
	case v == "":
		return time.Time{}, nil
	case v[0] != '-' && (v[0] < '0' || v[0] > '9'):
		return time.Time{}, errKind
	case len(v) > maxDateLength:
		return time.Time{}, errLong
	}
	f, err := strconv.ParseFloat(v, 64)
	if err != nil || f > lastDate || math.Signbit(f) {
		return time.Time{}, errRange
	}
	whole, part := math.Modf(f)
	return time.Unix(int64(whole), int64(part*1e9)).UTC(), nil
}
