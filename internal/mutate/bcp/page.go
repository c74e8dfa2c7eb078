package main

import (
	"fmt"
	"regexp"
	"strings"
)

// A point is a row of the page: what a document asks.
type point struct {
	name  string // the document's number and the row's first cell: 8725 3.9
	tests []string
	line  int
}

// noCode is what a row has in place of tests if no code here meets its point.
const noCode = "no code"

var (
	document  = regexp.MustCompile(`^## .*?RFC ([0-9]+)`)
	separator = regexp.MustCompile(`^[|: -]+$`)
	testName  = regexp.MustCompile("`(Test[A-Za-z0-9_]+)`")
)

// readPage returns the rows of the tables. The first row of each is its head.
func readPage(text string) (points []point, err error) {
	number, inTable := "", false
	seen := map[string]bool{}
	for i, line := range strings.Split(text, "\n") {
		if m := document.FindStringSubmatch(line); m != nil {
			number = m[1]
		}
		if !strings.HasPrefix(line, "|") {
			inTable = false
			continue
		}
		if head := !inTable; head || separator.MatchString(line) {
			inTable = true
			continue
		}
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if number == "" || len(cells) != 4 {
			return nil, fmt.Errorf("line %d: a row of %d cells, not 4, or outside a document", i+1, len(cells))
		}
		p := point{name: number + " " + cells[0], line: i + 1}
		for _, m := range testName.FindAllStringSubmatch(cells[3], -1) {
			p.tests = append(p.tests, m[1])
		}
		switch {
		case seen[p.name]:
			return nil, fmt.Errorf("line %d: %s is there twice", i+1, p.name)
		case (len(p.tests) == 0) != (cells[3] == noCode):
			return nil, fmt.Errorf("line %d: %s has neither tests nor %q", i+1, p.name, noCode)
		}
		seen[p.name] = true
		points = append(points, p)
	}
	return points, nil
}
