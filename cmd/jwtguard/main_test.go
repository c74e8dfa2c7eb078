package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// secret is in the environment and in files of these tests, and never in the output.
const secret = "s3cr:et/ü%pass"

// A call is one run of the command.
type call struct {
	args     string // split at spaces
	more     []string
	stdin    string
	env      map[string]string
	terminal bool
}

type outcome struct {
	code     int
	out, err string
}

func (c call) run(t *testing.T) outcome {
	t.Helper()
	var out, log bytes.Buffer
	code := run(t.Context(), c.arguments(), c.system(&out, &log))
	o := outcome{code, out.String(), log.String()}
	o.check(t)
	return o
}

func (c call) arguments() []string { return append(strings.Fields(c.args), c.more...) }

func (c call) system(out, log io.Writer) system {
	return system{
		stdin: strings.NewReader(c.stdin), stdout: out, stderr: log,
		getenv:     func(name string) string { return c.env[name] },
		isTerminal: func(any) bool { return c.terminal },
	}
}

// check asserts what holds for every output.
func (o outcome) check(t *testing.T) {
	t.Helper()
	for _, text := range []string{o.out, o.err} {
		assert.NotContains(t, text, "s3cr", "J2 a secret is in the output")
		if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "ey") || strings.HasPrefix(text, "curl") {
			continue // JSON, a token
		}
		assertNarrow(t, text)
	}
}

var colours = regexp.MustCompile("\x1b\\[[0-9]*m")

// assertNarrow asserts that a line is over 60 columns only where one word is long.
func assertNarrow(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(colours.ReplaceAllString(text, "")) {
		line = strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "\t", "        ")
		width, longest := utf8.RuneCountInString(line), 0
		for word := range strings.FieldsSeq(line) {
			longest = max(longest, utf8.RuneCountInString(word))
		}
		assert.True(t, width <= columns || width-longest <= 24, "J3 %d columns: %q", width, line)
	}
}

func TestUsage(t *testing.T) {
	tests := []struct {
		name string
		call call
		code int
		out  string
		err  string
	}{
		{"J1 no command", call{}, 2, "", "a command is missing"},
		{"J1 an unknown command", call{args: "verify"}, 2, "", `no command "verify"`},
		{"J1 a long unknown command is not repeated", call{args: strings.Repeat("x", 30)}, 2, "", "no command of that name"},
		{"J1 help", call{args: "help"}, 0, "Exit codes", ""},
		{"J1 -h", call{args: "-h"}, 0, "Exit codes", ""},
		{"J1 --help", call{args: "--help"}, 0, "Exit codes", ""},
		{"J1 help of a command", call{args: "help issuer"}, 0, "usage: jwtguard issuer", ""},
		{"J1 --help of a command", call{args: "issuer --help"}, 0, "usage: jwtguard issuer", ""},
		{"J1 help of an unknown command", call{args: "help me"}, 2, "", `no command "me"`},
		{"J1 help of two", call{args: "help issuer token"}, 2, "", "one command"},
		{"J1 version", call{args: "version"}, 0, "jwtguard ", ""},
		{"J1 --version", call{args: "--version"}, 0, "jwtguard ", ""},
		{"J1 version with more", call{args: "version 1"}, 2, "", "no arguments"},
		{"J1 an unknown flag", call{args: "issuer --nope https://a.example"}, 2, "", "not defined: -nope"},
		{"J1 a flag without its value", call{args: "issuer https://a.example --jwks-url"}, 2, "", "needs an argument"},
		{"J1 only arguments behind --", call{args: "issuer -- https://a.example --json"}, 2, "", "one issuer at a time"},
		{"J1 a flag in place of an issuer behind --", call{args: "issuer -- --json"}, 2, "", "a URL such as"},
		{"J1 no flag is empty", call{args: "explain --audience a --jwks", more: []string{""}}, 2, "", "--jwks is empty"},
		{"J1 no file is empty", call{args: "token --client-id a --token-url https://a.example --secret-file=", env: withSecret}, 2, "", "--secret-file is empty"},
		{"J1 an empty issuer", call{args: "issuer --jwks-url https://a.example/k", more: []string{""}}, 2, "", "URL is missing"},
		{"J2 a token as the value of a flag", call{args: "explain --leeway=eyJhbGciOiJIUzI1NiJ9.s3cr.s3cr"}, 2, "", "a token is no argument"},
		{"J2 a token behind its scheme", call{args: "issuer", more: []string{"Bearer eyJhbGciOiJIUzI1NiJ9.s3cr.s3cr"}}, 2, "", "a token is no argument"},
		{"J6 an issuer with a right-to-left mark", call{args: "dev --issuer http://localhost/\u202e"}, 2, "", "visible ASCII"},
		{"J1 no issuer", call{args: "issuer"}, 2, "", "URL is missing"},
		{"J1 two issuers", call{args: "issuer https://a.example https://b.example"}, 2, "", "one issuer"},
		{"J1 no scheme", call{args: "issuer login.example.com"}, 2, "", "a URL such as"},
		{"J1 another scheme", call{args: "issuer ftp://login.example.com"}, 2, "", "a URL such as"},
		{"J1 plain http", call{args: "issuer http://login.example.com"}, 2, "", "plain http"},
		{"J1 http for the metadata", call{args: "issuer https://a.example --metadata-url http://b.example"}, 2, "", "plain http"},
		{"J1 http for the keys", call{args: "issuer https://a.example --jwks-url http://b.example"}, 2, "", "plain http"},
		{"J1 two places", call{args: "issuer https://a.example --jwks-url https://b.example --metadata-url https://c.example"}, 2, "", "exclude"},
		{"J2 a password in the URL", call{args: "issuer https://me:s3cr@a.example"}, 2, "", "has an @"},
		{"J2 --secret", call{args: "token --secret " + secret}, 2, "", "JWTGUARD_CLIENT_SECRET"},
		{"J2 -client-secret=", call{args: "token -client-secret=" + secret}, 2, "", "JWTGUARD_CLIENT_SECRET"},
		{"J2 --client_secret", call{args: "token --client-id a --client_secret " + secret}, 2, "", "JWTGUARD_CLIENT_SECRET"},
		{"J2 --password", call{args: "issuer --password=" + secret}, 2, "", "JWTGUARD_CLIENT_SECRET"},
		{"J2 --token", call{args: "issuer --token s3cr"}, 2, "", "standard input"},
		{"J2 a token", call{args: "issuer eyJhbGciOiJSUzI1NiJ9.s3cr.s3cr"}, 2, "", "a token is no argument"},
		{"J1 token without a client", call{args: "token --issuer https://a.example"}, 2, "", "--client-id is missing"},
		{"J1 token without an address", call{args: "token --client-id a"}, 2, "", "--issuer or --token-url"},
		{"J1 token with two addresses", call{args: "token --client-id a --issuer https://a.example --token-url https://a.example/t"}, 2, "", "exclude"},
		{"J1 token without a secret", call{args: "token --client-id a --issuer https://a.example"}, 2, "", "there is no secret"},
		{"J5 token over http", call{args: "token --client-id a --token-url http://a.example/t"}, 2, "", "plain http"},
		{"J1 an unknown style", call{args: "token --style jwt"}, 2, "", "basic, form, json, none"},
		{"J1 an empty scope", call{args: "token", more: []string{"--scope", " "}}, 2, "", "it is empty"},
		{"J1 metadata of nothing", call{args: "token --client-id a --token-url https://a.example --metadata-url https://a.example"}, 2, "", "--metadata-url is for"},
		{"J1 no secret and a file of it", call{args: "token --client-id a --token-url https://a.example --style none --secret-file x"}, 2, "", "sends no secret"},
		{"J1 an argument of token", call{args: "token a"}, 2, "", "flags only"},
		{"J1 a secret in a file that is not there", call{args: "token --client-id a --token-url https://a.example --secret-file /nowhere/at/all"}, 2, "", "no such file"},
		{"J1 an empty secret on standard input", call{args: "token --client-id a --token-url https://a.example --secret-file -", stdin: "\n"}, 2, "", "secret is empty"},
		{"J6 dev on all addresses", call{args: "dev --addr 0.0.0.0:0"}, 2, "", "--expose"},
		{"J6 dev on all addresses, briefly", call{args: "dev --addr :0"}, 2, "", "--expose"},
		{"J6 dev on another address", call{args: "dev --addr 192.0.2.1:0"}, 2, "", "--expose"},
		{"J6 dev on a name", call{args: "dev --addr example.com:0"}, 2, "", "--expose"},
		{"J1 dev without a port", call{args: "dev --addr 127.0.0.1"}, 2, "", "HOST:PORT"},
		{"J1 dev with an unknown algorithm", call{args: "dev --algorithm HS256"}, 2, "", "unknown algorithm"},
		{"J1 dev with an issuer that is none", call{args: "dev --issuer localhost"}, 2, "", "a URL such as"},
		{"J1 an argument of dev", call{args: "dev a"}, 2, "", "flags only"},
		{"J1 dev without a lifetime", call{args: "dev --lifetime 0"}, 2, "", "less than a second"},
		{"J1 dev without an audience", call{args: "dev", more: []string{"--audience", ""}}, 2, "", "--audience is empty"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := test.call.run(t)
			assert.Equal(t, test.code, got.code)
			assert.Contains(t, got.out, test.out)
			assert.Contains(t, oneLine(got.err), test.err)
			if test.code == exitUsage {
				assert.Empty(t, got.out)
			} else {
				assert.Empty(t, got.err)
			}
		})
	}
}

// oneLine undoes the folding of a text.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func TestHelp(t *testing.T) {
	s := newSession(call{}.system(io.Discard, io.Discard))
	for _, c := range commands() {
		t.Run("J1 "+c.name, func(t *testing.T) {
			assert.Contains(t, overview, "\n  "+c.name+" ")
			assert.True(t, strings.HasPrefix(c.help, "usage: jwtguard "+c.name))
			assertNarrow(t, c.help)
			flags, _ := c.new(s)
			flags.VisitAll(func(f *flag.Flag) {
				assert.Regexp(t, `(?m)^  --`+f.Name+`( |$)`, c.help)
			})
			for _, named := range regexp.MustCompile(`(?m)^  --([a-z0-9-]+)`).FindAllStringSubmatch(c.help, -1) {
				assert.NotNil(t, flags.Lookup(named[1]), "%s is no flag", named[1])
			}
		})
	}
}

func TestColour(t *testing.T) {
	for _, test := range []struct {
		name string
		call call
		want bool
	}{
		{"J3 a terminal", call{terminal: true}, true},
		{"J3 a pipe", call{}, false},
		{"J3 NO_COLOR", call{terminal: true, env: map[string]string{"NO_COLOR": "1"}}, false},
		{"J3 an empty NO_COLOR", call{terminal: true, env: map[string]string{"NO_COLOR": ""}}, true},
		{"J3 a dumb terminal", call{terminal: true, env: map[string]string{"TERM": "dumb"}}, false},
		{"J3 another terminal", call{terminal: true, env: map[string]string{"TERM": "xterm"}}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.call.args = "issuer " + newIssuerServer(t).issuer
			got := test.call.run(t)
			assert.Equal(t, exitOK, got.code)
			assert.Equal(t, test.want, strings.Contains(got.out, "\x1b["))
		})
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestOutputThatCannotBeWritten(t *testing.T) {
	t.Run("J1 stdout", func(t *testing.T) {
		var log bytes.Buffer
		assert.Equal(t, exitUnavailable, run(context.Background(), []string{"help"}, call{}.system(brokenPipe{}, &log)))
		assert.Contains(t, log.String(), "could not be written")
	})
	t.Run("J1 both", func(t *testing.T) {
		assert.Equal(t, exitUsage, run(context.Background(), nil, call{}.system(brokenPipe{}, brokenPipe{})))
	})
}

func TestFold(t *testing.T) {
	long := strings.Repeat("x", 70)
	require.Equal(t, "- a\n  "+long+"\n  b\n", fold("a "+long+" b", "- ", "  "))
	require.Equal(t, "- "+long+"\n", fold(long, "- ", "  "))
	require.Equal(t, "a  b\n", fold("a  b", "", ""))
}

func TestShownText(t *testing.T) {
	long := strings.Repeat("z", 1000)
	for name, row := range map[string]struct{ got, want string }{
		"J3 an error":          {printable("a \x1b[2J\u009b\u202e\nü\xff"), `a \x1b[2J\u009b\u202e\n\u00fc\ufffd`},
		"J3 a long error":      {printable(long), long[:600] + "..."},
		"J3 a text":            {quoted("a\x1b\u009b\n"), `"a\x1b\u009b\n"`},
		"J3 a long text":       {quoted(long), `"` + long[:200] + `"...`},
		"J3 an address":        {address("https://a.example/ü"), `"https://a.example/\u00fc"`},
		"J3 a plain address":   {address("https://a.example/?b=c"), "https://a.example/?b=c"},
		"J3 a quotation mark":  {address(`https://a.example/"`), `"https://a.example/\""`},
		"J3 a long address":    {address("https://a.example/" + long), `"` + ("https://a.example/" + long)[:200] + `"...`},
		"J3 no address":        {address(""), `""`},
		"J2 a long argument":   {shortArgument(long), "of that name"},
		"J4 minutes":           {short(15 * time.Minute), "15m"},
		"J4 hours":             {short(2 * time.Hour), "2h"},
		"J4 hours and minutes": {short(90 * time.Minute), "1h30m"},
		"J4 seconds":           {short(90*time.Second + 400*time.Millisecond), "1m30s"},
		"J4 behind":            {clock(-3 * time.Second), "3s behind"},
		"J4 ahead":             {clock(time.Hour), "1h ahead of"},
		"J4 a scheme":          {difference("http://a", "https://a"), ": one is http, the other https"},
		"J4 capital letters":   {difference("https://A", "https://a"), ": they differ in capital letters"},
		"J4 something else":    {difference("https://b", "https://a"), ""},
	} {
		assert.Equal(t, row.want, row.got, name)
	}
}

// packageFunctions returns what pattern finds in the Go files of a folder.
func packageFunctions(t *testing.T, folder string, pattern *regexp.Regexp) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, found := range pattern.FindAllStringSubmatch(string(text), -1) {
			if !strings.HasSuffix(file, "_test.go") {
				names = append(names, found[1])
			}
		}
	}
	return names
}
