//go:build !race

package verifier_test

import ()

import ()

import ()

const raced = false
