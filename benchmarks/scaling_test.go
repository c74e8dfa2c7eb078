package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/render"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/scale"
)

func TestPrintScale(t *testing.T) {
	var b strings.Builder
	printScale(&b, []scale.Part{{Title: "Many", Note: "Tokens.", Table: &render.Table{Header: []string{"n", "hits"}, Rows: [][]string{{"7", "1 %"}}}}})
	assert.Equal(t, "Many\n\nn  hits\n7   1 %\n\n", b.String())
}
