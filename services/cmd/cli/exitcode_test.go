package cli

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/fault"
)

func TestABrokenPipeToTheServerIsNoReaderThatStopped(t *testing.T) {
	lost := fmt.Errorf("write tcp: %w", syscall.EPIPE)
	require.Equal(t, ExitPipe, exitCode(lost))
	require.Equal(t, ExitUnavailable, exitCode(connect.NewError(connect.CodeUnavailable, lost)))
	require.Equal(t, ExitUnavailable, exitCode(&failure{exit: ExitUnavailable, cause: lost}))
	require.Equal(t, ExitUnavailable, exitCode(errors.Join(&failure{exit: ExitUnavailable}, lost)))
}

func TestEveryKindOfFaultHasAnExitCode(t *testing.T) {
	for _, kind := range fault.Kinds() {
		exit := exitCode(fault.New(kind, "REASON", "text"))
		require.NotEqual(t, ExitOK, exit, kind)
		failed := kind == fault.Internal || kind == fault.Unimplemented
		require.Equal(t, failed, exit == ExitFailed, "%s must not fall back to the general code", kind)
	}
	require.Equal(t, ExitFailed, codeByName("no_such_code"))
}
