package main

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"strings"
)

//go:embed helpers.txt
var helpers string

// A mutant is one small change.
type mutant struct {
	number     int
	pkg        string // within the module
	file       string // pkg/name.go
	lineNumber int
	function   string
	line       string // its text
	change     string
	nth        int // of those alike in the function

	reached bool // by a test
	killed  bool
	late    bool // by the time limit
}

// instrument rewrites the packages in dir so that they hold all mutants, which
// it returns.
func instrument(dir string, packages []string) ([]*mutant, error) {
	all, err := list(dir, packages)
	if err != nil {
		return nil, err
	}
	in := &instrumenter{fset: token.NewFileSet(), seen: make(map[string]int)}
	for _, name := range packages {
		p, files := (*listed)(nil), []*ast.File(nil)
		for _, q := range all {
			if q.Dir == filepath.Join(dir, name) {
				p = q
			}
		}
		if p == nil {
			return nil, fmt.Errorf("no package in %s", name)
		}
		for _, f := range p.GoFiles {
			file, err := parser.ParseFile(in.fset, filepath.Join(p.Dir, f), nil, parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			files = append(files, file)
		}
		in.pkg = name
		in.info = &types.Info{Types: make(map[ast.Expr]types.TypeAndValue), Defs: make(map[*ast.Ident]types.Object)}
		conf := types.Config{Importer: importer.ForCompiler(in.fset, "gc", func(path string) (io.ReadCloser, error) {
			return os.Open(all[path].Export)
		})}
		if _, err := conf.Check(p.ImportPath, in.fset, files, in.info); err != nil {
			return nil, err
		}
		for _, f := range files {
			if err := in.rewrite(f); err != nil {
				return nil, err
			}
		}
		text := strings.Replace(helpers, "package PACKAGE", "package "+p.Name, 1)
		if err := os.WriteFile(filepath.Join(p.Dir, "mutant_helpers.go"), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	return in.mutants, nil
}

// An instrumenter rewrites files. It inserts text around what it finds and
// leaves the rest, line breaks included, as it is. Whatever encloses another is
// visited first, so at one place its prefix comes first and its suffix last.
type instrumenter struct {
	fset    *token.FileSet
	info    *types.Info
	mutants []*mutant
	seen    map[string]int // by key

	pkg      string
	file     *token.File
	src      []byte
	stack    []ast.Node
	before   map[int]string // text to insert, by offset
	after    map[int]string
	instead  map[int]string    // of the token at the offset, whose length is in skip
	skip     map[int]int       // bytes left out, by offset
	settled  map[ast.Expr]bool // conditions that are dealt with, constants to leave alone
	required map[ast.Stmt]bool // statements that the function does not compile without
	bound    map[ast.Expr]sides
}

func (in *instrumenter) rewrite(f *ast.File) error {
	in.file = in.fset.File(f.Pos())
	var err error
	if in.src, err = os.ReadFile(in.file.Name()); err != nil {
		return err
	}
	in.before, in.after, in.instead, in.skip = map[int]string{}, map[int]string{}, map[int]string{}, map[int]int{}
	in.settled, in.required, in.bound = map[ast.Expr]bool{}, map[ast.Stmt]bool{}, map[ast.Expr]sides{}
	in.stack = nil
	ast.Inspect(f, func(n ast.Node) bool {
		if n == nil {
			in.stack = in.stack[:len(in.stack)-1]
			return false
		}
		deeper := in.visit(n)
		if deeper {
			in.stack = append(in.stack, n)
		}
		return deeper
	})
	var out strings.Builder
	for i := 0; i <= len(in.src); i++ {
		out.WriteString(in.after[i])
		out.WriteString(in.before[i])
		if n := in.skip[i]; n > 0 {
			out.WriteString(in.instead[i])
			i += n - 1
		} else if i < len(in.src) {
			out.WriteByte(in.src[i])
		}
	}
	return os.WriteFile(in.file.Name(), []byte(out.String()), 0o644)
}

// mutant notes a change at n and returns its number.
func (in *instrumenter) mutant(n ast.Node, format string, args ...any) int {
	line := in.file.Line(n.Pos())
	m := &mutant{
		number: len(in.mutants) + 1, pkg: in.pkg, file: in.pkg + "/" + filepath.Base(in.file.Name()), lineNumber: line,
		function: in.function(), change: fmt.Sprintf(format, args...),
		line: strings.TrimSpace(strings.SplitN(string(in.src[in.file.Offset(in.file.LineStart(line)):]), "\n", 2)[0]),
	}
	in.seen[m.key()]++
	m.nth = in.seen[m.key()]
	in.mutants = append(in.mutants, m)
	return m.number
}

// function names the declaration around the place visited.
func (in *instrumenter) function() string {
	for _, n := range in.stack {
		if f, ok := n.(*ast.FuncDecl); ok {
			if f.Recv == nil {
				return f.Name.Name
			}
			return types.ExprString(f.Recv.List[0].Type) + "." + f.Name.Name
		}
	}
	return "var"
}

func (in *instrumenter) offset(p token.Pos) int { return in.file.Offset(p) }

func (in *instrumenter) wrap(n ast.Node, prefix, suffix string) {
	in.before[in.offset(n.Pos())] += prefix
	end := in.offset(n.End())
	in.after[end] = suffix + in.after[end]
}

func (in *instrumenter) replace(at token.Pos, old, text string) {
	in.instead[in.offset(at)], in.skip[in.offset(at)] = text, len(old)
}

// text returns n on one line, cut where it is long.
func (in *instrumenter) text(n ast.Node) string {
	s := strings.Join(strings.Fields(string(in.src[in.offset(n.Pos()):in.offset(n.End())])), " ")
	if len(s) > 80 {
		s = s[:80] + "..."
	}
	return s
}
