package main

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	cases := []struct {
		name string
		file string
		text string
		want string // part of the output; empty: nothing is found
	}{
		{"a home folder is found with its line", "doc.md", "first\nsee /home/someone/src\n", "doc.md:2: "},
		{"a path at the start of a line is found", "doc.md", "/work/main\n", "a path of one machine"},
		{"a path in quotes is found", "run.sh", `cd "/root/go"`, "a path of one machine"},
		{"part of a longer path is allowed", "doc.md", "open docs/work/plan and $HOME/work/x and https://host/home/\n", ""},
		{"an image has its own paths", "deploy/Dockerfile.engine", "WORKDIR /home/nonroot/\n", ""},
		{"a registry in a lock file is found", "package-lock.json", `"resolved": "https://registry.npmjs.org/x"`, "package registry"},
		{"a mark is found", "main.go", "// TODO: later\n", "unfinished"},
		{"a longer word is no mark", "setup.sh", "TODOS and FIXMEs\n", ""},
		{"binary files are left alone", "logo.png", "\x00TODO", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			found := check(c.file, []byte(c.text), &out)
			if c.want == "" && found != 0 {
				t.Errorf("found %s", out.String())
			}
			if c.want != "" && (found != 1 || !strings.Contains(out.String(), c.want)) {
				t.Errorf("found %d, want one with %q: %s", found, c.want, out.String())
			}
		})
	}
}
