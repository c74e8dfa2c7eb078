// Package repotest has tests of the repository's own order: which package may
// import which, and that the README's code is code.
package repotest

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	root   = "../.."
	module = "github.com/seed-12ed5b1c/jwtguard/"
	jwx    = "github.com/lestrrat-go/jwx"
)

// A pkg is what go list says of a package.
type pkg struct {
	ImportPath, Dir                    string
	GoFiles                            []string
	Imports, TestImports, XTestImports []string
}

func packages(t *testing.T) map[string]pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	require.NoError(t, err)
	all := make(map[string]pkg)
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p pkg
		require.NoError(t, dec.Decode(&p))
		all[strings.TrimPrefix(p.ImportPath, module)] = p
	}
	require.Contains(t, all, "verifier")
	return all
}

// ours keeps the imports within this module, without its name.
func ours(imports []string) (short []string) {
	for _, i := range imports {
		if rest, ok := strings.CutPrefix(i, module); ok {
			short = append(short, rest)
		}
	}
	return short
}

// foreign keeps the imports that are neither ours nor the standard library's.
func foreign(imports []string) (far []string) {
	for _, i := range imports {
		if strings.Contains(i, ".") && !strings.HasPrefix(i, module) {
			far = append(far, i)
		}
	}
	return far
}

func TestArrows(t *testing.T) {
	all := packages(t)
	for name, may := range map[string][]string{
		"jwkscache":             {"internal/jose", "internal/peer"},
		"verifier":              {"internal/ascii", "internal/jose", "internal/peer", "internal/tokenclaims", "jwkscache"},
		"verifier/dpop":         {"internal/ascii", "internal/jose", "internal/peer", "verifier"},
		"verifier/mtls":         {"internal/peer", "verifier"},
		"verifier/revocation":   {"verifier"},
		"verifier/ssf":          {"internal/ascii", "internal/jose", "jwkscache", "verifier", "verifier/revocation"},
		"internal/peer":         nil,
		"verifier/providers":    {"internal/tokenclaims", "jwkscache", "verifier"},
		"verifier/verifiertest": {"internal/authserver", "internal/dpopkey", "jwkscache", "verifier"},
		"cmd/jwtguard":          {"internal/ascii", "internal/authserver", "internal/dpopkey", "internal/peer", "jwkscache", "verifier", "verifier/providers"},
		"adapters/httpauth":     {"verifier"},
		"adapters/echoauth":     {"verifier"},
		"adapters/ginauth":      {"verifier"},
		"adapters/statuspage":   {"jwkscache", "verifier"},
		"internal/ascii":        nil,
		"internal/authserver":   nil,
		"internal/dpopkey":      nil,
		"internal/jose":         nil,
		"internal/jwttest":      nil,
		"internal/tokenclaims":  nil,
	} {
		require.Contains(t, all, name)
		assert.Subset(t, may, ours(all[name].Imports), name)
	}
	for name, p := range all {
		assert.NotContains(t, p.Imports, module+"internal/conformance", "%s: it is for tests", name)
		if name != "internal/conformance" {
			assert.NotContains(t, p.Imports, module+"internal/jwttest", "%s: it is for tests", name)
		}
	}
	const jsonLibrary = "github.com/go-json-experiment/json"
	for name, may := range map[string][]string{
		"jwkscache":           {jwx + "/v2/jwk", jsonLibrary, jsonLibrary + "/jsontext"},
		"verifier":            {jsonLibrary, jsonLibrary + "/jsontext", jsonLibrary + "/v1", "github.com/maypok86/otter/v2"},
		"verifier/dpop":       nil,
		"verifier/mtls":       nil,
		"verifier/revocation": nil,
		"verifier/ssf":        nil,
		"verifier/providers":  nil,
		"cmd/jwtguard":        {jsonLibrary, jsonLibrary + "/jsontext"},
		"internal/jose":       nil,
		"internal/jwttest":    nil,
		"adapters/httpauth":   nil,
		"adapters/echoauth":   {"github.com/labstack/echo/v4"},
		"adapters/ginauth":    {"github.com/gin-gonic/gin"},
		"adapters/statuspage": nil,
		"internal/authserver": {jwx + "/v2/jwa", jwx + "/v2/jwk", jwx + "/v2/jws"},
	} {
		assert.Subset(t, may, foreign(all[name].Imports), name)
	}
}

// Whoever runs go mod tidy over a program that imports httpauth also resolves
// the tests of the packages it imports: a framework there would reach their
// go.sum.
func TestNoFrameworkReachesUsersOfHTTPAuth(t *testing.T) {
	all := packages(t)
	for _, name := range []string{"jwkscache", "verifier", "verifier/dpop", "verifier/mtls", "verifier/providers", "verifier/revocation", "verifier/ssf", "adapters/httpauth"} {
		p := all[name]
		for _, i := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			assert.NotRegexp(t, `gin-gonic|labstack|echoauth|ginauth`, i, name)
		}
	}
}

// jwx parses keys in one file, and none of its types is in an exported
// declaration there.
func TestIndoors(t *testing.T) {
	all := packages(t)
	who := func(name, path string) (files []string) {
		for _, f := range all[name].GoFiles {
			text, err := os.ReadFile(filepath.Join(all[name].Dir, f))
			require.NoError(t, err)
			if strings.Contains(string(text), `"`+path) {
				files = append(files, f)
			}
		}
		return files
	}
	assert.Equal(t, []string{"jwk.go"}, who("jwkscache", jwx))
	for name := range all {
		if name != "jwkscache" && name != "internal/authserver" {
			assert.Empty(t, who(name, jwx), name)
		}
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "jwkscache", "jwk.go"), nil, 0)
	require.NoError(t, err)
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			assert.False(t, d.Name.IsExported(), d.Name.Name)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if ts, ok := spec.(*ast.TypeSpec); ok {
					assert.False(t, ts.Name.IsExported(), ts.Name.Name)
				}
			}
		}
	}
}

// Every exported name of the public packages has a doc comment, and each of
// these packages a doc.go to begin with.
func TestExportedNamesAreDocumented(t *testing.T) {
	all := packages(t)
	for _, name := range []string{
		"verifier", "verifier/providers", "verifier/ssf", "verifier/verifiertest", "jwkscache", "adapters/httpauth", "adapters/echoauth", "adapters/ginauth",
		"adapters/statuspage",
	} {
		assert.Contains(t, all[name].GoFiles, "doc.go", name)
		for _, f := range all[name].GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(all[name].Dir, f), nil, parser.ParseComments)
			require.NoError(t, err)
			for _, d := range file.Decls {
				for _, missing := range undocumented(d) {
					t.Errorf("%s/%s: %s has no doc comment", name, f, missing)
				}
			}
		}
	}
}

// undocumented returns the exported names of d that have no comment of their
// own or of their group; methods of unexported types are not asked.
func undocumented(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && (d.Recv == nil || ast.IsExported(receiver(d))) {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
					names = append(names, s.Name.Name)
				}
			case *ast.ValueSpec:
				if s.Names[0].IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
					names = append(names, s.Names[0].Name)
				}
			}
		}
	}
	return names
}

func receiver(d *ast.FuncDecl) string {
	switch t := d.Recv.List[0].Type.(type) {
	case *ast.StarExpr:
		if id, ok := t.X.(*ast.Ident); ok {
			return id.Name
		}
	case *ast.Ident:
		return t.Name
	}
	return ""
}

// Adapters that are modules of their own import what every user may import, and
// document what they export. Their tests may run package conformance, and their
// examples have exampletb.
func TestAdaptersInModulesOfTheirOwn(t *testing.T) {
	modules, err := filepath.Glob(filepath.Join(root, "adapters", "*", "go.mod"))
	require.NoError(t, err)
	require.NotEmpty(t, modules)
	for _, m := range modules {
		dir := filepath.Dir(m)
		assert.FileExists(t, filepath.Join(dir, "doc.go"))
		sources, err := filepath.Glob(filepath.Join(dir, "*.go"))
		require.NoError(t, err)
		for _, path := range sources {
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
			require.NoError(t, err)
			test := strings.HasSuffix(path, "_test.go")
			for _, i := range file.Imports {
				name := strings.Trim(i.Path.Value, `"`)
				if !test || name != module+"internal/conformance" && name != module+"internal/exampletb" {
					assert.NotContains(t, name, module+"internal/", path)
				}
				if rest, ok := strings.CutPrefix(name, module); ok && !test {
					assert.Contains(t, []string{"verifier", "verifier/dpop", "verifier/revocation", "jwkscache", "adapters/httpauth"}, rest, path)
				}
			}
			for _, d := range file.Decls {
				if names := undocumented(d); !test {
					assert.Empty(t, names, "%s: no doc comment", path)
				}
			}
		}
	}
}
