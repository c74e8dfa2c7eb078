package main

import (
	"context"
	"sync"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/races"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/render"
)

// faultsTable runs the races. Those of one heat only wait, and run at the same
// time; the one about latency runs alone.
func faultsTable(ctx context.Context) (*render.Table, error) {
	t := &render.Table{Header: []string{"fault"}}
	for _, c := range races.Contestants {
		t.Header = append(t.Header, c.Name)
	}
	for _, heat := range races.Heats {
		cells := make([][][]string, len(heat))
		errs := make([]error, len(heat))
		var all sync.WaitGroup
		for i, race := range heat {
			all.Go(func() { cells[i], errs[i] = race.Run(ctx) })
		}
		all.Wait()
		for i, race := range heat {
			if errs[i] != nil {
				return nil, errs[i]
			}
			for column, what := range race.Columns {
				row := []string{race.Name + ": " + what}
				for _, c := range cells[i] {
					row = append(row, c[column])
				}
				t.Add(row...)
			}
		}
	}
	return t, nil
}
