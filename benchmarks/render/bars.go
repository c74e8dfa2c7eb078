package render

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// bars draw themselves from the left edge on, since the library's own begin at
// zero, which a logarithmic axis has not.
type bars struct {
	chart Chart
	theme Theme
}

// Plot implements plot.Plotter.
func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		c.StrokeLine2(draw.LineStyle{Color: b.theme.Grid, Width: vg.Points(0.5)}, x(t.Value), c.Min.Y, x(t.Value), c.Max.Y)
	}
	words := text.Style{Color: b.theme.Text, Font: sans(textSize, false), YAlign: draw.YCenter, Handler: plot.DefaultTextHandler}
	bold := words
	bold.Font = sans(textSize, true)
	for i, row := range b.chart.Rows {
		middle := y(b.chart.at(i))
		line := middle + vg.Points(1) // where a line of text looks centered
		if row.Heading != "" {
			c.FillText(bold, vg.Point{X: c.Min.X + vg.Points(3), Y: line}, row.Heading)
			continue
		}
		end := x(max(row.Value, p.X.Min))
		fill := b.theme.Others
		if row.Ours {
			fill = b.theme.Ours
		}
		half := rowHeight * 0.36
		c.FillPolygon(fill, []vg.Point{{X: c.Min.X, Y: middle - half}, {X: end, Y: middle - half}, {X: end, Y: middle + half}, {X: c.Min.X, Y: middle + half}})
		c.FillText(words, vg.Point{X: end + vg.Points(4), Y: line}, row.Text)
	}
}
