package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/internal/ascii"
)

// The exit codes, as docs/command.md lists them.
const (
	exitOK          = 0
	exitRefused     = 1 // a token, an issuer or a request is refused
	exitUsage       = 2 // wrong usage or configuration
	exitUnavailable = 3 // it could not be checked or done
)

// A system is what a run of the command can touch.
type system struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	isTerminal     func(any) bool // of stdin, stdout or stderr
}

func main() {
	os.Exit(run(context.Background(), os.Args[1:], system{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		getenv: os.Getenv, isTerminal: isTerminal,
	}))
}

// isTerminal reports whether f is a character device, which is as much as the
// standard library can say.
func isTerminal(f any) bool {
	file, ok := f.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// A command is one of the subcommands. new returns its flags, and what to do once
// they are parsed.
type command struct {
	name, help string
	new        func(*session) (*flag.FlagSet, action)
}

type action func(ctx context.Context, args []string) error

// commands are in the order of the help.
func commands() []command {
	return []command{
		{"explain", explainUsage(), newExplain},
		{"issuer", issuerHelp, newIssuer},
		{"token", tokenHelp, newToken},
		{"dev", devHelp, newDev},
		{"version", versionHelp, newVersion},
		{"help", helpHelp, newHelp},
	}
}

func find(name string) (command, bool) {
	for _, c := range commands() {
		if c.name == name {
			return c, true
		}
	}
	return command{}, false
}

// run runs the command and returns its exit code.
func run(ctx context.Context, args []string, sys system) int {
	s := newSession(sys)
	err := s.dispatch(ctx, args)
	if err == nil && s.out.err != nil {
		err = fail(exitUnavailable, "the output could not be written: %v", s.out.err)
	}
	var e *exitError
	switch {
	case err == nil:
		return exitOK
	case !errors.As(err, &e):
		e = &exitError{code: exitUnavailable, text: err.Error()}
	}
	s.report(e)
	return e.code
}

func (s *session) dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return misuse("a command is missing")
	}
	switch args[0] {
	case "-h", "-help", "--help":
		args[0] = "help"
	case "-version", "--version":
		args[0] = "version"
	}
	c, known := find(args[0])
	if !known {
		return misuse("there is no command %s", shortArgument(args[0]))
	}
	s.command = &c
	flags, do := c.new(s)
	rest, err := parse(flags, args[1:])
	if errors.Is(err, flag.ErrHelp) {
		s.out.print(c.help)
		return nil
	}
	if err != nil {
		return err
	}
	return do(ctx, rest)
}

// A session is one run.
type session struct {
	system
	out, log *output  // of stdout and stderr
	command  *command // nil until it is known
}

func newSession(sys system) *session {
	colour := func(w io.Writer) bool {
		return sys.getenv("NO_COLOR") == "" && sys.getenv("TERM") != "dumb" && sys.isTerminal(w)
	}
	return &session{
		system: sys,
		out:    &output{w: sys.stdout, colour: colour(sys.stdout)},
		log:    &output{w: sys.stderr, colour: colour(sys.stderr)},
	}
}

// An exitError ends the run with a code. An empty text prints nothing: the output
// has said it.
type exitError struct {
	code  int
	text  string
	usage bool // also print how the command is used
}

func (e *exitError) Error() string { return e.text }

func fail(code int, format string, args ...any) error {
	return &exitError{code: code, text: fmt.Sprintf(format, args...)}
}

// misuse is the error of arguments that the command does not have.
func misuse(format string, args ...any) error {
	return &exitError{code: exitUsage, text: fmt.Sprintf(format, args...), usage: true}
}

func (s *session) report(e *exitError) {
	name, usage, more := "jwtguard", synopsis(overview), "jwtguard help"
	if c := s.command; c != nil {
		name, usage, more = "jwtguard "+c.name, synopsis(c.help), "jwtguard help "+c.name
	}
	if e.text != "" {
		s.log.fold(name+": "+ascii.Escape(e.text), "", "  ")
	}
	if e.usage {
		s.log.print("\n" + usage + "\n\nRun " + more + " for more.\n")
	}
}

// synopsis returns the first paragraph of a help text.
func synopsis(help string) string {
	first, _, _ := strings.Cut(help, "\n\n")
	return first
}
