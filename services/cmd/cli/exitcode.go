package cli

import (
	"context"
	"errors"
	"syscall"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
)

// Exit codes. Scripts depend on them: they do not change.
const (
	ExitOK          = 0
	ExitFailed      = 1
	ExitUsage       = 2
	ExitInvalid     = 3
	ExitNotFound    = 4
	ExitUnavailable = 5
	ExitConflict    = 6
	ExitDenied      = 7
	ExitInterrupted = 130
	ExitPipe        = 141
)

func exitCodesTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "Exit codes of all commands",
		Long: `Exit codes:

    0  the command did what was asked
    1  it failed: an internal error, or a file that could not be read or written
    2  wrong usage: unknown command or flag, missing or malformed argument, a setting that is not valid
    3  invalid input: the server refused a value (INVALID_ARGUMENT), or a file has bad lines
    4  not found: no rule matches the number (NO_ROUTE), or the named thing does not exist
    5  unavailable: no usable operator, overload, no answer in time, or the server cannot be reached
    6  conflict: it exists already, or the state does not allow it
       (ALREADY_EXISTS, ABORTED, FAILED_PRECONDITION)
    7  denied: no valid credential, or one that does not allow this
  130  interrupted by Ctrl-C or SIGTERM
  141  whoever read the output stopped reading

routes select:
  With one NUMBER the code tells the answer. With several, it is that of the first that has no
  operator. With --file or - it is 0 when every line was answered, also when some answers are errors:
  each such line has an error of its own, and a summary on stderr counts them.

routes explain:
  A number without a route is explained too, so the code is 0.

import:
  With bad lines the code is 3 and nothing is stored, also with --dry-run.

releases publish, releases rollback:
  They are 0 when every engine that was heard of serves it, and also when none was heard of. When an
  engine refused it the code is 1; when one did not answer in time it is 5. In both it is published.

releases replay:
  The code is 3 when nothing of --numbers FILE can be read. With --fail-on-lost it is 3 too when any
  decision loses its route, and when nothing was replayed.`,
	}
}

var codeExits = map[connect.Code]int{
	connect.CodeCanceled:           ExitInterrupted,
	connect.CodeInvalidArgument:    ExitInvalid,
	connect.CodeOutOfRange:         ExitInvalid,
	connect.CodeNotFound:           ExitNotFound,
	connect.CodeUnavailable:        ExitUnavailable,
	connect.CodeDeadlineExceeded:   ExitUnavailable,
	connect.CodeResourceExhausted:  ExitUnavailable,
	connect.CodeAlreadyExists:      ExitConflict,
	connect.CodeAborted:            ExitConflict,
	connect.CodeFailedPrecondition: ExitConflict,
	connect.CodePermissionDenied:   ExitDenied,
	connect.CodeUnauthenticated:    ExitDenied,
}

// codeByName finds the exit code of a Connect code in lower case, such as not_found.
func codeByName(name string) int {
	var code connect.Code
	if err := code.UnmarshalText([]byte(name)); err != nil {
		return ExitFailed
	}
	return exitOf(code)
}

func exitOf(code connect.Code) int {
	if exit, known := codeExits[code]; known {
		return exit
	}
	return ExitFailed
}

// exitCode finds the exit code of what a command returned.
func exitCode(err error) int {
	var own *failure
	var ce *connect.Error
	var f *fault.Fault
	var settings *config.Error
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &own):
		return own.exit
	case errors.As(err, &settings):
		return ExitUsage
	case errors.As(err, &ce):
		return exitOf(ce.Code())
	// Only now: a server that went away breaks a pipe too, inside the errors above.
	case errors.Is(err, syscall.EPIPE):
		return ExitPipe
	case errors.As(err, &f):
		return codeByName(connectName(f.Kind))
	case errors.Is(err, context.Canceled):
		return ExitInterrupted
	case errors.Is(err, context.DeadlineExceeded):
		return ExitUnavailable
	}
	return ExitFailed
}
