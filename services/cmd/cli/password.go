package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"trunkline/services/platform/secret"
)

const maxPassword = 64

func passwordFlag(cmd *cobra.Command) *string {
	file := cmd.Flags().String("password-file", "", "`FILE` with the SMPP password, - for standard input; a terminal is asked otherwise")
	return file
}

// readPassword takes the password from a file or standard input, or asks for it twice on a terminal. It is no
// flag, because flags are seen by every user of the machine. One line end at its end does not count.
func readPassword(cmd *cobra.Command, file string) (secret.Text, error) {
	var text []byte
	var err error
	switch {
	case file == "-":
		text, err = io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxPassword+3))
	case file != "":
		text, err = readSmall(file)
	default:
		text, err = askPassword(cmd)
	}
	if err != nil {
		return secret.Text{}, err
	}
	text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
	if len(text) == 0 || len(text) > maxPassword {
		return secret.Text{}, usagef("--password-file: the password must have 1 to %d characters", maxPassword)
	}
	return secret.New(string(text)), nil
}

func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("--password-file: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxPassword+3))
	return text, errors.Join(err, f.Close())
}

func askPassword(cmd *cobra.Command) ([]byte, error) {
	in, isFile := cmd.InOrStdin().(*os.File)
	if !isFile || !term.IsTerminal(int(in.Fd())) {
		return nil, usagef("give the password by --password-file FILE, or --password-file - for standard input")
	}
	ask := func(prompt string) ([]byte, error) {
		if err := printf(cmd.ErrOrStderr(), "%s: ", prompt); err != nil {
			return nil, err
		}
		text, err := term.ReadPassword(int(in.Fd()))
		return text, errors.Join(err, printf(cmd.ErrOrStderr(), "\n"))
	}
	first, err := ask("SMPP password")
	if err != nil {
		return nil, err
	}
	second, err := ask("Again")
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(first, second) {
		return nil, usagef("the two passwords differ: nothing was sent")
	}
	return first, nil
}
