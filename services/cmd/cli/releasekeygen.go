package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"trunkline/services/platform/release"
)

func releaseKeygenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keygen",
		Short: "Make the key that releases are signed with",
		Long: `Make the key that releases are signed with. The secret part goes into a new file that only you can read: give it to
operator-management as operators.releases.signing_key. The public part is printed: give it to every engine in
engine.release.public_keys. It asks no server.`,
		Example:           "  trunkline releases keygen --file release.key",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	file := cmd.Flags().String("file", "", "the new `FILE` for the secret part")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *file == "" {
			return usagef("--file: name the new file for the secret part")
		}
		public, err := newSigningKey(*file)
		if errors.Is(err, os.ErrExist) {
			return failf(ExitConflict, "--file: %s is there already: releases may be signed with it", clean(*file))
		}
		if err != nil {
			return err
		}
		return printf(cmd.OutOrStdout(), "%s\n", public)
	}
	return cmd
}

// newSigningKey writes the secret part into a new file and gives the public one.
func newSigningKey(file string) (public string, err error) {
	seed, public := release.GenerateKey()
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("--file: %w", err)
	}
	_, err = f.WriteString(seed + "\n")
	return public, errors.Join(err, f.Close())
}
