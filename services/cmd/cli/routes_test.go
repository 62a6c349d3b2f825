package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/types/known/durationpb"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/cmd/cli"
)

func TestSelectShowsTheDecision(t *testing.T) {
	var asked *routingv1.SelectOperatorRequest
	f := &fake{selectOne: func(_ context.Context, req *routingv1.SelectOperatorRequest) (*routingv1.SelectOperatorResponse, error) {
		asked = req
		return decision(), nil
	}}
	f.start(t)

	got := run(t, nil, "routes", "select", number, "--type", "FLASH", "--message-id", "m-1", "--exclude", atlantica)
	require.Equal(t, outcome{stdout: got.stdout}, got)
	golden(t, "select.txt", got.stdout)
	require.Equal(t, number, asked.GetTo())
	require.Equal(t, account, asked.GetAccountId())
	require.Equal(t, routingv1.MessageType_MESSAGE_TYPE_FLASH, asked.GetMessageType())
	require.Equal(t, "m-1", asked.GetMessageId())
	require.Equal(t, []string{atlantica}, asked.GetExcludeOperatorIds())

	got = run(t, nil, "routes", "select", number, "-o", "json")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	golden(t, "select.json", got.stdout)
}

func TestTheFlagBeatsTheVariable(t *testing.T) {
	var asked string
	f := &fake{selectOne: func(_ context.Context, req *routingv1.SelectOperatorRequest) (*routingv1.SelectOperatorResponse, error) {
		asked = req.GetAccountId()
		return decision(), nil
	}}
	url := f.start(t)
	const other, third = "00000000-0000-0000-0000-000000000002", "00000000-0000-0000-0000-000000000003"
	t.Setenv("TRUNKLINE_ACCOUNT", other)
	require.Zero(t, run(t, nil, "routes", "select", number).exit)
	require.Equal(t, other, asked)
	t.Setenv("TRUNKLINE_SERVER", "http://127.0.0.1:1")
	require.Zero(t, run(t, nil, "routes", "select", number, "--account", third, "--server", strings.TrimPrefix(url, "http://")).exit)
	require.Equal(t, third, asked)
}

func TestErrorsOfTheServerBecomeOneLineAndAnExitCode(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		exit   int
		stderr string
	}{
		{"no rule matches", serverError(t, connect.CodeNotFound, "NO_ROUTE", "No rule matches the number."), cli.ExitNotFound,
			"trunkline: select an operator: No rule matches the number (NO_ROUTE): `trunkline routes explain NUMBER` shows the rules; `trunkline rules import` adds one\n"},
		{"no operator is usable", serverError(t, connect.CodeUnavailable, "NO_USABLE_OPERATOR", "No operator can carry it.",
			&errdetails.RetryInfo{RetryDelay: durationpb.New(5 * time.Second)}), cli.ExitUnavailable,
			"trunkline: select an operator: No operator can carry it (NO_USABLE_OPERATOR): `trunkline routes explain NUMBER` shows why each operator was refused (retry after 5s)\n"},
		{"fields are wrong", serverError(t, connect.CodeInvalidArgument, "VALIDATION_FAILED", "The request is not valid.",
			&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
				{Field: "to", Description: "must be E.164"}, {Field: "messageId", Description: "is too long\x1b[2J"},
			}}), cli.ExitInvalid,
			"trunkline: select an operator: The request is not valid (VALIDATION_FAILED)\n  to: must be E.164\n  messageId: is too long?[2J\n"},
		{"an internal error names the request", serverError(t, connect.CodeInternal, "INTERNAL", "An internal error occurred.",
			&errdetails.RequestInfo{RequestId: "r-42"}), cli.ExitFailed,
			"trunkline: select an operator: An internal error occurred (INTERNAL): the server's log has the cause under the request id\n  request id: r-42\n"},
		{"a conflict", serverError(t, connect.CodeAborted, "OPERATORS_CHANGED", "It changed."), cli.ExitConflict, "OPERATORS_CHANGED"},
		{"it exists", serverError(t, connect.CodeAlreadyExists, "DUPLICATE", "It is there."), cli.ExitConflict, "DUPLICATE"},
		{"the state forbids it", serverError(t, connect.CodeFailedPrecondition, "STATE", "Not now."), cli.ExitConflict, "STATE"},
		{"not allowed", serverError(t, connect.CodePermissionDenied, "DENIED", "No."), cli.ExitDenied, "role"},
		{"not known", serverError(t, connect.CodeUnauthenticated, "NO_CREDENTIAL", "Who?"), cli.ExitDenied, "credential"},
		{"overloaded", serverError(t, connect.CodeResourceExhausted, "OVERLOADED", "Later."), cli.ExitUnavailable, "try again"},
		{"not offered", serverError(t, connect.CodeUnimplemented, "UNKNOWN_METHOD", "No."), cli.ExitFailed, "--server"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fake{selectOne: func(context.Context, *routingv1.SelectOperatorRequest) (*routingv1.SelectOperatorResponse, error) {
				return nil, c.err
			}}
			f.start(t)
			got := run(t, nil, "routes", "select", number)
			require.Equal(t, c.exit, got.exit)
			require.Empty(t, got.stdout)
			require.Contains(t, got.stderr, c.stderr)
			require.NotContains(t, got.stderr, number, "errors end up in logs")
		})
	}
}

func TestAServerThatIsNotThere(t *testing.T) {
	got := run(t, nil, "routes", "select", number, "--server", "http://127.0.0.1:1")
	require.Equal(t, cli.ExitUnavailable, got.exit)
	require.Equal(t, "trunkline: cannot reach http://127.0.0.1:1: is `trunkline dev` or `serve` running? set --server (connection refused)\n", got.stderr)
}

func TestAServerThatDoesNotAnswerInTime(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	f := &fake{explain: func(ctx context.Context, _ *routingv1.ExplainRouteRequest) (*routingv1.ExplainRouteResponse, error) {
		<-release // beyond the deadline, so that the caller's own clock decides
		return nil, ctx.Err()
	}}
	url := f.start(t)
	got := run(t, nil, "routes", "explain", number, "--timeout", "50ms")
	require.Equal(t, cli.ExitUnavailable, got.exit)
	require.Equal(t, "trunkline: explain the route: "+url+" did not answer within 50ms: try again, or allow more with --timeout\n", got.stderr)
}

// batch answers by number: those that end in 0 have no route.
func batch(_ context.Context, req *routingv1.BatchSelectOperatorsRequest) (*routingv1.BatchSelectOperatorsResponse, error) {
	res := &routingv1.BatchSelectOperatorsResponse{}
	for _, one := range req.GetRequests() {
		r := &routingv1.BatchResult{Result: &routingv1.BatchResult_Response{Response: &routingv1.SelectOperatorResponse{
			OperatorName: "Nordlink Transit", MatchedPrefix: one.GetTo(), Host: "h.example", Port: 2775,
			Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_COST,
		}}}
		if strings.HasSuffix(one.GetTo(), "0") {
			r.Result = &routingv1.BatchResult_Error{Error: &routingv1.Failure{Code: "not_found", Reason: "NO_ROUTE", Message: "No rule matches."}}
		}
		res.Results = append(res.Results, r)
	}
	return res, nil
}

func TestEveryLineOfAFileHasOneAnswerInOrder(t *testing.T) {
	const count = 100_000
	var calls, most atomic.Int64
	f := &fake{selectBatch: func(ctx context.Context, req *routingv1.BatchSelectOperatorsRequest) (*routingv1.BatchSelectOperatorsResponse, error) {
		calls.Add(1)
		most.Store(max(most.Load(), int64(len(req.GetRequests()))))
		return batch(ctx, req)
	}}
	f.start(t)
	var in bytes.Buffer
	for i := range count {
		fmt.Fprintf(&in, "+44%09d\n", 700_000_000+i)
	}
	path := filepath.Join(t.TempDir(), "numbers.txt")
	require.NoError(t, os.WriteFile(path, in.Bytes(), 0o600))

	got := run(t, nil, "routes", "select", "--file", path, "-o", "jsonl")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.Equal(t, "100000 lines answered: 90000 with an operator, 10000 with an error\n", got.stderr)
	answers := lines(got.stdout)
	require.Len(t, answers, count)
	for i, line := range answers {
		if i%10 == 0 {
			require.Equal(t, `{"error":{"code":"not_found","reason":"NO_ROUTE","message":"No rule matches."}}`, line)
			continue
		}
		var answer struct{ MatchedPrefix string }
		require.NoError(t, json.Unmarshal([]byte(line), &answer))
		require.Equal(t, fmt.Sprintf("+44%09d", 700_000_000+i), answer.MatchedPrefix)
	}
	require.LessOrEqual(t, most.Load(), int64(5000))
	require.GreaterOrEqual(t, calls.Load(), int64(20))
}

func TestLinesThatAreNoNumbers(t *testing.T) {
	f := &fake{selectBatch: batch}
	f.start(t)
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"an empty file has no answers", "", nil},
		{"the last line needs no line end", "+4479111\n+4479112", []string{"+4479111", "+4479112"}},
		{"an empty line has an answer too", "+4479111\n\n+4479112\n", []string{"+4479111", "bad", "+4479112"}},
		{"Windows line ends and a byte order mark", "\ufeff+4479111\r\n+4479112\r\n", []string{"+4479111", "+4479112"}},
		{"a comment is no number", "# contacts\n+4479111\n", []string{"bad", "+4479111"}},
		{"spaces are not taken away", " +4479111\n", []string{"bad"}},
		{"bytes that are no text are not sent", "\xff\xfe\x00\n+4479111\n", []string{"bad", "+4479111"}},
		{"a line longer than any buffer", strings.Repeat("9", 300_000) + "\n+4479111\n", []string{"bad", "+4479111"}},
		{"a number followed by a lot", "+4479111" + strings.Repeat(" ", 300_000) + "\n", []string{"bad"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := run(t, strings.NewReader(c.in), "routes", "select", "-", "-o", "jsonl")
			require.Equal(t, cli.ExitOK, got.exit, got.stderr)
			var answers []string
			for line := range strings.Lines(got.stdout) {
				var answer struct {
					MatchedPrefix string
					Error         struct{ Code string }
				}
				require.NoError(t, json.Unmarshal([]byte(line), &answer))
				if answer.Error.Code == "invalid_argument" {
					answer.MatchedPrefix = "bad"
				}
				answers = append(answers, answer.MatchedPrefix)
			}
			require.Equal(t, c.want, answers)
		})
	}
}

func TestManyNumbersAsTableAndArray(t *testing.T) {
	f := &fake{selectBatch: batch}
	f.start(t)
	got := run(t, nil, "routes", "select", "+4479111", "nonsense\x1b", "+4479110")
	require.Equal(t, cli.ExitInvalid, got.exit, "the first number without an operator decides")
	require.Empty(t, got.stderr)
	golden(t, "select-many.txt", got.stdout)

	got = run(t, strings.NewReader("+4479111\n+4479112\n"), "routes", "select", "-", "-o", "json")
	require.Equal(t, cli.ExitOK, got.exit)
	var all []map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &all))
	require.Len(t, all, 2)

	got = run(t, strings.NewReader(""), "routes", "select", "-", "-o", "json")
	require.Equal(t, "[]\n", got.stdout)

	got = run(t, nil, "routes", "select", "+4479110", "-o", "jsonl")
	require.Equal(t, cli.ExitNotFound, got.exit)
	require.Len(t, lines(got.stdout), 1)
}

func TestChunksStayBelowTheServersMessageLimit(t *testing.T) {
	f := &fake{selectBatch: batch} // it refuses more than 1 MiB
	f.start(t)
	args := []string{"routes", "select", "-", "-o", "jsonl"}
	for i := range 32 {
		args = append(args, "--exclude", fmt.Sprintf("01890a5d-ac96-774b-bcce-%012d", i))
	}
	got := run(t, strings.NewReader(strings.Repeat("+447911123456\n", 3000)), args...)
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.Len(t, lines(got.stdout), 3000)
}

func TestACallThatFailsHalfwayTellsHowFarItCame(t *testing.T) {
	var calls atomic.Int64
	f := &fake{selectBatch: func(ctx context.Context, req *routingv1.BatchSelectOperatorsRequest) (*routingv1.BatchSelectOperatorsResponse, error) {
		if calls.Add(1) > 1 {
			return nil, serverError(t, connect.CodeUnavailable, "DATABASE_UNAVAILABLE", "The database is down.")
		}
		return batch(ctx, req)
	}}
	f.start(t)
	got := run(t, strings.NewReader(strings.Repeat("+447911123456\n", 6000)), "routes", "select", "-", "-o", "jsonl")
	require.Equal(t, cli.ExitUnavailable, got.exit)
	require.Len(t, lines(got.stdout), 5000)
	require.Contains(t, got.stderr, "stopped: only the first 5000 lines were answered\n")
	require.Contains(t, got.stderr, "The database is down (DATABASE_UNAVAILABLE)")
}

func TestAServerThatAnswersTooLittleIsNotBelieved(t *testing.T) {
	for name, answer := range map[string]*routingv1.BatchSelectOperatorsResponse{
		"fewer answers":   {},
		"an empty answer": {Results: []*routingv1.BatchResult{{}}},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{selectBatch: func(context.Context, *routingv1.BatchSelectOperatorsRequest) (*routingv1.BatchSelectOperatorsResponse, error) {
				return answer, nil
			}}
			f.start(t)
			got := run(t, strings.NewReader(number), "routes", "select", "-")
			require.Equal(t, cli.ExitFailed, got.exit)
			require.Empty(t, got.stdout)
		})
	}
}

func TestAReaderOfTheOutputThatStops(t *testing.T) {
	f := &fake{selectBatch: batch}
	f.start(t)
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, reader.Close())
	defer func() { require.NoError(t, writer.Close()) }()
	var stderr bytes.Buffer
	in := strings.NewReader(strings.Repeat("+447911123456\n", 20_000))
	exit := cli.Run(t.Context(), []string{"routes", "select", "-", "-o", "jsonl"}, in, writer, &stderr, "v1")
	require.Equal(t, cli.ExitPipe, exit)
	require.Empty(t, stderr.String())
}

func TestASignalInterrupts(t *testing.T) {
	interrupt := func() { require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGINT)) }
	t.Run("a call in flight", func(t *testing.T) {
		f := &fake{selectOne: func(ctx context.Context, _ *routingv1.SelectOperatorRequest) (*routingv1.SelectOperatorResponse, error) {
			interrupt()
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		f.start(t)
		got := run(t, nil, "routes", "select", number)
		require.Equal(t, cli.ExitInterrupted, got.exit)
		require.Equal(t, "trunkline: select an operator: interrupted\n", got.stderr)
	})
	t.Run("a wait for standard input", func(t *testing.T) {
		f := &fake{selectBatch: batch}
		f.start(t)
		in, feed := io.Pipe()
		defer func() { require.NoError(t, feed.Close()) }()
		got := run(t, interruptingReader{in, interrupt}, "routes", "select", "-")
		require.Equal(t, cli.ExitInterrupted, got.exit)
	})
	t.Run("a wait for a file to import", func(t *testing.T) {
		(&fake{}).start(t)
		in, feed := io.Pipe()
		defer func() { require.NoError(t, feed.Close()) }()
		got := run(t, interruptingReader{in, interrupt}, "rules", "import", "-")
		require.Equal(t, cli.ExitInterrupted, got.exit)
		require.Contains(t, got.stderr, "nothing was stored")
	})
}

// interruptingReader interrupts the process when it is read, then waits.
type interruptingReader struct {
	io.Reader
	interrupt func()
}

func (r interruptingReader) Read(p []byte) (int, error) {
	r.interrupt()
	return r.Reader.Read(p)
}
