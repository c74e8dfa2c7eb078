package main

import (
	"errors"
	"flag"
	"io"
	"regexp"
	"slices"
	"strings"
)

func newFlags(name string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard) // report prints errors
	return f
}

// A list is the value of a flag that may be given several times.
type list []string

func (l *list) String() string { return strings.Join(*l, " ") }

func (l *list) Set(value string) error {
	if value == "" {
		return errors.New("it is empty")
	}
	*l = append(*l, value)
	return nil
}

// A scopes is a list in which one value may also be several with spaces between.
type scopes struct{ list }

func (l *scopes) Set(value string) error {
	all := strings.Fields(value)
	if len(all) == 0 {
		return errors.New("it is empty")
	}
	l.list = append(l.list, all...)
	return nil
}

// A choice is the value of a flag that is one of a few words.
type choice struct {
	value string
	among []string
}

func (c *choice) String() string { return c.value }

func (c *choice) Set(value string) error {
	if !slices.Contains(c.among, value) {
		return errors.New("it is one of " + strings.Join(c.among, ", "))
	}
	c.value = value
	return nil
}

// parse reads flags, also after other arguments, and returns the others. After -- there
// are no flags.
func parse(f *flag.FlagSet, args []string) (rest []string, err error) {
	for _, arg := range args {
		if err := refuseSecret(f, arg); err != nil {
			return nil, err
		}
	}
	for {
		if err := f.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, misuse("%s", printable(err.Error()))
		}
		read := len(args) - f.NArg()
		if f.NArg() == 0 || read > 0 && args[read-1] == "--" {
			return append(rest, f.Args()...), refuseEmpty(f)
		}
		rest, args = append(rest, f.Arg(0)), f.Args()[1:]
	}
}

// refuseEmpty refuses an empty value, such as that of a shell's variable that is not
// set: it would mean the same as no flag.
func refuseEmpty(f *flag.FlagSet) (err error) {
	f.Visit(func(given *flag.Flag) {
		if given.Value.String() == "" {
			err = misuse("--%s is empty", given.Name)
		}
	})
	return err
}

var secretFlag = regexp.MustCompile(`(?i)^--?([a-z0-9_-]*(?:secret|passw)[a-z0-9_-]*|token|access[-_]?token|bearer|jwt)(?:=|$)`)

// refuseSecret refuses what looks like a flag with a secret, and a token, without
// repeating them: every user of the machine can read a command line, and shells keep
// a history of them.
func refuseSecret(f *flag.FlagSet, arg string) error {
	if looksLikeToken(arg) {
		return misuse("a token is no argument: others can read a command line. Give it on standard input.")
	}
	if name := secretFlag.FindStringSubmatch(arg); name != nil && f.Lookup(name[1]) == nil {
		return misuse("a secret is no argument: others can read a command line. " +
			"Put the client's secret into the environment as JWTGUARD_CLIENT_SECRET, or name a file with --secret-file. " +
			"A token is read from standard input.")
	}
	return nil
}

// looksLikeToken reports whether arg is like a JWT, which begins with {" in base64url,
// or has one after a flag or a scheme.
func looksLikeToken(arg string) bool {
	return strings.HasPrefix(arg, "eyJ") && len(arg) > 20 || tokenInside.MatchString(arg)
}

var tokenInside = regexp.MustCompile(`[^A-Za-z0-9_-]eyJ[A-Za-z0-9_-]{12}`)
