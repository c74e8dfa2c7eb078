package differential

// decisions are all differences that there may be. First what jwtguard accepts
// against the voters, then what it refuses.
var decisions = []decision{
	{
		class: "Ed25519 under its own name", accepts: true,
		line: "RFC 9864 section 2.2", why: "Ed25519 is a name of what EdDSA is with such a key; two voters lack the name",
		kinds: []string{plain + "Ed25519", "key: alg Ed25519, the token's EdDSA"},
	},
	{
		class: "a token without kid", accepts: true,
		line: "RFC 7515 section 4.1.4, our A5", why: "kid is a hint and optional; every key for the alg is tried, four at most",
		kinds: []string{
			"header: no kid", `header: kid ""`,
			"set: three keys, a token without kid", "set: three keys without kid and alg, a token without kid",
		},
	},
	{
		class: "a key without kid, a token with one", accepts: true,
		line: "RFC 7517 section 4.5", why: "kid is optional; a key that has none, or none of its type, may be meant if no other is",
		kinds: []string{"key: no kid", "key: kid empty", "key: kid null"},
	},
	{
		class: "a broken or unknown key beside the good one", accepts: true,
		line: "RFC 7517 section 5", why: "a key that is not understood is left out, and the rest of the set serves",
		kinds: []string{
			"set: beside AKP", "set: beside a key with a name twice", "set: beside a key without material", "set: beside a number",
			"set: before a numeric kid", "set: behind a numeric kid", "set: beside a point off its curve", "set: beside a string", "set: beside an array",
			"set: beside an empty object", "set: beside an unknown crv", "set: beside an unknown kty",
			"set: beside an unknown kty of the same kid", "set: beside bad UTF-8", "set: beside base64 that is none",
			"set: beside null", "set: beside x5c that is none",
		},
	},
	{
		class: "two keys of one kid, the good one behind", accepts: true,
		line: "RFC 7517 section 4.5, our A5", why: "kids should be distinct and are not always; each key of that kid and alg is tried",
		kinds: []string{
			"set: beside a secret of the same kid", "set: behind an encryption key of the same kid",
			"set: behind a key of the same kid and alg", "set: behind a key of another type and the same kid",
		},
	},
	{
		class: "a key with rubbish in x5c or x5t", accepts: true,
		line: "RFC 7517 section 4, our P4", why: "members that are not used are not read",
		kinds: []string{"key: x5c a string", "key: x5c that is none", "key: x5t a number"},
	},
	{
		class: "a byte order mark before the key set", accepts: true,
		line: "RFC 8259 section 8.1, our K7", why: "a parser may ignore it; a server in the wild sends it",
		kinds: []string{"set: a byte order mark"},
	},
	{
		class: "a key whose alg is null or empty", accepts: true,
		line: "RFC 7517 section 4.4, our A2", why: "alg is optional; kty and crv decide as they do without it",
		kinds: []string{"key: alg empty", "key: alg null"},
	},
	{
		class: "a member D beside the public ones", accepts: true,
		line: "RFC 7517 section 4", why: "names are exact, and unknown ones are ignored: D is not the private d",
		kinds: []string{"key: D beside the public members, EdDSA"},
	},
	{
		class: "EC coordinates without their leading zeros", accepts: true,
		line: "our A4 against RFC 7518 section 6.2.1.2", why: "a server in the wild strips them; what is meant is unambiguous",
		kinds: []string{"key: EC, leading zeros stripped"},
	},
	{
		class: "rubbish in the header's jwk or x5c", accepts: true,
		line: "RFC 7515 sections 4.1.3 and 4.1.6, our P4", why: "what never chooses a key is not read",
		kinds: []string{"header: jwk 7", `header: jwk {"kty":"RSA"}`, `header: x5c "MA=="`, `header: x5c ["MA=="]`},
	},
	{
		class: "iat in the future, or that is no date", accepts: true,
		line: "RFC 7519 section 4.1.6", why: "iat tells the age and is no limit",
		kinds: []string{
			"time: iat later", "time: iat -*", "time: iat 1e*", `time: iat "*`, "time: iat [*", "time: iat {}", "time: iat true",
			"time: iat 18446744073709551616", "time: iat 253402300800", "time: iat 9223372036854775807",
			"time: iat 9223372036854775808", "time: iat 9999999999999", "time: iat a date", "time: iat a string",
		},
	},
	{
		class: "null for a member that is optional", accepts: true,
		line: "our P6", why: "servers write null for what they leave out; nobody can take it for a value",
		kinds: []string{"header: kid null", "time: nbf null", "time: iat null"},
	},
	{
		class: "a byte order mark before the key set", accepts: true,
		line: "RFC 8259 section 8.1, our K7", why: "a parser may ignore it, and a server in the wild sends it",
		kinds: []string{"set: a byte order mark"},
	},
	{
		class: "a number beyond float64", accepts: true,
		line: "RFC 8259 section 6", why: "it is JSON, and nobody here reads it; ClaimsOf says so to who does",
		kinds: []string{"good: a number beyond float64"},
	},

	{
		class: "typ of something else",
		line:  "RFC 8725 section 3.11, RFC 9068 section 4", why: "only an access token's typ, JWT or none",
		kinds: []string{`header: typ "*`, "header: typ 7", "header: typ [*"},
	},
	{
		class: "the claims of an ID, refresh or logout token",
		line:  "RFC 8725 section 3.12, our C10", why: "kinds of JWT are told apart by rules that exclude each other",
		kinds: []string{
			"at_hash: *", "c_hash: *", "events: *", `token_use: "id"`, "token_use: 7",
			`typ: "ID"`, `typ: "Refresh"`, `typ: "Offline"`, `typ: "Logout"`, "nonce and no scope",
		},
	},
	{
		class: "bound to a sender's key",
		line:  "RFC 9449 section 7.2, RFC 8705 section 3", why: "nobody has proven the possession that cnf demands",
		kinds: []string{"cnf: *"},
	},
	{
		class: "a nested token, or a cty that is no string",
		line:  "RFC 7519 section 5.2, RFC 7515 section 4.1.10", why: "what is signed is not the claims",
		kinds: []string{
			`header: cty "JWT"`, `header: cty "jwt"`, `header: cty "application/jwt"`, "header: cty 7",
		},
	},
	{
		class: "crit that is empty or null",
		line:  "RFC 7515 section 4.1.11", why: "it must not be empty, and we understand no extension",
		kinds: []string{"header: crit []", "header: crit null"},
	},
	{
		class: "b64 in a JWT",
		line:  "RFC 7797 section 7, our P3", why: "it has no place in a JWT; even true is an extension",
		kinds: []string{`header: b64 "false"`, "header: b64 null", "header: b64 true", "header: b64 true, critical"},
	},
	{
		class: "a signature in loose base64",
		line:  "RFC 7515 section 2, RFC 4648 section 3.5", why: "no line ends, and trailing bits are zero: one token has one text",
		kinds: []string{"base64: carriage return *", "base64: line feed *", "base64: trailing bits, signature"},
	},
	{
		class: "a name twice",
		line:  "RFC 7519 section 4, RFC 7515 section 4", why: "two readers may take two values",
		kinds: []string{
			"json: a name twice*", "names: alg twice*", "names: kid twice*", "names: typ twice*", "names: iss twice*",
			"names: aud twice*", "names: sub twice*", "names: exp twice*", "names: nbf twice*", "names: iat twice*",
			"names: jti twice*", "names: scope twice*", "names: client_id twice*",
		},
	},
	{
		class: "a registered name in another spelling",
		line:  "our P2, RFC 7519 section 10.1.1", why: "registered names never differ by case alone; a reader that folds it would take this for the claim",
		kinds: []string{
			"names: CRIT", "names: Cnf", "names: alg and *", "names: kid and *", "names: typ and *", "names: typ as *",
			"names: iss and *", "names: aud and *", "names: sub and *", "names: sub as *", "names: sub in *", "names: exp and *",
			"names: nbf and *", "names: nbf as *", "names: iat and *", "names: iat as *",
		},
	},
	{
		class: "bad UTF-8 and lone surrogates",
		line:  "RFC 7519 section 7.2, RFC 8259 sections 8.1 and 8.2", why: "texts that each reader mends in its own way",
		kinds: []string{
			"json: a lone surrogate in a name*", "json: a lone surrogate in a value*", "json: surrogates in the wrong order*",
			"json: a surrogate in UTF-8*", "json: an overlong quotation mark*", "json: bad UTF-8 *",
		},
	},
	{
		class: "nested more than 32 deep",
		line:  "RFC 8259 section 9, our P2", why: "a parser may limit the depth",
		kinds: []string{"json: nested *", "json: objects nested *"},
	},
	{
		class: "client_id, azp, scope or scp of another type",
		line:  "RFC 8693 sections 4.2 and 4.3, our C8", why: "they decide who may do what, so they are not guessed",
		kinds: []string{
			"claim client_id: *", "claim azp: *", "claim scp: *",
			"claim scope: 7", "claim scope: true", "claim scope: {}", "claim scope: [7]", "claim scope: [null]",
			`claim scope: [["a"]]`, `claim scope: ["a",7]`,
		},
	},
	{
		class: "dates before 1970 and after 9999",
		line:  "RFC 7519 section 2, our C4", why: "a slip such as milliseconds, or no date at all",
		kinds: []string{
			"time: exp 253402300800", "time: exp 9999999999999", "time: exp in milliseconds, past",
			"time: nbf -*",
		},
	},
	{
		class: "a token of more than 16 KiB",
		line:  "RFC 9110 section 5.4, our X3", why: "a server may limit a field's length",
		kinds: []string{"length: more than 16 KiB", "length: 200 KB"},
	},
	{
		class: "an RSA exponent of 3",
		line:  "FIPS 186-5 section A.1.1, our A4", why: "e is above 2^16; smaller ones by a named option",
		kinds: []string{"key: RSA, e is 3"},
	},
	{
		class: "use or key_ops of another purpose",
		line:  "RFC 7517 sections 4.2 and 4.3", why: "a key that is not meant to verify does not",
		kinds: []string{"key: use empty", "key: key_ops empty", "key: key_ops encrypt", "key: key_ops sign"},
	},
	{
		class: "a key in base64 with a line feed",
		line:  "RFC 7518 section 6, RFC 7515 section 2", why: "base64url has no line ends",
		kinds: []string{"key: material with a line feed"},
	},
	{
		class: "a name twice in a key or a key set",
		line:  "RFC 7517 sections 4 and 5", why: "names must be unique",
		kinds: []string{"key: kid twice, the right one last", "set: keys twice, empty first"},
	},
	{
		class: "a set of more than 256 keys",
		line:  "our K7", why: "what strangers send is bounded",
		kinds: []string{"set: 300 times the key"},
	},
}
