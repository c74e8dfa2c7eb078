// Package render turns figures into text, Markdown and SVG.
package render

import (
	"strings"
	"unicode/utf8"
)

// A Table has rows of as many cells as its header.
type Table struct {
	Header []string
	Rows   [][]string
}

// Add appends a row.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, cells) }

// Text returns t with aligned columns, the first to the left and the others to
// the right.
func (t *Table) Text() string {
	widths := make([]int, len(t.Header))
	for _, row := range t.all() {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range t.all() {
		var line strings.Builder
		for i, cell := range row {
			room := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				line.WriteString(cell + room)
			} else {
				line.WriteString("  " + room + cell)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// Markdown returns t as a table of GitHub's Markdown.
func (t *Table) Markdown() string {
	var b strings.Builder
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	escaped := func(cells []string) (out []string) {
		for _, cell := range cells {
			out = append(out, strings.ReplaceAll(cell, "|", `\|`))
		}
		return out
	}
	line(escaped(t.Header))
	rule := []string{"---"}
	for range t.Header[1:] {
		rule = append(rule, "--:")
	}
	line(rule)
	for _, row := range t.Rows {
		line(escaped(row))
	}
	return b.String()
}

func (t *Table) all() [][]string { return append([][]string{t.Header}, t.Rows...) }
