package main

import (
	"context"
	"flag"
	"runtime"
	"runtime/debug"
)

const overview = `usage: jwtguard COMMAND [flags]

  explain   why a token is admitted or refused
  issuer    an issuer as the library sees it
  token     get a token by client credentials
  dev       a local issuer for development
  version   which version this is
  help      this text, or that of a command

Exit codes, of all commands:
  0  done; admitted
  1  refused
  2  wrong usage or configuration
  3  could not be checked or done: keys, server or
     output are unavailable

There is colour on a terminal, unless NO_COLOR is set or
TERM is dumb. A flag is written --name or -name, before or
after other arguments. No secret and no token is an
argument, since others can read a command line.
`

const helpHelp = `usage: jwtguard help [COMMAND]

Prints how a command is used.
`

func newHelp(s *session) (*flag.FlagSet, action) {
	return newFlags("help"), func(_ context.Context, args []string) error {
		switch len(args) {
		case 0:
			s.out.print(overview)
			return nil
		case 1:
			if c, known := find(args[0]); known {
				s.out.print(c.help)
				return nil
			}
			return misuse("there is no command %s", shortArgument(args[0]))
		}
		return misuse("help is for one command")
	}
}

const versionHelp = `usage: jwtguard version

Prints the version of this program, and of Go.
`

func newVersion(s *session) (*flag.FlagSet, action) {
	return newFlags("version"), func(_ context.Context, args []string) error {
		if len(args) > 0 {
			return misuse("version has no arguments")
		}
		version, revision := "unknown", ""
		if info, ok := debug.ReadBuildInfo(); ok {
			version = info.Main.Version
			for _, setting := range info.Settings {
				if setting.Key == "vcs.revision" {
					revision = " " + setting.Value[:min(12, len(setting.Value))]
				}
			}
		}
		s.out.printf("jwtguard %s%s %s\n", version, revision, runtime.Version())
		return nil
	}
}
