package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// An explanation says why a survivor does not matter.
type explanation struct {
	reason     string
	lineNumber int
	met        bool // by a survivor
}

// key identifies a mutant across edits elsewhere: by file, function, the line's
// text and the change, and not by number. Of several alike in a function, the
// second ends in (2).
func (m *mutant) key() string {
	key := fmt.Sprintf("%s %s | %s | %s", m.file, m.function, m.line, m.change)
	if m.nth > 1 {
		key += fmt.Sprintf(" (%d)", m.nth)
	}
	return key
}

// readExplanations reads a file of keys, each followed by indented lines that
// give the reason. Empty lines and those that begin with # do not count.
func readExplanations(name string) (map[string]*explanation, error) {
	all := make(map[string]*explanation)
	if name == "" {
		return all, nil
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	var last *explanation
	for i, line := range strings.Split(string(text), "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || strings.HasPrefix(line, "#"):
		case line[0] != '\t' && line[0] != ' ':
			if all[trimmed] != nil {
				return nil, fmt.Errorf("%s:%d: explained twice", name, i+1)
			}
			last = &explanation{lineNumber: i + 1}
			all[trimmed] = last
		case last == nil:
			return nil, fmt.Errorf("%s:%d: a reason for nothing", name, i+1)
		default:
			last.reason = strings.TrimSpace(last.reason + " " + trimmed)
		}
	}
	for key, e := range all {
		if e.reason == "" {
			return nil, fmt.Errorf("%s:%d: no reason for %s", name, e.lineNumber, key)
		}
	}
	return all, nil
}
