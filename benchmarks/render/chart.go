package render

import (
	"bytes"
	"image/color"
	"math"
	"strconv"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A Chart has horizontal bars, from top to bottom.
type Chart struct {
	Title, Axis string
	Log         bool // a logarithmic axis
	Rows        []Row
}

// A Row is a bar, or a heading of those that follow.
type Row struct {
	Heading string

	Label string
	Value float64
	Text  string // stands at the bar's end
	Ours  bool   // drawn in the color of this library
}

const (
	width     = vg.Length(540) // points
	rowHeight = vg.Length(17)
	around    = vg.Length(76) // title and axis
	textSize  = 10
)

// SVG draws c.
func (c Chart) SVG(t Theme) ([]byte, error) {
	p := plot.New()
	p.BackgroundColor = color.Transparent
	p.Title.Text = c.Title
	p.Title.Padding = vg.Points(8)
	p.X.Label.Text = c.Axis
	p.X.Padding, p.Y.Padding = 0, 0
	p.Title.TextStyle.Color, p.Title.TextStyle.Font = t.Text, sans(textSize+3, true)
	p.X.Label.TextStyle.Color, p.X.Label.TextStyle.Font = t.Text, sans(textSize, false)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Tick.Label.Color, axis.Tick.Label.Font = t.Text, sans(textSize, false)
		axis.LineStyle.Width, axis.Tick.LineStyle.Width, axis.Tick.Length = 0, 0, vg.Points(2)
	}
	p.Y.Min, p.Y.Max = -0.5, float64(len(c.Rows))-0.5
	var labels plot.ConstantTicks
	for i, row := range c.Rows {
		labels = append(labels, plot.Tick{Value: c.at(i), Label: row.Label})
	}
	p.Y.Tick.Marker = labels
	p.X.Min, p.X.Max = c.span()
	p.X.Tick.Marker = plot.ConstantTicks(c.ticks(p.X.Min, p.X.Max))
	if c.Log {
		p.X.Scale = plot.LogScale{}
	}
	p.Add(bars{c, t})

	canvas := vgsvg.New(width, around+rowHeight*vg.Length(len(c.Rows)))
	const edge = 6 // points, for fonts that are a little wider
	p.Draw(draw.Crop(draw.New(canvas), edge, -edge, edge, -edge))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, err
	}
	// Arial and Helvetica are as wide as Liberation Sans, so the layout holds
	// where that is missing.
	return bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;")), nil
}

// at is where row i is on the axis, whose zero is at the bottom.
func (c Chart) at(i int) float64 { return float64(len(c.Rows) - 1 - i) }

// span is the axis' range, with room for the text at the longest bar.
func (c Chart) span() (from, to float64) {
	least, most := math.Inf(1), 1.0
	for _, row := range c.Rows {
		if row.Value > 0 {
			least = min(least, row.Value)
		}
		most = max(most, row.Value)
	}
	if !c.Log {
		return 0, most * 1.12
	}
	return math.Pow(10, math.Floor(math.Log10(min(least, 0.1)))), most * 2.5
}

func (c Chart) ticks(from, to float64) (all []plot.Tick) {
	step := 1.0
	if !c.Log {
		for value := from; value <= to; value += step {
			all = append(all, tick(value))
		}
		return all
	}
	for value := from; value <= to; value *= 10 {
		all = append(all, tick(value))
	}
	return all
}

func tick(value float64) plot.Tick {
	return plot.Tick{Value: value, Label: strconv.FormatFloat(value, 'g', 3, 64)}
}

func sans(size float64, bold bool) font.Font {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: font.Points(size)}
	if bold {
		f.Weight = xfont.WeightBold
	}
	return f
}
