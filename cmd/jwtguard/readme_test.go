package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/authserver"
)

// The README shows the beginning of what the command prints, up to what differs in each
// run.
func TestReadmeScreen(t *testing.T) {
	page, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(page), "\n$ jwtguard explain ")
	screen, _, _ := strings.Cut(rest, "\n```")
	command, shown, _ := strings.Cut(screen, " < token\n")

	iss, err := authserver.New("https://login.example.com/", "ES256")
	require.NoError(t, err)
	x := &explained{Server: iss}
	more := append([]string{"--jwks", file(t, "jwks.json", x.get("/jwks.json"))}, strings.Fields(strings.ReplaceAll(command, "\\\n", ""))...)
	claims := iss.Claims("billing", "https://api.staging.example.com")
	claims["permissions"] = []string{"orders:read"}
	token, err := iss.Token(claims)
	require.NoError(t, err)
	o := call{args: "explain", more: more, stdin: token}.run(t)
	assert.Equal(t, exitRefused, o.code)
	printed, _, _ := strings.Cut(o.out, "\n\nWhat the later checks say:\n")

	varying := regexp.MustCompile(`[0-9]+ bytes|exp .*|kid ".*"`)
	assert.Equal(t, varying.ReplaceAllString(printed, "_"), varying.ReplaceAllString(shown, "_"), "J1 README.md")
}
