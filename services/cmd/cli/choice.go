package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// choice is a flag that takes one of a few words.
type choice struct {
	value   string
	allowed []string
}

// String returns the word.
func (c *choice) String() string { return c.value }

// Type is what help shows as the placeholder.
func (c *choice) Type() string { return strings.Join(c.allowed, "|") }

// Set takes a word in any case.
func (c *choice) Set(text string) error {
	word := strings.ToLower(text)
	if !slices.Contains(c.allowed, word) {
		return fmt.Errorf("choose %s", alternatives(c.allowed))
	}
	c.value = word
	return nil
}

func alternatives(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// choiceFlag adds a flag with completion. The first allowed word is the default.
func choiceFlag(cmd *cobra.Command, name, short, usage string, allowed ...string) *choice {
	c := &choice{value: allowed[0], allowed: allowed}
	cmd.Flags().VarP(c, name, short, usage)
	// It fails only for a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(allowed, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// Forms of output.
const (
	formTable = "table"
	formJSON  = "json"
	formJSONL = "jsonl"
	formCSV   = "csv"
)

func outputFlag(cmd *cobra.Command, allowed ...string) *choice {
	return choiceFlag(cmd, "output", "o", "form of the answer", allowed...)
}
