// Package render draws bar charts.
package render

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Chart has horizontal bars, from top to bottom.
type Chart struct {
	Title string `json:"title"`
	Axis  string `json:"axis"`
	Log   bool   `json:"log,omitempty"` // a logarithmic axis
	Rows  []Row  `json:"rows"`
}

// A Row is a bar, or a heading of those that follow.
type Row struct {
	Heading string `json:"heading,omitempty"`

	Label string  `json:"label,omitempty"`
	Value float64 `json:"value,omitempty"`
	Text  string  `json:"text,omitempty"` // stands at the bar's end
	Ours  bool    `json:"ours,omitempty"` // drawn in the color of this library
}

// A Theme is the colors of a chart, as #rrggbb.
type Theme struct{ Page, Text, Grid, Ours, Others string }

// Themes are for pages with a light and with a dark background.
var Themes = map[string]Theme{
	"light": {Page: "#ffffff", Text: "#1f2328", Grid: "#d1d9e0", Ours: "#0969da", Others: "#afb8c1"},
	"dark":  {Page: "#0d1117", Text: "#e6edf3", Grid: "#3d444d", Ours: "#4493f8", Others: "#656c76"},
}

// Sizes in pixels. The reader's font is not known, so nothing is placed by the
// width of a text in one font: labels end before the bars, headings and figures
// begin, titles are centered, and advance leaves room for wide fonts (DejaVu
// Sans takes 0.6 of its size for a letter, Arial 0.5).
const (
	textSize  = 13.0
	advance   = 0.72 * textSize
	margin    = 8.0
	gap       = 6.0 // between a bar and what stands beside it
	rowHeight = 23.0
	barHeight = 16.0
	barsWidth = 440.0 // of the longest
	above     = 40.0  // the title
	below     = 52.0  // ticks and axis
)

func room(text string) float64 { return advance * float64(utf8.RuneCountInString(text)) }

// SVG draws c.
func (c Chart) SVG(t Theme) []byte {
	from, to := c.span()
	left, right := margin+gap, 0.0
	for _, row := range c.Rows {
		left = max(left, margin+room(row.Label)+gap)
		right = max(right, gap+room(row.Text)+margin)
	}
	width, bottom := left+barsWidth+right, above+rowHeight*float64(len(c.Rows))
	height := bottom + below
	at := func(value float64) float64 {
		share := (value - from) / (to - from)
		if c.Log {
			share = math.Log(value/from) / math.Log(to/from)
		}
		return left + barsWidth*share
	}

	var b strings.Builder
	text := func(anchor, weight string, size, x, y float64, s string) {
		fmt.Fprintf(&b, `<text text-anchor="%s" font-weight="%s" font-size="%g" x="%.1f" y="%.1f">%s</text>`+"\n",
			anchor, weight, size, x, y, html.EscapeString(s))
	}
	bar := func(fill string, x, y, width, height float64) {
		fmt.Fprintf(&b, `<rect fill="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`+"\n", fill, x, y, width, height)
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %[1]f %[2]f">`+"\n", width, height)
	fmt.Fprintf(&b, `<path fill="%s" d="M0 0H%.0fV%.0fH0Z"/>`+"\n", t.Page, width, height)
	for _, tick := range c.ticks(from, to) {
		fmt.Fprintf(&b, `<path stroke="%s" d="M%.1f %.1fV%.1f"/>`+"\n", t.Grid, at(tick), above, bottom)
	}
	fmt.Fprintf(&b, `<g fill="%s" font-family="Helvetica,Arial,sans-serif">`+"\n", t.Text)
	text("middle", "bold", textSize+3, width/2, above-16, c.Title)
	for _, tick := range c.ticks(from, to) {
		text("middle", "normal", textSize, at(tick), bottom+18, strconv.FormatFloat(tick, 'g', 3, 64))
	}
	text("middle", "normal", textSize, left+barsWidth/2, bottom+38, c.Axis)
	for i, row := range c.Rows {
		middle := above + rowHeight*(float64(i)+0.5)
		line := middle + 0.35*textSize // the base line of text centered there
		if row.Heading != "" {
			text("start", "bold", textSize, left, line, row.Heading)
			continue
		}
		fill := t.Others
		if row.Ours {
			fill = t.Ours
		}
		end := at(max(row.Value, from))
		text("end", "normal", textSize, left-gap, line, row.Label)
		bar(fill, left, middle-barHeight/2, end-left, barHeight)
		text("start", "normal", textSize, end+gap, line, row.Text)
	}
	b.WriteString("</g>\n</svg>\n")
	return []byte(b.String())
}

// span is the axis' range: a logarithmic one begins at a power of ten.
func (c Chart) span() (from, to float64) {
	least, most := 0.1, 1.0
	for _, row := range c.Rows {
		if row.Value > 0 {
			least = min(least, row.Value)
		}
		most = max(most, row.Value)
	}
	if !c.Log {
		return 0, most
	}
	return math.Pow(10, math.Floor(math.Log10(least))), most
}

func (c Chart) ticks(from, to float64) (all []float64) {
	if c.Log {
		for value := from; value <= to; value *= 10 {
			all = append(all, value)
		}
		return all
	}
	for value := from; value <= to; value++ {
		all = append(all, value)
	}
	return all
}
