package providers

import (
	"regexp"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// AWS is for the tokens of outbound identity federation, which a workload in AWS
// gets from sts:GetWebIdentityToken. The issuer is the account's, such as
// https://abc123.tokens.sts.global.api.aws; the audience is what the workload asks
// for; the roles are the ARNs of the IAM roles that may call. The client id is the
// role's ARN.
//
// Tags and the like stand below a claim that is a URL, which a rule names by a
// JSON Pointer: Claim("/https:~1~1sts.amazonaws.com~1/org_id", "o-abc1234567").
func AWS(issuer, audience, role string, more ...string) verifier.Config {
	return checked("AWS", admitting(verifier.Config{
		Issuer:    issuer,
		Audiences: []string{audience},
		Claims:    verifier.Claims{ClientID: []string{"sub"}},
	}, verifier.Claim("sub", append([]string{role}, more...)...)),
		unslashedURL("issuer", "https://abc123.tokens.sts.global.api.aws", issuer),
		filled("audience", "that which the workload asks for", audience),
		allOf(func(arn string) error {
			return matching(roleARN, "role", "the ARN of an IAM role, such as arn:aws:iam::123456789012:role/orders", arn)
		}, role, more))
}

var roleARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$`)
