package grpcauth

import "strings"

// addParameters adds the parameters of a challenge (RFC 9110 §11.6.1) to m, except those
// that m has, and those that the status says in its own words: error and
// error_description. A challenge is made by this program, of configured values, which
// have no escapes. Of any other, and of one that is not well-formed, it takes what comes
// before.
func addParameters(m map[string]string, challenge string) {
	_, rest, _ := strings.Cut(challenge, " ")
	for {
		name, after, found := strings.Cut(rest, `="`)
		value, next, closed := strings.Cut(after, `"`)
		if !found || !closed || !isParameterName(name) || strings.Contains(value, `\`) || !isPrintable(value) {
			return
		}
		if _, there := m[name]; !there && name != "error" && name != "error_description" {
			m[name] = value
		}
		if rest, found = strings.CutPrefix(next, ", "); !found {
			return
		}
	}
}

// isParameterName reports whether s is in lower case, as the names of all parameters that
// package verifier writes.
func isParameterName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}
