//go:build race

package jwkscache_test

// The race detector may end the process where many goroutines come and go in a synctest
// bubble (go.dev/issue/78156), so the simulation is small with it. Without it, make alone
// runs the larger one.
const defaultFleet = 4
