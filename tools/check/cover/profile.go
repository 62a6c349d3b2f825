package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
)

// block is a stretch of source that runs as a whole: file:from,to as the profile writes it.
type block string

// count says how many statements a block has, and whether any test ran it.
type count struct {
	statements int
	covered    bool
}

// profile is the union of coverage profiles.
type profile map[block]count

// tally sums the blocks of a package.
type tally struct {
	covered, statements int
}

// percent is the covered share, 0 to 100; 0 where there is no statement at all.
func (t tally) percent() float64 {
	if t.statements == 0 {
		return 0
	}
	return 100 * float64(t.covered) / float64(t.statements)
}

func (p profile) readFile(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := p.read(file); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// read adds one profile: a mode line, then lines of "file:from,to statements count".
func (p profile) read(r io.Reader) error {
	scanner := bufio.NewScanner(r)
	for scanner.Scan() {
		line := scanner.Text()
		if strings.HasPrefix(line, "mode: ") {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) != 3 {
			return fmt.Errorf("not a line of a profile: %q", line)
		}
		statements, err := strconv.Atoi(fields[1])
		if err != nil {
			return fmt.Errorf("not a line of a profile: %q", line)
		}
		b := block(fields[0])
		p[b] = count{statements, p[b].covered || fields[2] != "0"}
	}
	return scanner.Err()
}

// byPackage sums by import path.
func (p profile) byPackage() map[string]tally {
	packages := map[string]tally{}
	for b, c := range p {
		file, _, _ := strings.Cut(string(b), ":")
		name := path.Dir(file)
		t := packages[name]
		t.statements += c.statements
		if c.covered {
			t.covered += c.statements
		}
		packages[name] = t
	}
	return packages
}
