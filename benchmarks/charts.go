package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/peers"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/render"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/subject"
)

// A named chart is in the files docs/performance/<name>-<theme>.svg.
type named struct {
	Name  string       `json:"name"`
	Chart render.Chart `json:"chart"`
}

func charts(m matrix) []named {
	return []named{{"libraries", librariesChart(m)}, {"algorithms", algorithmsChart(m)}, {"middleware", routesChart(m)}}
}

func librariesChart(m matrix) render.Chart {
	c := render.Chart{Title: "Verifying one " + routed + " token", Axis: "time to bare cryptography, logarithmic", Log: true}
	for _, r := range m.of(routed, false, "") {
		c.Rows = append(c.Rows, ratioBar(m, r))
	}
	return c
}

// algorithmsChart leaves out tokens seen before, which take next to nothing.
func algorithmsChart(m matrix) render.Chart {
	c := render.Chart{Title: "Verifying one new token", Axis: "time to bare cryptography of the same algorithm"}
	for _, alg := range algorithms {
		bare := m.find(alg, false, "", subject.Bare).series.Nanoseconds()
		c.Rows = append(c.Rows, render.Row{Heading: fmt.Sprintf("%s, bare cryptography %s", alg, micros(bare))})
		for _, r := range m.of(alg, false, "") {
			if r.Who != subject.Bare && r.Who != subject.Hit && r.Who != subject.Off {
				c.Rows = append(c.Rows, ratioBar(m, r))
			}
		}
	}
	return c
}

func routesChart(m matrix) render.Chart {
	c := render.Chart{Title: "What a middleware adds to a request", Axis: "time to bare cryptography, logarithmic", Log: true}
	for _, route := range peers.Routes {
		c.Rows = append(c.Rows, render.Row{Heading: route.On})
		for _, r := range m.of(routed, false, route.On) {
			if r.Who == subject.Alone || r.series == nil {
				continue
			}
			added := overhead(m, &r)
			c.Rows = append(c.Rows, render.Row{Label: r.Who, Value: added, Text: figure(added), Ours: strings.HasPrefix(r.Who, route.Ours)})
		}
	}
	return c
}

// figuresFile has the charts' figures, beside them.
const figuresFile = "charts.json"

// drawCharts draws all in dir, for every theme, and keeps their figures there.
func drawCharts(dir string, all []named) error {
	figures, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, figuresFile), append(figures, '\n'), 0o644); err != nil {
		return err
	}
	for _, c := range all {
		for name, theme := range render.Themes {
			if err := os.WriteFile(filepath.Join(dir, c.Name+"-"+name+".svg"), c.Chart.SVG(theme), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// redrawCharts draws those in dir again, from the figures that were kept.
func redrawCharts(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, figuresFile))
	if err != nil {
		return err
	}
	var all []named
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	return drawCharts(dir, all)
}

// ratioBar has no value if r has none.
func ratioBar(m matrix, r result) render.Row {
	row := render.Row{Label: r.Who, Text: ratio(m, &r), Ours: strings.HasPrefix(r.Who, "jwtguard")}
	if r.series != nil {
		row.Value = r.series.Ratio(m.find(r.alg, r.parallel, "", subject.Bare).series)
	}
	return row
}
