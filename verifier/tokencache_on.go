//go:build !jwtguard_notokencache

package verifier

const defaultTokenCache = 4096
