package cli

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"trunkline/services/platform/config"
)

func configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show and check the configuration of a process",
		Long: `Settings come from flags, then environment (TRUNKLINE_ and the key in capitals, or the same with
_FILE naming a file that holds the value), then a YAML file, then defaults.`,
		Args: cobra.NoArgs,
	}
	printCommand := &cobra.Command{
		Use:       "print [PROCESS]",
		Short:     "Print every setting, its value and where it comes from; secrets are hidden",
		Long:      "Print the settings of a process: routing-engine (the default) or operator-management.",
		Example:   "  trunkline config print --config engine.yaml\n  trunkline config print operator-management -o json",
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{processEngine, processManagement},
		RunE: func(cmd *cobra.Command, args []string) error {
			settings, err := settingsOf(cmd, args)
			if err != nil {
				return err
			}
			return printSettings(cmd, settings)
		},
	}
	printCommand.Flags().StringP("output", "o", "table", "form of the answer: table or json")
	validate := &cobra.Command{
		Use:       "validate [PROCESS]",
		Short:     "Check the configuration and say what to fix",
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{processEngine, processManagement},
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := settingsOf(cmd, args); err != nil {
				return err
			}
			note(cmd.OutOrStdout(), "the configuration is valid")
			return nil
		},
	}
	reference := &cobra.Command{
		Use:    "reference",
		Short:  "Print the reference page of all settings as Markdown",
		Args:   cobra.NoArgs,
		Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			note(cmd.OutOrStdout(), "# Settings of routing-engine\n\n%s\n# Settings of operator-management\n\n%s",
				config.Reference(defaultEngineSettings()), config.Reference(defaultManagementSettings()))
			return nil
		},
	}
	for _, sub := range []*cobra.Command{printCommand, validate} {
		addEngineFlags(sub.Flags())
	}
	cmd.AddCommand(printCommand, validate, reference)
	return cmd
}

// settingsOf loads the settings of the process that the arguments name.
func settingsOf(cmd *cobra.Command, args []string) ([]config.Setting, error) {
	if len(args) == 1 && args[0] == processManagement {
		loaded, err := load(cmd, defaultManagementSettings(), managementFlags)
		if err != nil {
			return nil, err
		}
		return loaded.Origins(), nil
	}
	loaded, err := load(cmd, defaultEngineSettings(), engineFlags)
	if err != nil {
		return nil, err
	}
	return loaded.Origins(), nil
}

func printSettings(cmd *cobra.Command, settings []config.Setting) error {
	form, err := cmd.Flags().GetString("output")
	if err != nil {
		return err
	}
	switch form {
	case "json":
		type row struct {
			Key    string `json:"key"`
			Value  string `json:"value"`
			Origin string `json:"origin"`
			Env    string `json:"env"`
			Doc    string `json:"doc"`
		}
		rows := make([]row, len(settings))
		for i, s := range settings {
			rows[i] = row{s.Key, s.Value, fmt.Sprint(s.Origin), s.Env, s.Doc}
		}
		out := json.NewEncoder(cmd.OutOrStdout())
		out.SetIndent("", "  ")
		return out.Encode(rows)
	case "table":
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
		note(w, "KEY\tVALUE\tORIGIN")
		for _, s := range settings {
			note(w, "%s\t%s\t%v", s.Key, s.Value, s.Origin)
		}
		return w.Flush()
	}
	return fmt.Errorf("unknown output %q: choose table or json", form)
}
