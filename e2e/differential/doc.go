// Package differential asks jwtguard and four other libraries about thousands of
// generated tokens, genuine, mutated and hostile, and compares the answers.
//
//	npm ci --ignore-scripts --prefix ../node          # once; needs Node.js 20 or later
//	go test -race -v ./differential                   # in e2e; -v prints the table
//	go test -v ./differential -seed 7 -cases 20000    # others than by default
//
// golang-jwt (with keyfunc), go-jose, jwx and npm jose vote, each set up for the
// same policy as its documentation has it. jwtguard may differ from them only
// where decided_test.go says so, with the line that decides it; an entry there
// that no case shows any more fails, too. Where jwtguard and a voter both
// accept, they must report the same claims.
//
// The class of a case is what the generator did, never what a library answered.
// Everything follows from the seed, the keys included, but for the clock that
// exp and its like are counted from.
package differential
