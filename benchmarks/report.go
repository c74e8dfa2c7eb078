package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/render"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/scale"
)

var (
	//go:embed performance.md.tmpl
	page string
	//go:embed parts/time.md
	whereTheTimeGoes string
)

// A report is what performance.md.tmpl is filled with.
type report struct {
	Machine string
	Effort  effort

	Libraries, Serial, Parallel, Routes, Faults *render.Table

	Scale            []scale.Part
	WhereTheTimeGoes string // written by hand, in the directory parts
}

func newReport(m matrix, faults *render.Table, parts []scale.Part, e effort, machine string) *report {
	return &report{
		Machine: machine, Effort: e,
		Libraries: librariesTable(m, routed),
		Serial:    ratiosTable(m, false),
		Parallel:  ratiosTable(m, true),
		Routes:    routesTable(m),
		Faults:    faults,
		Scale:     parts, WhereTheTimeGoes: strings.TrimSpace(whereTheTimeGoes),
	}
}

func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "%s; medians of %d rounds\n\n", r.Machine, r.Effort.Rounds)
	for _, part := range []struct {
		title string
		table *render.Table
	}{
		{"Libraries, time to bare cryptography", r.Libraries},
		{"Every algorithm, one core", r.Serial},
		{"Every algorithm, all cores", r.Parallel},
		{"Whole middlewares, " + routed + ", time to bare cryptography", r.Routes},
		{"Faults of the authorization server", r.Faults},
	} {
		fmt.Fprintf(w, "%s\n\n%s\n", part.title, part.table.Text())
	}
	for _, p := range r.Scale {
		fmt.Fprintf(w, "%s\n\n%s\n", p.Title, p.Table.Text())
	}
}

// write makes dir/performance.md and the charts in dir/performance.
func (r *report) write(dir string, m matrix) error {
	text, err := r.markdown()
	if err != nil {
		return err
	}
	pictures := filepath.Join(dir, "performance")
	if err := os.MkdirAll(pictures, 0o755); err != nil {
		return err
	}
	if err := drawCharts(pictures, charts(m)); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "performance.md"), text, 0o644)
}

func (r *report) markdown() ([]byte, error) {
	t, err := template.New("performance.md").Funcs(template.FuncMap{"chart": picture, "version": version}).Parse(page)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, r)
	return b.Bytes(), err
}

// picture shows the chart of that name, the dark one on dark pages.
func picture(name, alt string) string {
	return fmt.Sprintf(`<picture>
<source media="(prefers-color-scheme: dark)" srcset="performance/%s-dark.svg">
<img alt="%s" src="performance/%[1]s-light.svg">
</picture>`, name, alt)
}
