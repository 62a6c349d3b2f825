package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// profiles writes each text as a profile of its own and gives the folder.
func profiles(t *testing.T, texts ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i, text := range texts {
		name := filepath.Join(dir, string(rune('a'+i))+".out")
		if err := os.WriteFile(name, []byte("mode: atomic\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestRun(t *testing.T) {
	const routing = "trunkline/services/routing/table.go:1.1,2.2 95 1\ntrunkline/services/routing/table.go:3.1,4.2 5 0\n"
	floors := []floor{{"", 80}, {"trunkline/services/routing", 95}}
	cases := []struct {
		name  string
		files []string
		want  string // part of the output
		fails bool
	}{
		{"floors that are just met pass", []string{routing}, "95.0 %     100 statements  total", false},
		{
			"a total below its floor fails",
			[]string{routing + "trunkline/services/smpp/session.go:1.1,2.2 100 0\n"},
			"the total has 47.5 %", true,
		},
		{
			"a package below its own floor fails though the total is high",
			[]string{"trunkline/services/routing/table.go:1.1,2.2 94 1\ntrunkline/services/routing/table.go:3.1,4.2 6 0\n"},
			"trunkline/services/routing has 94.0 %", true,
		},
		{"a package that is absent misses its floor", []string{"trunkline/services/smpp/s.go:1.1,2.2 1 1\n"}, "trunkline/services/routing has 0.0 %", true},
		{
			"a block covered in any profile is covered and counts once",
			[]string{routing + "trunkline/services/smpp/s.go:1.1,2.2 100 0\n", "trunkline/services/smpp/s.go:1.1,2.2 100 7\n"},
			"97.5 %     200 statements  total", false,
		},
		{
			"generated code, test support and developer tools do not count",
			[]string{routing + "trunkline/gen/go/x/x.go:1.1,2.2 100 0\n" +
				"trunkline/services/platform/redistest/r.go:1.1,2.2 100 0\n" +
				"trunkline/services/platform/rpcserver/rpcservertest/r.go:1.1,2.2 100 0\n" +
				"trunkline/services/platform/natstest/process/p.go:1.1,2.2 100 0\n" +
				"trunkline/services/operators/storetest/s.go:1.1,2.2 100 0\n" +
				"trunkline/services/cmd/bench/b.go:1.1,2.2 100 0\n"},
			"95.0 %     100 statements  total", false,
		},
		{"a broken profile fails", []string{"what is this\n"}, "", true},
		{"no profile fails", nil, "", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			err := run(profiles(t, c.files...), floors, &out)
			if (err != nil) != c.fails {
				t.Errorf("got error %v", err)
			}
			if !strings.Contains(out.String(), c.want) {
				t.Errorf("output lacks %q:\n%s", c.want, out.String())
			}
		})
	}
}

func TestAFolderIsJudgedWithWhatIsBelowIt(t *testing.T) {
	const access = "trunkline/services/access/key.go:1.1,2.2 40 0\ntrunkline/services/access/rpc/k.go:1.1,2.2 40 1\n" +
		"trunkline/services/access/accesstest/a.go:1.1,2.2 100 0\ntrunkline/services/accessible/a.go:1.1,2.2 300 1\n"
	floors := []floor{{"trunkline/services/access/...", 50}}
	var out strings.Builder
	if err := run(profiles(t, access), floors, &out); err != nil {
		t.Errorf("just met, without test support and neighbours: %v", err)
	}
	if err := run(profiles(t, access+"trunkline/services/access/x.go:1.1,2.2 1 0\n"), floors, &out); err == nil {
		t.Error("below its floor it passes")
	}
	if !strings.Contains(out.String(), "trunkline/services/access/... has 49.4 %") {
		t.Errorf("what was missed is not told:\n%s", out.String())
	}
}
