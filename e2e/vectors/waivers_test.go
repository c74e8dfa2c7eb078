package vectors

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// A vectorID names a vector: tcId is unique within its file.
type vectorID struct {
	file string
	id   int
}

// An explanation is why a vector is not decided as its label says: a valid one
// is refused at that step, or an invalid one is accepted.
type explanation struct {
	refusedFor string
	accepted   bool
	reason     string
}

const (
	signatures = "json_web_signature_test.json"
	keys       = "json_web_key_test.json"
	mixture    = "json_web_crypto_test.json"

	noPayload   = "an access token has claims: an empty payload is no JWT (RFC 7519 §7.2); the signature fits"
	otherAlg    = "the JWK's alg is PS256, the header's PS384 (RFC 7517 §4.4)"
	es521       = "the JWK's alg is ES521, which does not exist: it is ES512 (RFC 7518 §3.4)"
	twoSecrets  = "a set of two secrets: secrets are configured one by one, never as a JWK Set"
	sameAs357   = "the token is byte for byte the valid 357"
	questionary = "there is a ? in the base64url (RFC 7515 §2)"
	roca        = "a modulus with the ROCA fingerprint (CVE-2017-15361) is the issuer's fault, and no RFC has verifiers look for it"
)

var explained = map[vectorID]explanation{
	{signatures, 259}: {refusedFor: byPayload, reason: noPayload},
	{signatures, 264}: {refusedFor: byPayload, reason: noPayload},
	{signatures, 268}: {refusedFor: byPayload, reason: noPayload},
	{signatures, 272}: {refusedFor: byPayload, reason: noPayload},
	{signatures, 320}: {refusedFor: byPayload, reason: noPayload},
	{signatures, 325}: {refusedFor: byPayload, reason: noPayload},
	{signatures, 346}: {refusedFor: bySignature, reason: otherAlg},
	{signatures, 350}: {refusedFor: bySignature, reason: otherAlg},
	{signatures, 347}: {refusedFor: byKeys, reason: es521},
	{signatures, 351}: {refusedFor: byKeys, reason: es521},
	{signatures, 372}: {refusedFor: byToken, reason: questionary},
	{signatures, 373}: {refusedFor: bySignature, reason: questionary},
	{signatures, 367}: {accepted: true, reason: sameAs357},
	{signatures, 370}: {accepted: true, reason: sameAs357},
	{keys, 2}:         {refusedFor: byKeys, reason: twoSecrets},
	{keys, 7}:         {accepted: true, reason: roca},
	{mixture, 46}:     {accepted: true, reason: roca},
	{mixture, 48}:     {refusedFor: byKeys, reason: twoSecrets},
}

// acceptableAccepted is the policy for vectors that Wycheproof leaves open.
// SmallPublicKey is exponent 3: the signature is good, and such a key does not
// load unless AllowSmallExponents has it so. MissingNull is a DigestInfo without
// its NULL, which RFC 8017 §9.2 does not write: refused.
func acceptableAccepted(v *vector) bool {
	return slices.Equal(v.Flags, []string{"SmallPublicKey"})
}

// TestExplanations has every entry name a vector that there is, whose label it
// contradicts, with a reason. The scorecard finds the ones that are not needed.
func TestExplanations(t *testing.T) {
	labels := map[vectorID]string{}
	for _, name := range []string{signatures, keys, mixture} {
		for _, g := range load(t, name).Groups {
			for _, v := range g.Tests {
				labels[vectorID{name, v.ID}] = v.Result
			}
		}
	}
	for id, e := range explained {
		want := "valid"
		if e.accepted {
			want = "invalid"
		}
		assert.Equal(t, want, labels[id], id)
		assert.NotEmpty(t, e.reason, id)
	}
}
