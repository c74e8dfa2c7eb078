package kubernetes_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// A cluster has all documents of the manifests, by their kind.
type cluster struct {
	namespaces   []*core.Namespace
	configMaps   []*core.ConfigMap
	accounts     []*core.ServiceAccount
	services     []*core.Service
	deployments  []*apps.Deployment
	statefulSets []*apps.StatefulSet
	budgets      []*policy.PodDisruptionBudget
	autoscalers  []*autoscaling.HorizontalPodAutoscaler
	policies     []*networking.NetworkPolicy

	names map[string]bool // kind/name of each
}

// decode reads manifests, by file name, as the API server does with strict validation:
// fields that are unknown, repeated or written in another case are errors.
func decode(files map[string]string) (*cluster, error) {
	c := &cluster{names: make(map[string]bool)}
	for file, text := range files {
		for i, document := range regexp.MustCompile(`(?m)^---\n`).Split(text, -1) {
			if err := c.add([]byte(document)); err != nil {
				return nil, fmt.Errorf("%s, document %d: %w", file, i+1, err)
			}
		}
	}
	return c, nil
}

func (c *cluster) add(document []byte) error {
	var kind struct {
		meta.TypeMeta   `json:",inline"`
		meta.ObjectMeta `json:"metadata"`
	}
	if err := yaml.Unmarshal(document, &kind); err != nil {
		return err
	}
	if id := kind.Kind + "/" + kind.Name; c.names[id] || kind.Name == "" {
		return fmt.Errorf("there is another %s, or it has no name", id)
	}
	c.names[kind.Kind+"/"+kind.Name] = true
	switch kind.APIVersion + " " + kind.Kind {
	case "v1 Namespace":
		return strict(document, &c.namespaces)
	case "v1 ConfigMap":
		return strict(document, &c.configMaps)
	case "v1 ServiceAccount":
		return strict(document, &c.accounts)
	case "v1 Service":
		return strict(document, &c.services)
	case "apps/v1 Deployment":
		return strict(document, &c.deployments)
	case "apps/v1 StatefulSet":
		return strict(document, &c.statefulSets)
	case "policy/v1 PodDisruptionBudget":
		return strict(document, &c.budgets)
	case "autoscaling/v2 HorizontalPodAutoscaler":
		return strict(document, &c.autoscalers)
	case "networking.k8s.io/v1 NetworkPolicy":
		return strict(document, &c.policies)
	}
	return fmt.Errorf("unexpected %s of %s", kind.Kind, kind.APIVersion)
}

func strict[T any](document []byte, into *[]*T) error {
	one := new(T)
	text, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return err
	}
	unknown, err := json.UnmarshalStrict(text, one)
	if err := errors.Join(append(unknown, err)...); err != nil {
		return err
	}
	*into = append(*into, one)
	return nil
}

// A workload is what a Deployment and a StatefulSet have in common.
type workload struct {
	name      string
	namespace string
	selector  *meta.LabelSelector
	pod       core.PodTemplateSpec
}

func (c *cluster) workloads() (all []workload) {
	for _, d := range c.deployments {
		all = append(all, workload{d.Name, d.Namespace, d.Spec.Selector, d.Spec.Template})
	}
	for _, s := range c.statefulSets {
		all = append(all, workload{s.Name, s.Namespace, s.Spec.Selector, s.Spec.Template})
	}
	return all
}

// manifests returns the text of each .yaml file.
func manifests(t *testing.T) map[string]string {
	t.Helper()
	files := make(map[string]string)
	paths, err := filepath.Glob("*.yaml")
	require.NoError(t, err)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		files[path] = string(text)
	}
	require.NotEmpty(t, files)
	return files
}

// A program is what the manifests must fit.
type program struct {
	variables map[string]bool // that it reads from the environment
	paths     map[string]bool // that it serves
}

// readProgram finds the calls of os.Getenv and Handle in the source of the API.
func readProgram(t *testing.T) program {
	t.Helper()
	p := program{variables: make(map[string]bool), paths: make(map[string]bool)}
	sources, err := filepath.Glob("../api/*.go")
	require.NoError(t, err)
	for _, path := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			f, isMethod := call.Fun.(*ast.SelectorExpr)
			literal, isLiteral := call.Args[0].(*ast.BasicLit)
			if !isMethod || !isLiteral || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			switch f.Sel.Name {
			case "Getenv":
				p.variables[text] = true
			case "Handle", "HandleFunc":
				p.paths[strings.TrimPrefix(text, "GET ")] = true
			}
			return true
		})
	}
	require.NotEmpty(t, p.variables)
	return p
}
