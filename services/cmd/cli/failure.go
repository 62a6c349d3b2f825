package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/services/platform/fault"
)

// failure is the end of a command that people read: what failed, why, what to do.
type failure struct {
	exit    int
	message string
	// lines follow the message, each indented: field violations and the request id.
	lines []string
	// reason is the server's stable reason, or "".
	reason string
	// silent is set when everything was said already.
	silent bool
	cause  error
}

// Error returns the message.
func (f *failure) Error() string { return f.message }

// Unwrap returns the cause, which may be nil.
func (f *failure) Unwrap() error { return f.cause }

func failf(exit int, format string, args ...any) *failure {
	return &failure{exit: exit, message: fmt.Sprintf(format, args...)}
}

func usagef(format string, args ...any) *failure { return failf(ExitUsage, format, args...) }

// said ends a command whose output has told everything.
func said(exit int) error {
	if exit == ExitOK {
		return nil
	}
	return &failure{exit: exit, silent: true}
}

func connectName(k fault.Kind) string { return strings.ToLower(k.String()) }

// advice is what to do about a stable reason or, in lower case, about a code.
var advice = map[string]string{ //nolint:gosec // words about credentials, and none of them
	"NO_ROUTE":            "`trunkline routes explain NUMBER` shows the rules; `trunkline rules import` adds one",
	"NO_USABLE_OPERATOR":  "`trunkline routes explain NUMBER` shows why each operator was refused",
	"MESSAGE_TOO_LARGE":   "send less at once, or raise server.max_message_bytes",
	"FILE_TOO_LARGE":      "split the file; imports add to what is there",
	"IMPORT_RUNNING":      "wait for it to end, then run this one again",
	"CHANGES_BUSY":        "changes queue behind an import of rules or operators: try again in a few seconds",
	"OPERATORS_CHANGED":   "somebody changed operators meanwhile: run the import again",
	"DUPLICATE_OPERATOR":  "choose another name or connection, or update the operator that has it",
	"DUPLICATE_RULE":      "update the rule that is there: `trunkline rules list --prefix` shows it",
	"RULE_CONFLICT":       "mend what is told below and try again",
	"VAULT_UNAVAILABLE":   "nothing was stored; try again when the secret store is back",
	"VAULT_DENIED":        "nothing was stored; the server's log says what Vault refused: log-in, policy or mount",
	"KEYRING_UNAVAILABLE": "nothing was stored; check the disk of the keyring",
	"ETAG_MISMATCH":       "somebody changed it meanwhile: look at it and try again",
	"NO_CREDENTIALS":      "`trunkline operators rotate-credentials` gives it a password",
	"CREDENTIAL_REQUIRED": "set TRUNKLINE_API_KEY_FILE or --api-key-file; `trunkline keys bootstrap` makes the first key",
	"CREDENTIAL_EXPIRED":  "an admin makes a new key with `trunkline keys create`",
	"CREDENTIAL_REVOKED":  "an admin makes a new key with `trunkline keys create`",
	"ACCOUNT_NOT_ALLOWED": "use a credential that is bound to no account",
	"ADMIN_KEY_EXISTS":    "--force makes another one",
	"TOO_MANY_KEYS":       "`trunkline keys list` shows them, with their last use",
	"DUPLICATE_ACCOUNT":   "`trunkline accounts list` shows who has it",
	"NO_SIGNING_KEY":      "`trunkline releases keygen` makes one, for operator-management",
	"NOT_APPROVED":        "`trunkline releases approve NUMBER`, with the credential of an admin who did not make it",
	"SAME_ADMIN":          "show the credential of another admin",
	"ALREADY_ROLLED_BACK": "`trunkline releases list` shows them, `trunkline releases rollback NUMBER` goes to one",
	"ALREADY_ACTIVE":      "`trunkline releases create` makes one of what was changed since",
	"RELEASE_MOVED":       "`trunkline releases diff` shows what would change now",
	"NO_SUCH_RELEASE":     "`trunkline releases list` shows them",
	"NO_FORMER_RELEASE":   "`trunkline releases list` shows which can be published",
	"NEVER_ACTIVE":        "`trunkline releases publish` puts it in force",
	"NO_ACTIVE_RELEASE":   "`trunkline releases publish` puts one in force; --base compares with another",
	"REPLAY_RUNNING":      "wait for it to end, then run this one again",
	"RELEASE_EXPIRED":     "`trunkline releases list` shows those that can be served",
	"permission_denied":   "use a credential with the role this needs: `trunkline keys create --role` makes one",
	"unauthenticated":     "show a valid credential: check TRUNKLINE_API_KEY, TRUNKLINE_API_KEY_FILE or --api-key-file",
	"resource_exhausted":  "wait a little and try again",
	"unavailable":         "try again; the server's /health/detailed tells what is down",
	"aborted":             "something else changed it meanwhile: try again",
	"internal":            "the server's log has the cause under the request id",
	"unknown":             "check that --server is a Trunkline server",
	"unimplemented":       "this server does not offer it: check --server and its version",
}

// describe turns the error of a call into a failure. what says what was tried,
// such as "select an operator".
func (c *client) describe(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return &failure{exit: ExitInterrupted, message: what + ": interrupted", cause: err}
	}
	var ce *connect.Error
	if !errors.As(err, &ce) {
		return fmt.Errorf("%s: %w", what, err)
	}
	code := ce.Code()
	if !connect.IsWireError(err) {
		switch {
		case neverConnected(err) || code == connect.CodeUnavailable && belowHTTP(err) && !lost(err):
			return &failure{exit: ExitUnavailable, cause: err, message: fmt.Sprintf(
				"cannot reach %s: is `trunkline dev` or `serve` running? set --server (%s)", c.shown, clean(reasonOf(err)))}
		case lost(err):
			return &failure{exit: ExitUnavailable, cause: err, message: fmt.Sprintf(
				"%s: lost the connection to %s: try again; its log tells whether it stopped", what, c.shown)}
		case code == connect.CodeDeadlineExceeded:
			return &failure{exit: ExitUnavailable, cause: err, message: fmt.Sprintf(
				"%s: %s did not answer within %s: try again, or allow more with --timeout", what, c.shown, c.timeout)}
		}
	}
	return serverFailure(what, ce)
}

// neverConnected tells whether dialing failed, also by its own timeout.
func neverConnected(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// lost tells whether the connection ended before the answer did.
func lost(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// belowHTTP tells whether no HTTP answer came, as with a certificate that is not
// trusted.
func belowHTTP(err error) bool {
	var transport *url.Error
	return errors.As(err, &transport)
}

// reasonOf is the innermost text, such as "connection refused".
func reasonOf(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

func serverFailure(what string, ce *connect.Error) *failure {
	f := &failure{exit: exitOf(ce.Code()), cause: ce}
	reason := strings.ToUpper(ce.Code().String())
	var wait time.Duration
	var findings []string
	for _, d := range ce.Details() {
		value, err := d.Value()
		if err != nil {
			continue
		}
		switch detail := value.(type) {
		case *errdetails.ErrorInfo:
			reason = detail.GetReason()
		case *errdetails.BadRequest:
			for _, v := range detail.GetFieldViolations() {
				f.lines = append(f.lines, clean(v.GetField()+": "+v.GetDescription()))
			}
		case *operatorsv1.RuleConflict:
			for _, finding := range detail.GetFindings() {
				findings = append(findings, findingLine(finding))
			}
		case *errdetails.RetryInfo:
			wait = detail.GetRetryDelay().AsDuration()
		case *errdetails.RequestInfo:
			if code := ce.Code(); code == connect.CodeInternal || code == connect.CodeUnknown {
				f.lines = append(f.lines, "request id: "+clean(detail.GetRequestId()))
			}
		}
	}
	if len(findings) > 0 {
		f.lines = findings // the violations say the same without witnesses
	}
	f.reason = reason
	f.message = sentence(what, ce.Code().String(), reason, ce.Message())
	if wait > 0 {
		f.message += fmt.Sprintf(" (retry after %s)", wait)
	}
	return f
}

// sentence is the one line about an answer that is an error.
func sentence(what, code, reason, message string) string {
	text := clean(fmt.Sprintf("%s: %s (%s)", what, strings.TrimSuffix(message, "."), reason))
	todo, known := advice[reason]
	if !known {
		todo = advice[code]
	}
	if todo != "" {
		text += ": " + todo
	}
	return text
}
