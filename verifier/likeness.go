package verifier

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// A resemblance is how two identifiers differ that may have been meant to be the same.
type resemblance int

const (
	unlike        resemblance = iota
	bySlash                   // at the end
	byScheme                  // http and https
	bySpelling                // case, white space, punctuation, a missing https://, or a port that is the default
	byVersion                 // of Entra ID's tokens
	byEnvironment             // words such as test and prod
	byTenant                  // the first labels of the host, the port or one segment of the path
	byPath                    // the same host
)

// likeness compares two issuers, or two audiences.
func likeness(a, b string) resemblance {
	switch {
	case a == b, a == "", b == "", len(a) > maxQuoted, len(b) > maxQuoted:
		return unlike
	case sameButSlash(a, b):
		return bySlash
	case isURL(a) && isURL(b) && plainSpelling(a) == plainSpelling(b):
		if strings.EqualFold(a[:len("https")], b[:len("https")]) {
			return bySpelling
		}
		return byScheme
	case plainSpelling(a) == plainSpelling(b):
		return bySpelling
	case entraTenant(a) != "" && entraTenant(a) == entraTenant(b):
		return byVersion
	}
	wordsA, wordsB := identifierWords(a), identifierWords(b)
	switch {
	case len(wordsA) == 0 || len(wordsB) == 0:
		return unlike
	case slices.Equal(wordsA, wordsB):
		return bySpelling
	case slices.Equal(withoutEnvironment(wordsA), withoutEnvironment(wordsB)):
		return byEnvironment
	}
	return sameShape(a, b)
}

func isURL(s string) bool {
	s = strings.ToLower(s)
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

// plainSpelling returns s in lower case without white space around it, scheme, default
// port, and slash at the end.
func plainSpelling(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	s = strings.TrimPrefix(strings.TrimPrefix(s, "http://"), "https://")
	return strings.TrimSuffix(strings.Replace(strings.TrimSuffix(s, "/"), ":443/", "/", 1), ":443")
}

// entraTenant returns the tenant of an issuer of Entra ID, of either version or of none.
func entraTenant(issuer string) string {
	s := strings.TrimSuffix(plainSpelling(issuer), "/v2.0")
	for _, host := range []string{"login.microsoftonline.com/", "sts.windows.net/"} {
		if tenant, ok := strings.CutPrefix(s, host); ok {
			return tenant
		}
	}
	return ""
}

func identifierWords(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// environments are words by which copies of one system are told apart.
var environments = []string{
	"dev", "devel", "develop", "development", "test", "tests", "testing", "tst", "qa", "uat", "acc", "acceptance",
	"stage", "staging", "stg", "pre", "preprod", "preview", "sandbox", "sbx", "demo", "int", "integration", "internal",
	"prod", "production", "prd", "live", "canary", "nonprod", "ci", "perf", "local",
}

func withoutEnvironment(words []string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool {
		return slices.Contains(environments, strings.TrimRight(w, "0123456789"))
	})
}

// isLocal reports whether the host is that of a server on the same machine.
func isLocal(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "::1" || strings.HasSuffix(host, ".localhost")
}

// sameShape compares two URLs part by part.
func sameShape(a, b string) resemblance {
	u, err1 := url.Parse(a)
	w, err2 := url.Parse(b)
	if err1 != nil || err2 != nil || u.Host == "" || w.Host == "" {
		return unlike
	}
	if (isLocal(u.Hostname()) || isLocal(w.Hostname())) && u.Hostname() != w.Hostname() {
		return byEnvironment
	}
	hosts := differences(u.Hostname(), w.Hostname(), ".")
	paths := differences(strings.TrimSuffix(u.EscapedPath(), "/"), strings.TrimSuffix(w.EscapedPath(), "/"), "/")
	switch {
	case hosts == 0 && paths <= 1, hosts > 0 && paths == 0 && parent(u.Hostname()) == parent(w.Hostname()):
		return byTenant
	case hosts == 0:
		return byPath
	}
	return unlike
}

// parent returns the last two labels of a host.
func parent(host string) string {
	labels := strings.Split(host, ".")
	return strings.Join(labels[max(0, len(labels)-2):], ".")
}

// differences counts the parts that differ, or returns a large number if a and b have
// different numbers of parts.
func differences(a, b, separator string) (n int) {
	partsA, partsB := strings.Split(a, separator), strings.Split(b, separator)
	if len(partsA) != len(partsB) {
		return 1 << 10
	}
	for i := range partsA {
		if partsA[i] != partsB[i] {
			n++
		}
	}
	return n
}
