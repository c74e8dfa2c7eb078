package render_test

import (
	"encoding/xml"
	"fmt"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/render"
)

// A drawing is a chart as far as a browser would draw it.
type drawing struct {
	ViewBox string `xml:"viewBox,attr"`
	Bars    []struct {
		X      float64 `xml:"x,attr"`
		Y      float64 `xml:"y,attr"`
		Width  float64 `xml:"width,attr"`
		Height float64 `xml:"height,attr"`
	} `xml:"g>rect"`
	Texts []struct {
		X      float64 `xml:"x,attr"`
		Y      float64 `xml:"y,attr"`
		Size   float64 `xml:"font-size,attr"`
		Anchor string  `xml:"text-anchor,attr"`
		Text   string  `xml:",chardata"`
	} `xml:"g>text"`
}

func read(t *testing.T, c render.Chart, theme render.Theme) (d drawing) {
	t.Helper()
	require.NoError(t, xml.Unmarshal(c.SVG(theme), &d))
	return d
}

// A box is what a bar or a text covers.
type box struct{ left, top, right, bottom float64 }

func (b box) overlaps(o box) bool {
	return b.left < o.right && o.left < b.right && b.top < o.bottom && o.top < b.bottom
}

func (b box) contains(o box) bool {
	return b.left <= o.left && o.right <= b.right && b.top <= o.top && o.bottom <= b.bottom
}

// boxes takes letters for wider than those of DejaVu Sans and Verdana are on an
// average.
func (d drawing) boxes() (bars, texts []box) {
	for _, b := range d.Bars {
		bars = append(bars, box{b.X, b.Y, b.X + b.Width, b.Y + b.Height})
	}
	for _, text := range d.Texts {
		width := 0.7 * text.Size * float64(utf8.RuneCountInString(text.Text))
		left := text.X - width*map[string]float64{"start": 0, "middle": 0.5, "end": 1}[text.Anchor]
		texts = append(texts, box{left, text.Y - text.Size, left + width, text.Y + text.Size/4})
	}
	return bars, texts
}

// Nothing is behind a bar or another text, or leaves the picture.
func TestChart(t *testing.T) {
	rows := []render.Row{
		{Label: "bare cryptography", Value: 1, Text: "1.00"},
		{Label: "jwtguard, token seen before", Value: 0.0074, Text: "0.0074", Ours: true},
		{Heading: "Echo, and a heading that is rather long"},
		{Label: "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWW & <more>", Value: 3.04, Text: "3.04 and a remark"},
		{Label: "refuses good tokens", Text: "–"},
	}
	for name, c := range map[string]render.Chart{
		"linear":          {Title: "A title", Axis: "an axis", Rows: rows},
		"logarithmic":     {Title: "A title", Axis: "an axis", Log: true, Rows: rows},
		"all below ten":   {Title: "A title", Axis: "an axis", Log: true, Rows: rows[:2]},
		"one, of no size": {Title: "A title", Axis: "an axis", Rows: rows[4:]},
	} {
		d := read(t, c, render.Themes["dark"])
		var view box
		_, err := fmt.Sscan(d.ViewBox, &view.left, &view.top, &view.right, &view.bottom)
		require.NoError(t, err)
		bars, texts := d.boxes()
		var words []string
		for i, text := range texts {
			what := d.Texts[i].Text
			words = append(words, what)
			assert.True(t, view.contains(text), "%s: %q leaves the picture", name, what)
			for j, other := range append(bars, texts[:i]...) {
				assert.False(t, text.overlaps(other), "%s: %q is behind %d", name, what, j)
			}
		}
		for _, row := range c.Rows {
			assert.Contains(t, words, row.Heading+row.Label)
			assert.Subset(t, append(words, ""), []string{row.Text})
		}
	}
}

// A bar's length is its value, or on a logarithmic axis the value's logarithm.
func TestLengths(t *testing.T) {
	shares := func(log bool, values ...float64) (all []float64) {
		c := render.Chart{Log: log}
		for _, v := range values {
			c.Rows = append(c.Rows, render.Row{Value: v})
		}
		bars := read(t, c, render.Themes["light"]).Bars
		for _, bar := range bars {
			all = append(all, bar.Width/bars[0].Width)
		}
		return all
	}
	assert.InDeltaSlice(t, []float64{1, 0.5, 0.25, 0}, shares(false, 4, 2, 1, 0), 0.001)
	assert.InDeltaSlice(t, []float64{1, 2. / 3, 1. / 3, 0, 0}, shares(true, 10, 1, 0.1, 0.01, 0), 0.001)
}
