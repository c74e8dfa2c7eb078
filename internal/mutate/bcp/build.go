package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A mutant is a change that breaks one or several points.
type mutant struct {
	points   []string
	tests    []string // that fail because of it: pkg.TestName, with the last element of the package's path
	file     string   // within the module
	old, new string   // within the body of a function
}

func (m *mutant) String() string { return strings.Join(m.points, ", ") + " in " + m.file }

// packages are those that have the tests, by the name that mutants use.
var packages = map[string]string{
	"verifier":  "verifier",
	"jwkscache": "jwkscache",
	"jose":      "internal/jose",
	"adapters":  "adapters",
	"dpop":      "verifier/dpop",
	"mtls":      "verifier/mtls",
}

// writeMutants writes the files with mutants to dir, and returns the name of the file for
// -overlay.
func writeMutants(root, dir string, mutants []mutant) (config string, err error) {
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	add := func(name, text string) error {
		made := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		overlay.Replace[filepath.Join(root, name)] = made
		return os.WriteFile(made, []byte(text), 0o600)
	}
	var files []string
	for _, m := range mutants {
		files = append(files, m.file)
	}
	slices.Sort(files)
	for _, file := range slices.Compact(files) {
		source, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			return "", err
		}
		pkg, text, err := mutate(file, string(source), mutants)
		if err != nil {
			return "", err
		}
		chosen := "package " + pkg + "\n\nimport bcpos \"os\"\n\nvar bcpMutant = bcpos.Getenv(\"BCP_MUTANT\")\n"
		if err := errors.Join(add(file, text), add(filepath.Dir(file)+"/bcp_mutant.go", chosen)); err != nil {
			return "", err
		}
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	config = filepath.Join(dir, "overlay.json")
	return config, os.WriteFile(config, text, 0o600)
}

// build compiles the tests that the mutants name into dir.
func build(ctx context.Context, root, dir, config string, mutants []mutant) (*tests, error) {
	t := &tests{root: root, binaries: map[string]string{}}
	for _, m := range mutants {
		t.names = append(t.names, m.tests...)
	}
	slices.Sort(t.names)
	t.names = slices.Compact(t.names)
	for _, name := range t.names {
		pkg, _, _ := strings.Cut(name, ".")
		if packages[pkg] == "" || t.binaries[pkg] != "" {
			continue // try has an error for an unknown package
		}
		t.binaries[pkg] = filepath.Join(dir, pkg+".test")
		cmd := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", config, "-o", t.binaries[pkg], "./"+packages[pkg])
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "GOWORK=off") // the module as its users have it
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s does not compile with its mutants: %w\n%s", pkg, err, out)
		}
	}
	return t, nil
}

// mutate returns the name of the file's package and the source with its mutants.
func mutate(file, source string, mutants []mutant) (pkg, text string, err error) {
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, file, source, parser.SkipObjectResolution)
	if err != nil {
		return "", "", err
	}
	offset := func(p token.Pos) int { return fset.Position(p).Offset }
	copies := map[int]string{} // to insert, by offset
	for i, m := range mutants {
		if m.file != file {
			continue
		}
		at := strings.Index(source, m.old)
		if n := strings.Count(source, m.old); n != 1 {
			return "", "", fmt.Errorf("%s: %q is there %d times, not once", &m, m.old, n)
		}
		f := around(parsed, func(n ast.Node) bool { return offset(n.Pos()) < at && at+len(m.old) <= offset(n.End()) })
		if f == nil {
			return "", "", fmt.Errorf("%s: %q is not within the body of a function", &m, m.old)
		}
		begin, end := offset(f.Body.Lbrace)+1, offset(f.Body.Rbrace)
		body := source[begin:at] + m.new + source[at+len(m.old):end]
		if f.Type.Results == nil {
			body += "\nreturn\n"
		}
		copies[begin] += fmt.Sprintf("\nif bcpMutant == \"%d\" { // %s\n%s}\n", i+1, &m, body)
	}
	var b strings.Builder
	for i := range len(source) {
		b.WriteString(copies[i])
		b.WriteByte(source[i])
	}
	return parsed.Name.Name, b.String(), nil
}

// around returns the declaration of the function whose body is around the place.
func around(file *ast.File, contains func(ast.Node) bool) *ast.FuncDecl {
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil && contains(f.Body) {
			return f
		}
	}
	return nil
}

// environment makes mutant n the active one, 0 none.
func environment(n int) []string { return append(os.Environ(), "BCP_MUTANT="+strconv.Itoa(n)) }
