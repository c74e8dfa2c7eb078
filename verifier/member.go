package verifier

import (
	"errors"
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

var errKind = errors.New("of the wrong kind")

// str returns the string name, and "" where there is none.
func (o object) str(name string) (string, error) {
	v := o.get(name)
	switch {
	case v == "":
		return "", nil
	case v[0] != '"':
		return "", errKind
	}
	return unquote(v)
}

// strings calls f with each string of name, an array of strings or one string
// alone.
func (o object) strings(name string, f func(string)) error {
	v := o.get(name)
	if v == "" {
		return nil
	}
	if v[0] != '[' {
		s, err := o.str(name)
		f(s)
		return err
	}
	r := reader{text: v, pos: 1}
	for more := r.space() != ']'; more; more, _ = r.comma(']') {
		s, err := r.name() // v is an array for certain, but of strings?
		if err != nil {
			return errKind
		}
		f(s)
	}
	return nil
}

// stringList returns name as a list: an array of strings, or one string alone.
func (o object) stringList(name string) ([]string, error) {
	v := o.get(name)
	if v == "" {
		return nil, nil
	}
	list := make([]string, 0, 1+strings.Count(v, ","))
	err := o.strings(name, func(s string) { list = append(list, s) })
	return list, err
}

// scopeList reads scopes: a string with spaces between them (RFC 8693 §4.2) or
// an array with one in each element.
func (o object) scopeList(name string) ([]string, error) {
	v := o.get(name)
	var list []string
	var err error
	switch {
	case v == "":
		return nil, nil
	case v[0] == '"':
		var s string
		s, err = unquote(v)
		list = strings.Split(s, " ")
	default:
		list, err = o.stringList(name)
	}
	return slices.DeleteFunc(list, func(s string) bool { return s == "" }), err
}

var errRange = errors.New("out of range")

// lastDate is the end of the year 9999, in seconds.
const lastDate = 253402300799

// date returns the NumericDate name (RFC 7519 §2) in UTC, and the zero time
// where there is none. Years past 9999 are no dates.
func (o object) date(name string) (time.Time, error) {
	v := o.get(name)
	if v == "" {
		return time.Time{}, nil
	}
	f, err := strconv.ParseFloat(v, 64)
	switch {
	case errors.Is(err, strconv.ErrSyntax):
		return time.Time{}, errKind
	case err != nil || f > lastDate || math.Signbit(f):
		return time.Time{}, errRange
	}
	whole, part := math.Modf(f)
	return time.Unix(int64(whole), int64(part*1e9)).UTC(), nil
}
