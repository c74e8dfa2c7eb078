//go:build !race

package jwkscache_test

const defaultFleet = 40
