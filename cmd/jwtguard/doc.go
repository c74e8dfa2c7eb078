// Jwtguard shows what package verifier sees: of a token, and of an issuer. It also
// gets tokens, and runs an issuer for development.
//
//	go install github.com/seed-12ed5b1c/jwtguard/cmd/jwtguard@latest
//
//	jwtguard explain --issuer https://login.example.com --audience https://api.example.com < token
//	jwtguard issuer https://login.example.com
//	jwtguard token --issuer https://login.example.com --client-id orders
//	jwtguard dev
//
// The exit code is 0 where all is well, 1 for what is refused, 2 for wrong usage or
// configuration, and 3 for what could not be checked or done. docs/command.md says
// more, and jwtguard help COMMAND lists the flags.
//
// A secret or a token is never an argument, because every user of a machine can read
// its command lines. What a server sends is printed quoted, cut and in ASCII.
package main
