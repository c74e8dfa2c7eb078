package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/peers"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/render"
)

// A named chart is in the files docs/performance/<name>-<theme>.svg.
type named struct {
	Name  string       `json:"name"`
	Chart render.Chart `json:"chart"`
}

func charts(m matrix) []named {
	libraries := render.Chart{Title: "Verifying one " + routed + " token", Axis: "time to bare cryptography, logarithmic", Log: true, Rows: bars(m, routed)}

	// Without tokens seen before, which take next to nothing.
	byAlgorithm := render.Chart{Title: "Verifying one new token", Axis: "time to bare cryptography of the same algorithm"}
	for _, alg := range algorithms {
		heading := fmt.Sprintf("%s, bare cryptography %s", alg, micros(m.find(alg, "", bare).one.Nanoseconds().Center))
		byAlgorithm.Rows = append(append(byAlgorithm.Rows, render.Row{Heading: heading}), bars(m, alg, bare, hit, off)...)
	}

	middleware := render.Chart{Title: "What a middleware adds to a request", Axis: "time to bare cryptography, logarithmic", Log: true}
	for _, route := range peers.Routes {
		middleware.Rows = append(middleware.Rows, render.Row{Heading: route.On})
		for _, r := range m.of(routed, route.On) {
			if r.who == alone || r.one == nil {
				continue
			}
			added := r.one.Overhead(m.find(routed, route.On, alone).one, m.find(routed, "", bare).one).Center
			middleware.Rows = append(middleware.Rows, render.Row{Label: r.who, Value: added, Text: figure(added), Ours: strings.HasPrefix(r.who, route.Ours)})
		}
	}
	return []named{{"libraries", libraries}, {"algorithms", byAlgorithm}, {"middleware", middleware}}
}

// bars are the libraries' ratios. Who refuses good tokens has none.
func bars(m matrix, alg string, without ...string) (rows []render.Row) {
	for _, r := range m.of(alg, "") {
		row := render.Row{Label: r.who, Text: none, Ours: strings.HasPrefix(r.who, "jwtguard")}
		if r.one != nil {
			row.Value = r.one.Ratio(m.find(alg, "", bare).one).Center
			row.Text = figure(row.Value)
		}
		if !slices.Contains(without, r.who) {
			rows = append(rows, row)
		}
	}
	return rows
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
