package render_test

import (
	"encoding/xml"
	"io"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/render"
)

// A box is what a shape or a text covers.
type box struct {
	what                     string
	left, top, right, bottom float64
}

func (b box) overlaps(other box) bool {
	return b.left < other.right && other.left < b.right && b.top < other.bottom && other.top < b.bottom
}

func (b box) contains(other box) bool {
	return b.left <= other.left && other.right <= b.right && b.top <= other.top && other.bottom <= b.bottom
}

// A drawing is an SVG, as far as a browser would draw it.
type drawing struct {
	view   box
	bars   []box
	texts  []box
	colors []string
}

// wide is a letter's width by the font's size, in a font that is wider than
// DejaVu Sans and Verdana are on an average.
const wide = 0.7

func read(t *testing.T, svg []byte) (d drawing) {
	t.Helper()
	number := func(s string) float64 {
		f, err := strconv.ParseFloat(s, 64)
		require.NoError(t, err)
		return f
	}
	var pending *box // a text whose characters follow
	var anchor string
	var size float64
	for dec := xml.NewDecoder(strings.NewReader(string(svg))); ; {
		tok, err := dec.Token()
		if err == io.EOF {
			return d
		}
		require.NoError(t, err)
		switch tok := tok.(type) {
		case xml.StartElement:
			a := make(map[string]string)
			for _, attr := range tok.Attr {
				a[attr.Name.Local] = attr.Value
				if attr.Name.Local == "fill" || attr.Name.Local == "stroke" {
					d.colors = append(d.colors, attr.Value)
				}
			}
			assert.NotContains(t, a, "style")
			assert.NotContains(t, a, "transform")
			switch tok.Name.Local {
			case "svg":
				f := strings.Fields(a["viewBox"])
				require.Len(t, f, 4)
				d.view = box{"view", number(f[0]), number(f[1]), number(f[2]), number(f[3])}
			case "rect":
				x, y := number(a["x"]), number(a["y"])
				d.bars = append(d.bars, box{"bar", x, y, x + number(a["width"]), y + number(a["height"])})
			case "text":
				anchor, size = a["text-anchor"], number(a["font-size"])
				pending = &box{left: number(a["x"]), bottom: number(a["y"])}
			}
		case xml.CharData:
			if pending == nil {
				continue
			}
			b := *pending
			pending = nil
			b.what = string(tok)
			b.top, b.bottom = b.bottom-size, b.bottom+size*0.25
			width := wide * size * float64(utf8.RuneCountInString(b.what))
			switch anchor {
			case "end":
				b.left, b.right = b.left-width, b.left
			case "middle":
				b.left, b.right = b.left-width/2, b.left+width/2
			default:
				require.Equal(t, "start", anchor)
				b.right = b.left + width
			}
			d.texts = append(d.texts, b)
		}
	}
}

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
		for theme, colors := range render.Themes {
			t.Run(name+", "+theme, func(t *testing.T) {
				d := read(t, c.SVG(colors))
				for _, color := range d.colors {
					assert.Regexp(t, `^#[0-9a-f]{6}$`, color)
				}
				var words []string
				for i, text := range d.texts {
					words = append(words, text.what)
					assert.True(t, d.view.contains(text), "%q leaves the picture", text.what)
					for _, bar := range d.bars {
						assert.False(t, text.overlaps(bar), "%q is behind a bar", text.what)
					}
					for _, other := range d.texts[:i] {
						assert.False(t, text.overlaps(other), "%q and %q", text.what, other.what)
					}
				}
				bars := 0
				for _, row := range c.Rows {
					assert.Contains(t, words, row.Heading+row.Label)
					if row.Heading == "" {
						bars++
						assert.Contains(t, words, row.Text)
					}
				}
				require.Len(t, d.bars, bars)
				for _, bar := range d.bars {
					assert.True(t, d.view.contains(bar))
				}
			})
		}
	}
}

// A bar's length is its value, or on a logarithmic axis the value's logarithm.
func TestLengths(t *testing.T) {
	length := func(log bool, values ...float64) (all []float64) {
		c := render.Chart{Log: log}
		for _, v := range values {
			c.Rows = append(c.Rows, render.Row{Value: v})
		}
		for _, bar := range read(t, c.SVG(render.Themes["light"])).bars {
			all = append(all, bar.right-bar.left)
		}
		return all
	}
	linear := length(false, 4, 2, 1, 0)
	assert.InDeltaSlice(t, []float64{1, 0.5, 0.25, 0}, over(linear), 0.001)
	logarithmic := length(true, 10, 1, 0.1, 0.01, 0)
	assert.InDeltaSlice(t, []float64{1, 2. / 3, 1. / 3, 0, 0}, over(logarithmic), 0.001)
}

// over divides all by the first.
func over(lengths []float64) (shares []float64) {
	for _, l := range lengths {
		shares = append(shares, l/lengths[0])
	}
	return shares
}
