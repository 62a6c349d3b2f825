// Command words checks the text files of the repository for things that should not be committed: paths of
// somebody's machine, hosts of package registries, and marks of unfinished work.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// rule is a pattern that no line may match, outside the files that are excused.
type rule struct {
	pattern *regexp.Regexp
	reason  string
	excused *regexp.Regexp // by path; nil excuses none
}

var rules = []rule{
	{
		pattern: regexp.MustCompile(`(?:^|[^\w.\-~/})])/(?:home|root|work|Users)/`),
		reason:  "a path of one machine; make it relative, or a flag or variable",
		excused: regexp.MustCompile(`(?:^|/)Dockerfile[^/]*$`), // paths in an image are nobody's machine
	},
	{
		pattern: regexp.MustCompile(`registry\.npmjs\.org|registry\.yarnpkg\.com|proxy\.golang\.org|sum\.golang\.org|"resolved": "http`),
		reason:  "the host of a package registry; let each machine use its own",
	},
	{
		pattern: regexp.MustCompile(`\b(?:TODO|FIXME)\b`),
		reason:  "a mark of unfinished work; finish it, or write down the limit where users read it",
	},
}

// skipped are generated files, and this checker, which has to name what it looks for.
var skipped = regexp.MustCompile(`^gen/|^tools/check/words/`)

func main() {
	root := flag.String("root", ".", "folder of the repository")
	flag.Parse()
	if err := run(*root, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "words:", err)
		os.Exit(1)
	}
}

// run checks every file that git knows or would add.
func run(root string, out io.Writer) error {
	cmd := exec.CommandContext(context.Background(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	cmd.Stderr = os.Stderr
	names, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("git ls-files: %w", err)
	}
	found := 0
	for name := range strings.SplitSeq(strings.TrimRight(string(names), "\x00"), "\x00") {
		if name == "" || skipped.MatchString(name) {
			continue
		}
		path := filepath.Join(root, name)
		if info, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			continue // deleted but not yet committed, or a link
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found += check(name, text, out)
	}
	if found > 0 {
		return fmt.Errorf("%d lines hold something that should not be committed", found)
	}
	return nil
}

// check writes one line for each rule that a line of the file breaks, and gives their number. Binary files break none.
func check(name string, text []byte, out io.Writer) int {
	if bytes.IndexByte(text, 0) >= 0 {
		return 0
	}
	found, number := 0, 0
	for line := range bytes.Lines(text) {
		number++
		for _, r := range rules {
			match := r.pattern.Find(line)
			if match == nil || r.excused != nil && r.excused.MatchString(name) {
				continue
			}
			fmt.Fprintf(out, "%s:%d: %q is %s\n", name, number, bytes.TrimSpace(match), r.reason)
			found++
		}
	}
	return found
}
