package verifier

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// scopeMistake says where a token has the scopes that a rule does not find.
func scopeMistake(t *Token, scopes []string, any bool) Mistake {
	missing := slices.DeleteFunc(slices.Clone(scopes), t.HasScope)
	if at := t.findWord(missing, t.policy.scopes); at.word != "" {
		return Mistake{"scope_elsewhere", at.elsewhere("Config.Claims.Scopes", t.policy.scopes, "Role", t.policy.roles)}
	}
	for _, has := range t.scopes {
		for _, want := range missing {
			switch {
			case strings.ContainsAny(has, ",;") && slices.Contains(strings.FieldsFunc(has, func(r rune) bool { return r == ',' || r == ';' }), want):
				return Mistake{"scope_separator", "The scopes are separated by commas or semicolons instead of spaces (RFC 6749 section 3.3), so they count as one. The issuer must fix that."}
			case has != want && sameScope(has, want):
				return Mistake{"scope_spelling", fmt.Sprintf("The token has %s, and the rule demands %s: they differ only in spelling, or in the resource in front.", quote(has), quote(want))}
			}
		}
	}
	lacks, it := "lacks "+quoteList(missing), "it"
	if any {
		lacks, it = "has none of "+quoteList(missing), "one"
	}
	if len(t.scopes) == 0 {
		return Mistake{"no_scope", fmt.Sprintf("The token has no scopes (in %s). Grant the client what the rule demands, and let the client request it.", t.policy.scopes)}
	}
	return Mistake{"scope_missing", fmt.Sprintf("The token %s. Grant %s to the client, and let the client request it.", lacks, it)}
}

// sameScope reports whether two scopes differ only in case, in punctuation, or in a
// resource that one of them has before its last slash.
func sameScope(a, b string) bool {
	plain := func(s string) string { return strings.Join(identifierWords(s), " ") }
	bare := func(s string) string { return plain(s[strings.LastIndexByte(s, '/')+1:]) }
	switch p, q := plain(a), plain(b); {
	case p == "" || q == "":
		return false
	case strings.Contains(a, "/") == strings.Contains(b, "/"):
		return p == q
	}
	return bare(a) == bare(b)
}

// A foundWord is a scope or a role in a claim that is not read for it.
type foundWord struct {
	place  string // a JSON Pointer, or the name of a claim
	word   string // "" if none was found
	isName bool   // of a member, not a string
}

// elsewhere returns what to do about f, which is not in the places read by setting. The
// other places are those of rule.
func (f foundWord) elsewhere(setting string, read places, rule string, others places) string {
	if f.isName {
		return fmt.Sprintf("%s is the name of a member of %s, from where %s cannot read it. Use a Check.", quote(f.word), quote(f.place), setting)
	}
	text := fmt.Sprintf("%s is in %s, but %s reads only %s. Add that place if no user can change its value", quote(f.word), quote(f.place), setting, read)
	if others.contain(f.place) {
		text += ", or demand it with " + rule
	}
	return text + "."
}

// findWord looks for one of the words in list outside the places except: in the strings of
// arrays, and in claims whose name speaks of permissions also in other strings and as the
// name of a member.
func (t *Token) findWord(list []string, except places) (found foundWord) {
	var search func(pointer, value string, depth int)
	search = func(pointer, value string, depth int) {
		if found.word != "" || value == "" || except.contain(pointer) || except.contain(strings.TrimPrefix(pointer, "/")) {
			return
		}
		permits := namesPermissions(pointer)
		switch {
		case value[0] == '{' && depth < 4:
			jose.EachMember(value, func(name, member string) bool {
				if permits && slices.Contains(list, name) {
					found = foundWord{pointer, name, true}
				}
				search(pointer+"/"+pointerToken.Replace(name), member, depth+1)
				return found.word == ""
			})
		case permits || value[0] == '[':
			_ = jose.EachString(value, func(quoted string) {
				for word := range words(jose.Unquote(quoted)) {
					if found.word == "" && slices.Contains(list, word) {
						found = foundWord{place: pointer, word: word}
					}
				}
			})
		}
	}
	for _, m := range t.members() {
		if !slices.Contains(registeredNames, m.Name) && !slices.Contains(clientIDNames, m.Name) && m.Name != "amr" {
			search("/"+pointerToken.Replace(m.Name), m.Value, 0)
		}
	}
	if strings.Count(found.place, "/") == 1 && !strings.Contains(found.place, "~") {
		found.place = found.place[1:] // the name of a claim is enough
	}
	return found
}

// namesPermissions reports whether a place has a name that issuers have for permissions.
// The words of other strings, such as a user's name, say nothing.
func namesPermissions(place string) bool {
	place = strings.ToLower(place)
	return slices.ContainsFunc([]string{"scope", "scp", "perm", "role", "group", "authorit", "entitle", "privilege"}, func(s string) bool {
		return strings.Contains(place, s)
	})
}

// pointerToken escapes a name in a JSON Pointer (RFC 6901 §3).
var pointerToken = strings.NewReplacer("~", "~0", "/", "~1")

func (t *Token) clientMistake(demanded []string) Mistake {
	if t.clientID != "" {
		return Mistake{"client_not_listed", fmt.Sprintf("The client %s is not in the rule. Add it if it may call this.", quote(t.clientID))}
	}
	for _, name := range clientIDNames {
		if id, err := t.members().String(name); err == nil && id != "" {
			return Mistake{"client_id_elsewhere", fmt.Sprintf("The client id is in %s, but Config.Claims.ClientID reads only %s. Add that name.", name, t.policy.clientID)}
		}
	}
	return Mistake{"no_client_id", fmt.Sprintf("The token has no client id (in %s).", t.policy.clientID)}
}

func (r scopeRule) mistake(t *Token) Mistake    { return scopeMistake(t, r.values, false) }
func (r anyScopeRule) mistake(t *Token) Mistake { return scopeMistake(t, r.values, true) }
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
	if at := t.findWord(missing, t.policy.roles); at.word != "" {
		return Mistake{"role_elsewhere", at.elsewhere("Config.Claims.Roles", t.policy.roles, "Scope", t.policy.scopes)}
	}
	lacks := "lacks the role " + quoteList(missing)
	if r.any {
		lacks = "has none of the roles " + quoteList(missing)
	}
	return Mistake{"role_missing", fmt.Sprintf("The token %s. Assign the role to the user or the client.", lacks)}
}

func (r issuerRule) mistake(*Token) Mistake {
	return Mistake{"issuer_not_for_route", "The rule admits other issuers only."}
}

func (r claimRule) mistake(t *Token) Mistake {
	if t.members().At(r.place.path) == "" {
		return Mistake{"claim_demanded", "There is no claim " + quote(r.place.name) + ", which the rule demands."}
	}
	return Mistake{"claim_demanded", "The claim " + quote(r.place.name) + " has none of the values that the rule demands."}
}

func (r noClaimRule) mistake(t *Token) Mistake {
	return Mistake{"claim_forbidden", "The token has a claim that the rule forbids: " + r.explain(t).found + "."}
}

func (r *checkRule) mistake(*Token) Mistake {
	return Mistake{"check_refused", "A Check refused the token: see the cause."}
}

func (r invalidRule) mistake(*Token) Mistake {
	return misconfigured
}

func (clientCredentialsRule) mistake(t *Token) Mistake {
	if t.clientID == "" {
		return t.clientMistake(nil)
	}
	if own := t.policy.clientCredentials; own != nil {
		see := "what is demanded"
		if own.traits()&callsFunction != 0 {
			see = "the cause"
		}
		return Mistake{"user_token", "By Config.Claims.ClientCredentials, this is not a client's own token, so it may be a user's: see " + see + "."}
	}
	return Mistake{"user_token", fmt.Sprintf("sub is %s and the client id %s, so the token may be a user's, but a client's own is demanded. If sub is never the client id with this issuer, set Config.Claims.ClientCredentials.", quote(t.subject), quote(t.clientID))}
}

func (directRule) mistake(*Token) Mistake {
	return Mistake{"delegated", "Somebody acts for the subject of this token (act), and the rule refuses that."}
}

func (r actorRule) mistake(t *Token) Mistake {
	act := t.members().Value("act")
	switch iss := jose.MemberOf(act, "iss"); {
	case act == "":
		return Mistake{"not_delegated", "Nobody acts for the subject of this token (there is no act), but the rule demands an actor."}
	case iss != "" && actingParty(act).Issuer != t.issuer:
		return Mistake{"actor_not_listed", "The actor is of another issuer than the token (iss of act)."}
	}
	return Mistake{"actor_not_listed", "The actor, who acts for the subject, is not in the rule."}
}
