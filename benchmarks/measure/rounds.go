package measure

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"
)

// A Case is measured once a round.
type Case struct {
	Name    string
	Group   string // those of one group are compared, and so run close together
	Run     Run
	Workers int
}

// Rounds measures each case for slice in each round, the groups and the cases
// in them in an order that changes from round to round. Garbage is collected
// between the slices. The series are in the order of the cases.
func Rounds(cases []Case, rounds int, slice time.Duration) ([]Series, error) {
	counts := make([]int, len(cases))
	groups := make(map[string][]int)
	var names []string
	for i, c := range cases {
		var err error
		if counts[i], err = calibrate(c.Run, slice, c.Workers); err != nil {
			return nil, fmt.Errorf("%s, %s: %w", c.Group, c.Name, err)
		}
		if groups[c.Group] == nil {
			names = append(names, c.Group)
		}
		groups[c.Group] = append(groups[c.Group], i)
	}
	all := make([]Series, len(cases))
	for range rounds {
		shuffle(names)
		for _, name := range names {
			order := slices.Clone(groups[name])
			shuffle(order)
			for _, i := range order {
				runtime.GC()
				s, err := Slice(cases[i].Run, counts[i], cases[i].Workers)
				if err != nil {
					return nil, fmt.Errorf("%s, %s: %w", name, cases[i].Name, err)
				}
				all[i] = append(all[i], s)
			}
		}
	}
	return all, nil
}

func shuffle[T any](list []T) {
	rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}
