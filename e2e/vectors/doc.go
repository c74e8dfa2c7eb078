// Package vectors runs public test vectors for signatures against jwtguard:
// Project Wycheproof and the examples of the RFCs.
//
//	go test ./vectors -run Scorecard -v       # the counts of each file
//	go test ./vectors -run Scorecard -update  # writes them to scorecard.md
//
// From Wycheproof it runs the files of JSON Web Signatures, keys and encryption
// through the public API, and those of ECDSA, RSA, EdDSA and HMAC through the
// same code that checks a token's signature. What the verifier adds to that
// code is held by tokens of each algorithm that another library signs. What is
// no algorithm of JOSE, as RSA-PSS with another salt or ECDSA signatures in
// DER, runs too: its good signatures must be refused. No vector is passed over
// in silence: one that is not decided as its label says is in a table with the
// reason, and so is a file that cannot run. DSA and ML-DSA have no keys here
// and are left out.
package vectors
