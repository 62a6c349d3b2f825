package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree writes a module with the files given by path.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	files["go.mod"] = "module trunkline\n\ngo 1.26\n"
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestRunNamesFileImportRuleAndRemedy(t *testing.T) {
	root := tree(t, map[string]string{
		"services/operators/operator.go": "package operators\n",
		"services/routing/table.go":      "package routing\n\nimport _ \"trunkline/services/operators\"\n",
	})
	var out strings.Builder
	err := run(root, &out)
	if err == nil || !strings.Contains(err.Error(), "1 imports break the rules") {
		t.Fatalf("got error %v", err)
	}
	for _, want := range []string{
		"services/routing/table.go:3 imports trunkline/services/operators\n",
		"rule:    services never import each other",
		"instead: call it through the generated client",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output lacks %q:\n%s", want, out.String())
		}
	}
}

func TestRunSeesFilesBehindBuildTags(t *testing.T) {
	root := tree(t, map[string]string{
		"services/operators/operator.go":  "package operators\n",
		"services/routing/doc.go":         "package routing\n",
		"services/routing/pact_test.go":   "//go:build pact\n\npackage routing\n\nimport _ \"trunkline/services/operators\"\n",
		"services/routing/rpc/windows.go": "//go:build windows\n\npackage rpc\n\nimport _ \"trunkline/services/operators\"\n",
		"services/routing/rpc/rpc.go":     "package rpc\n",
	})
	var out strings.Builder
	err := run(root, &out)
	if err == nil || !strings.Contains(err.Error(), "2 imports") {
		t.Fatalf("got error %v and\n%s", err, out.String())
	}
}

func TestRunLeavesGeneratedCodeAndNodeModulesAlone(t *testing.T) {
	root := tree(t, map[string]string{
		"services/operators/operator.go":             "package operators\n",
		"gen/go/x/x.go":                              "package x\n\nimport _ \"trunkline/services/operators\"\n",
		"services/console/node_modules/flat/flat.go": "package flat\n\nimport _ \"trunkline/services/operators\"\n",
	})
	var out strings.Builder
	if err := run(root, &out); err != nil {
		t.Fatalf("got error %v and\n%s", err, out.String())
	}
}
