package verifier

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// scopeMistake says where a token has the scopes that a rule does not find.
func scopeMistake(t *Token, scopes []string) Mistake {
	missing := slices.DeleteFunc(slices.Clone(scopes), t.HasScope)
	if at := t.findWord(missing, t.policy.scopes); at != "" {
		return Mistake{"scope_elsewhere", fmt.Sprintf("%s has it, but Config.Claims.Scopes reads only %s. Add the place there.", at, t.policy.scopes)}
	}
	for _, has := range t.scopes {
		for _, want := range missing {
			switch {
			case strings.ContainsAny(has, ",;") && slices.Contains(strings.FieldsFunc(has, func(r rune) bool { return r == ',' || r == ';' }), want):
				return Mistake{"scope_separator", "The scopes are separated by something else than spaces (RFC 6749 section 3.3), so they count as one. The issuer must mend that."}
			case has != want && sameScope(has, want):
				return Mistake{"scope_spelling", fmt.Sprintf("The token has %s, and the rule demands %s: they differ in spelling alone.", quote(has), quote(want))}
			}
		}
	}
	if len(t.scopes) == 0 {
		return Mistake{"no_scope", fmt.Sprintf("The token has no scopes, in none of %s. Grant the client %s, and let it request them.", t.policy.scopes, quoteList(missing))}
	}
	return Mistake{"scope_missing", fmt.Sprintf("The token lacks %s. Grant it to the client, and let the client request it.", quoteList(missing))}
}

// sameScope reports whether two scopes differ only in case, in punctuation, or in a
// resource before the last slash.
func sameScope(a, b string) bool {
	plain := func(s string) string {
		s = s[strings.LastIndexByte(s, '/')+1:]
		return strings.Join(identifierWords(s), " ")
	}
	return plain(a) != "" && plain(a) == plain(b)
}

// findWord returns the JSON Pointer of the first claim, of those that are not among
// these places, that is one of the words or has it as a word or an element. Claims that
// name no permission are left out.
func (t *Token) findWord(list []string, except places) string {
	found := ""
	var search func(pointer, value string, depth int)
	search = func(pointer, value string, depth int) {
		if found != "" || value == "" || except.contain(pointer) || except.contain(strings.TrimPrefix(pointer, "/")) {
			return
		}
		if value[0] == '{' && depth < 4 {
			jose.EachMember(value, func(name, member string) bool {
				search(pointer+"/"+pointerToken.Replace(name), member, depth+1)
				return found == ""
			})
			return
		}
		_ = jose.EachString(value, func(quoted string) {
			for word := range words(jose.Unquote(quoted)) {
				if found == "" && slices.Contains(list, word) {
					found = pointer
				}
			}
		})
	}
	for _, m := range t.members() {
		if !slices.Contains(registeredNames, m.Name) && !slices.Contains(clientIDNames, m.Name) {
			search("/"+pointerToken.Replace(m.Name), m.Value, 0)
		}
	}
	if strings.Count(found, "/") == 1 && !strings.Contains(found, "~") {
		found = found[1:] // the name of a claim is enough
	}
	if found != "" {
		found = quote(found)
	}
	return found
}

// pointerToken escapes a name in a JSON Pointer (RFC 6901 §3).
var pointerToken = strings.NewReplacer("~", "~0", "/", "~1")

func (t *Token) clientMistake(demanded []string) Mistake {
	if t.clientID != "" {
		return Mistake{"client_not_listed", fmt.Sprintf("Client %s is not on the list. Add it, if it may call this.", quote(t.clientID))}
	}
	for _, name := range clientIDNames {
		if id, err := t.members().String(name); err == nil && id != "" {
			return Mistake{"client_id_elsewhere", fmt.Sprintf("The client id is in %s, but Config.Claims.ClientID reads only %s. Add the name there.", name, t.policy.clientID)}
		}
	}
	return Mistake{"no_client_id", fmt.Sprintf("The token has no client id, in none of %s.", t.policy.clientID)}
}

func (r scopeRule) mistake(t *Token) Mistake    { return scopeMistake(t, r.values) }
func (r anyScopeRule) mistake(t *Token) Mistake { return scopeMistake(t, r.values) }
func (r clientRule) mistake(t *Token) Mistake   { return t.clientMistake(r.values) }

func (r audienceRule) mistake(t *Token) Mistake {
	for _, a := range r.values {
		if slices.Contains(t.audience, a) {
			return Mistake{"audience_of_other_issuer", fmt.Sprintf("The token is for %s, but the Config of its issuer does not list that.", quote(a))}
		}
	}
	return audienceMistake(t.members(), t.audience, r.values)
}

func (r roleRule) mistake(t *Token) Mistake {
	missing := slices.DeleteFunc(slices.Clone(r.values), t.HasRole)
	if at := t.findWord(missing, t.policy.roles); at != "" {
		return Mistake{"role_elsewhere", fmt.Sprintf("%s has it, but Config.Claims.Roles reads only %s. Add the place there.", at, t.policy.roles)}
	}
	return Mistake{"role_missing", fmt.Sprintf("The token lacks the role %s. Assign it to the client.", quoteList(missing))}
}

func (r issuerRule) mistake(*Token) Mistake {
	return Mistake{"issuer_not_for_route", "The issuer is trusted, but not by this rule."}
}

func (r claimRule) mistake(*Token) Mistake {
	return Mistake{"claim_demanded", "A rule demands a claim that this token does not have, or not with that value."}
}

func (r noClaimRule) mistake(*Token) Mistake {
	return Mistake{"claim_forbidden", "A rule refuses tokens with a claim that this one has, for example because it is a user's."}
}

func (r *checkRule) mistake(*Token) Mistake {
	return Mistake{"check_refused", "A function of the program refused the token: see the cause."}
}

func (r invalidRule) mistake(*Token) Mistake {
	return Mistake{"misconfigured", "The API itself is not set up correctly: see the cause."}
}

func (clientCredentialsRule) mistake(t *Token) Mistake {
	if t.clientID == "" {
		return t.clientMistake(nil)
	}
	return Mistake{"user_token", fmt.Sprintf("sub is %s and the client id %s, so the token may be a user's, but a client's own is demanded. If this issuer has another sub in such tokens, set Config.Claims.ClientCredentials.", quote(t.subject), quote(t.clientID))}
}

func (directRule) mistake(*Token) Mistake {
	return Mistake{"delegated", "Somebody acts for the subject of this token (act), and the rule refuses that."}
}

func (r actorRule) mistake(t *Token) Mistake {
	if t.members().Value("act") == "" {
		return Mistake{"not_delegated", "Nobody acts for the subject of this token (there is no act), but the rule demands an actor."}
	}
	return Mistake{"actor_not_listed", "The party that acts for the subject is not on the list."}
}
