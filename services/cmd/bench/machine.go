package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// machine is where and when the figures came about. What cannot be found out is "unknown".
type machine struct {
	cpu, memory, kernel, load, revision string
	cores, used                         int
	goVersion                           string
	date                                time.Time
}

const unknown = "unknown"

func thisMachine(ctx context.Context) machine {
	return machine{
		cpu:       fileField("/proc/cpuinfo", "model name"),
		memory:    memory(fileField("/proc/meminfo", "MemTotal")),
		kernel:    runtime.GOOS + " " + firstField("/proc/sys/kernel/osrelease"),
		load:      firstField("/proc/loadavg"),
		revision:  revision(ctx),
		cores:     runtime.NumCPU(),
		used:      runtime.GOMAXPROCS(0),
		goVersion: runtime.Version() + " " + runtime.GOARCH,
		date:      time.Now().UTC(),
	}
}

func (m machine) rows() [][]string {
	return [][]string{
		{"processor", fmt.Sprintf("%s, %d cores (GOMAXPROCS %d)", m.cpu, m.cores, m.used)},
		{"memory", m.memory},
		{"kernel", m.kernel},
		{"Go", m.goVersion},
		{"load before", m.load + " (1 minute average; above 0.5 others were at work too)"},
		{"revision", m.revision},
		{"date", m.date.Format("2006-01-02 15:04 MST")},
	}
}

// fileField finds "name : value" in a file of the kernel.
func fileField(path, name string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return unknown
	}
	return field(string(text), name)
}

func field(text, name string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return unknown
}

func firstField(path string) string {
	text, err := os.ReadFile(path)
	fields := strings.Fields(string(text))
	if err != nil || len(fields) == 0 {
		return unknown
	}
	return fields[0]
}

// memory turns "8123456 kB" into GiB.
func memory(text string) string {
	number, _, _ := strings.Cut(text, " ")
	kib, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return unknown
	}
	return fmt.Sprintf("%.1f GiB", kib/(1<<20))
}

// revision asks git, because go run does not stamp what it builds.
func revision(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "git", "describe", "--tags", "--always", "--dirty").Output()
	if err != nil {
		return unknown
	}
	return strings.TrimSpace(string(out))
}
