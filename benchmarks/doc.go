// Benchmarks compares jwtguard with bare cryptography and with other libraries:
// what verifying a token costs, what a whole middleware adds to a request, and
// what happens when the authorization server misbehaves.
//
//	go run .                    # the tables, in about a minute
//	go run . -guard             # exit status 1 if the library became slow
//	go run . -report ../docs    # five minutes; writes performance.md and charts
//	go run . -charts ../docs    # only draws the charts again, from their figures
//
// Everything runs in this process and over loopback sockets, in slices taken in
// turn. Only ratios mean anything. It is a module of its own whose dependencies
// reach nobody else.
//
// The packages: authority is the server and its tokens, peers sets up the
// libraries, subject makes what is measured of them, measure measures, races has
// the faults, render draws. The text of docs/performance.md is in
// performance.md.tmpl, and its parts that are written by hand are in parts.
package main
