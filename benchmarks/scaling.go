package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/scale"
)

// measureScale measures how the cost grows. The small counts are done several
// times over, by Parts; the largest are More's.
func measureScale(ctx context.Context, e scale.Effort) ([]scale.Part, error) {
	few := e
	few.Largest = min(e.Largest, 10_000)
	parts, err := scale.Parts(ctx, few)
	if err != nil {
		return nil, err
	}
	more, err := scale.More(ctx, e)
	return append(parts, more...), err
}

const scaleRounds = 20

// scaleEffort takes about a minute with scaleRounds.
func scaleEffort(rounds int) scale.Effort {
	return scale.Effort{Rounds: rounds, Slice: 20 * time.Millisecond, Largest: 1_000_000}
}

// runScale prints nothing but the tables of scale.
func runScale(ctx context.Context, w io.Writer, e scale.Effort) error {
	parts, err := measureScale(ctx, e)
	if err != nil {
		return err
	}
	printScale(w, parts)
	return nil
}

func printScale(w io.Writer, parts []scale.Part) {
	for _, p := range parts {
		fmt.Fprintf(w, "%s\n\n%s\n", p.Title, p.Table.Text())
	}
}
