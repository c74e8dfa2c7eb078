package differential

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// An object is JSON text in the making: raw names and values in their order,
// so that a mutation can write what no encoder would.
type object []member

type member struct{ name, value string }

// set returns o with name set, in its place or at the end.
func (o object) set(name, value string) object {
	next := o.without()
	for i, m := range next {
		if m.name == name {
			next[i].value = value
			return next
		}
	}
	return append(next, member{name, value})
}

// with returns o with one more member, whether or not it has the name.
func (o object) with(name, value string) object { return append(o.without(), member{name, value}) }

// before returns o with one more member at its beginning.
func (o object) before(name, value string) object {
	return append(object{{name, value}}, o...)
}

// without returns a copy of o that lacks names.
func (o object) without(names ...string) object {
	var next object
	for _, m := range o {
		keep := true
		for _, name := range names {
			keep = keep && m.name != name
		}
		if keep {
			next = append(next, m)
		}
	}
	return next
}

func (o object) get(name string) string {
	for _, m := range o {
		if m.name == name {
			return m.value
		}
	}
	return ""
}

func (o object) text() string {
	parts := make([]string, len(o))
	for i, m := range o {
		parts[i] = `"` + m.name + `":` + m.value
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// quoted is s as JSON.
func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func number(n int64) string { return fmt.Sprint(n) }

// nested is arrays in arrays, depth of them.
func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func decode(s string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}
