package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func main() {
	root := flag.String("root", ".", "folder of the main module")
	flag.Parse()
	if err := run(*root, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "imports:", err)
		os.Exit(1)
	}
}

// run checks every package below root and writes what it found.
func run(root string, out io.Writer) error {
	packages, err := list(root)
	if err != nil {
		return err
	}
	broken := 0
	for _, p := range packages {
		findings, err := p.check(root)
		if err != nil {
			return err
		}
		for _, f := range findings {
			fmt.Fprintf(out, "%s imports %s\n  rule:    %s\n  instead: %s\n", f.place, f.path, f.rule, f.instead)
		}
		broken += len(findings)
	}
	if broken > 0 {
		return fmt.Errorf("%d imports break the rules above; see CONTRIBUTING.md", broken)
	}
	fmt.Fprintf(out, "imports: %d packages follow the rules\n", len(packages))
	return nil
}

// listed is a package as go list describes it.
type listed struct {
	ImportPath     string
	Dir            string
	GoFiles        []string
	CgoFiles       []string
	IgnoredGoFiles []string // other systems and build tags
	TestGoFiles    []string
	XTestGoFiles   []string
}

type finding struct {
	verdict
	place string // file:line
	path  string
}

// list finds the packages that the rules are about. Packages that do not compile are listed too.
func list(root string) ([]listed, error) {
	cmd := exec.CommandContext(context.Background(), "go", "list", "-e",
		"-json=ImportPath,Dir,GoFiles,CgoFiles,IgnoredGoFiles,TestGoFiles,XTestGoFiles", "./...")
	cmd.Dir = root
	cmd.Stderr = os.Stderr
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var packages []listed
	for decoder := json.NewDecoder(strings.NewReader(string(output))); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		// Some npm packages carry Go files.
		if unitOf(p.ImportPath).kind != kindGenerated && !strings.Contains(p.ImportPath, "/node_modules/") {
			packages = append(packages, p)
		}
	}
}

// check applies the rules to every file of the package.
func (p listed) check(root string) ([]finding, error) {
	absolute, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	from := unitOf(p.ImportPath)
	var findings []finding
	for _, name := range slices.Concat(p.GoFiles, p.CgoFiles, p.IgnoredGoFiles, p.TestGoFiles, p.XTestGoFiles) {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, parser.ImportsOnly)
		if err != nil {
			return nil, err
		}
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return nil, err
			}
			v := judge(from, strings.HasSuffix(name, "_test.go"), unitOf(path))
			if v == (verdict{}) {
				continue
			}
			position := files.Position(spec.Pos())
			place := position.Filename
			if relative, err := filepath.Rel(absolute, place); err == nil {
				place = relative
			}
			findings = append(findings, finding{v, fmt.Sprintf("%s:%d", place, position.Line), path})
		}
	}
	return findings, nil
}
