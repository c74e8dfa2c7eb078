//go:build race

package verifier_test

import ()

import ()

import ()

// raced is true under the race detector, which makes pools forget at random.
const raced = true
