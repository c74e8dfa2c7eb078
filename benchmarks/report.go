package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"text/template"
	"time"
)

//go:embed performance.md.tmpl
var page string

// A report is what performance.md.tmpl is filled with.
type report struct {
	Machine                             string
	Effort                              effort
	Libraries, Serial, Parallel, Routes table
}

func newReport(m matrix, e effort, machine string) *report {
	return &report{
		Machine: machine, Effort: e, Libraries: librariesTable(m, routed),
		Serial: ratiosTable(m, oneCore), Parallel: ratiosTable(m, allCores), Routes: routesTable(m),
	}
}

func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "%s; medians of %d rounds\n\n", r.Machine, r.Effort.Rounds)
	fmt.Fprintf(w, "Libraries, time to bare cryptography\n\n%s\n", r.Libraries.Text())
	fmt.Fprintf(w, "Every algorithm, one core\n\n%s\n", r.Serial.Text())
	fmt.Fprintf(w, "Every algorithm, all cores\n\n%s\n", r.Parallel.Text())
	fmt.Fprintf(w, "Whole middlewares, %s, time to bare cryptography\n\n%s\n", routed, r.Routes.Text())
}

// write makes dir/performance.md and the charts in dir/performance.
func (r *report) write(dir string, all []named) error {
	t, err := template.New("performance.md").Funcs(template.FuncMap{"chart": picture, "version": version}).Parse(page)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := t.Execute(&text, r); err != nil {
		return err
	}
	pictures := filepath.Join(dir, "performance")
	if err := os.MkdirAll(pictures, 0o755); err != nil {
		return err
	}
	if err := drawCharts(pictures, all); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "performance.md"), text.Bytes(), 0o644)
}

// picture shows the chart of that name, the dark one on dark pages.
func picture(name, alt string) string {
	return fmt.Sprintf(`<picture>
<source media="(prefers-color-scheme: dark)" srcset="performance/%s-dark.svg">
<img alt="%s" src="performance/%[1]s-light.svg">
</picture>`, name, alt)
}

// version returns the version of a module that this program was built with.
func version(path string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == path {
				return m.Version
			}
		}
	}
	return "of unknown version"
}

// machine says where the figures come from; the processor's name where Linux
// tells it.
func machine() string {
	processor := "unnamed processor"
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			processor = strings.TrimSpace(value)
		}
	}
	return fmt.Sprintf("%s, %d cores, %s %s/%s, %s", processor, runtime.GOMAXPROCS(0),
		runtime.Version(), runtime.GOOS, runtime.GOARCH, time.Now().Format(time.DateOnly))
}
