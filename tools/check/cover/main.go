// Command cover joins coverage profiles, prints a table by package and fails below the floors.
//
// A statement counts once, and as covered when any profile covers it. Not counted: generated code, test support
// (packages whose name ends in test) and the developers' tools.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// uncounted are the packages that tests are not about.
var uncounted = regexp.MustCompile(`^trunkline/gen/|^trunkline/services/.*test(?:/|$)|^trunkline/services/cmd/bench(?:/|$)`)

// floor is the least share of statements, in percent, that a package must cover. An empty package is the total; one that
// ends in /... is it and everything below it, together.
type floor struct {
	pkg     string
	percent float64
}

var floors = []floor{
	{"", 80},
	// The decision itself.
	{"trunkline/services/routing", 95},
	// Who keeps prices and passwords, and who lets callers in.
	{"trunkline/services/operators/...", 90},
	{"trunkline/services/access/...", 90},
}

func main() {
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: cover FOLDER, which holds the profiles as *.out")
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0), floors, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cover:", err)
		os.Exit(1)
	}
}

// run reads every profile in dir.
func run(dir string, floors []floor, out io.Writer) error {
	names, err := filepath.Glob(filepath.Join(dir, "*.out"))
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("there is no profile in %s", dir)
	}
	p := profile{}
	for _, name := range names {
		if err := p.readFile(name); err != nil {
			return err
		}
	}
	return report(p.byPackage(), floors, out)
}

// report writes the table and says which floors were missed.
func report(packages map[string]tally, floors []floor, out io.Writer) error {
	var total tally
	var names []string
	for name, t := range packages {
		if uncounted.MatchString(name) {
			continue
		}
		names = append(names, name)
		total.covered += t.covered
		total.statements += t.statements
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(out, "%6.1f %%  %6d statements  %s\n", packages[name].percent(), packages[name].statements, name)
	}
	fmt.Fprintf(out, "%6.1f %%  %6d statements  total\n", total.percent(), total.statements)

	missed := 0
	for _, f := range floors {
		got, name := total, "the total"
		if root, tree := strings.CutSuffix(f.pkg, "/..."); tree {
			got, name = below(packages, root), f.pkg
		} else if f.pkg != "" {
			got, name = packages[f.pkg], f.pkg
		}
		if got.percent() < f.percent {
			fmt.Fprintf(out, "cover: %s has %.1f %%, which is below %.0f %%\n", name, got.percent(), f.percent)
			missed++
		}
	}
	if missed > 0 {
		return fmt.Errorf("coverage is too low; add tests for what the table shows, ./task cover repeats this")
	}
	return nil
}

// below adds up a package and what is below it.
func below(packages map[string]tally, root string) (sum tally) {
	for name, t := range packages {
		if (name == root || strings.HasPrefix(name, root+"/")) && !uncounted.MatchString(name) {
			sum.covered += t.covered
			sum.statements += t.statements
		}
	}
	return sum
}
