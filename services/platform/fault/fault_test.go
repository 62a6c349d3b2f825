package fault_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/fault"
)

func TestKindNamesAreCompleteAndDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range fault.Kinds() {
		name := k.String()
		require.Regexp(t, `^[A-Z_]+$`, name)
		require.False(t, seen[name], name)
		seen[name] = true
	}
	require.Len(t, seen, 13)
	require.Equal(t, "KIND(0)", fault.Kind(0).String())
	require.Equal(t, "KIND(200)", fault.Kind(200).String())
}

func TestErrorShowsKindReasonAndMessageButNeverTheCause(t *testing.T) {
	f := fault.New(fault.NotFound, "NO_ROUTE", "No rule covers %s.", "+44").Wrap(errors.New("pq: secret text"))
	require.Equal(t, "NOT_FOUND NO_ROUTE: No rule covers +44.", f.Error())
	for _, verb := range []string{"%v", "%s", "%+v", "%q"} {
		require.NotContains(t, fmt.Sprintf(verb, f), "secret text", verb)
	}
}

func TestAMessageIsAlwaysAFormat(t *testing.T) {
	require.Equal(t, "Load is above 90%.", fault.New(fault.Unavailable, "BUSY", "Load is above 90%%.").Message)
}

func TestInvalidSummarisesItsViolations(t *testing.T) {
	v := []fault.Violation{
		{"to", "is empty"},
		{"port", "is 0"},
		{"", "to and from are equal"},
		{"name", "is too long"},
		{"host", "has a scheme"},
	}
	for _, c := range []struct {
		name string
		give []fault.Violation
		want string
	}{
		{"no violation gives a general sentence", nil, "The request is not valid."},
		{"one violation is shown whole", v[:1], "to: is empty"},
		{"a violation across fields has no field", v[:3], "to: is empty; port: is 0; to and from are equal"},
		{"more than three are counted", v, "to: is empty; port: is 0; to and from are equal; and 2 more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := fault.Invalid("BAD", c.give...)
			require.Equal(t, fault.InvalidArgument, f.Kind)
			require.Equal(t, c.want, f.Message)
			require.Equal(t, c.give, f.Violations)
		})
	}
}

func TestInvalidKeepsItsOwnCopyOfTheViolations(t *testing.T) {
	v := []fault.Violation{{"to", "is empty"}}
	f := fault.Invalid("BAD", v...)
	v[0].Field = "changed"
	require.Equal(t, "to", f.Violations[0].Field)
}

func TestChangesLeaveTheOriginalAlone(t *testing.T) {
	base := fault.New(fault.Unavailable, "DOWN", "Down.").With("a", "1")
	changed := base.With("b", "2").With("a", "3").WithRetry(time.Second).Wrap(io.EOF)

	require.Equal(t, map[string]string{"a": "1"}, base.Metadata)
	require.Zero(t, base.RetryAfter)
	require.NoError(t, base.Unwrap())
	require.Equal(t, map[string]string{"a": "3", "b": "2"}, changed.Metadata)
	require.Equal(t, time.Second, changed.RetryAfter)
	require.ErrorIs(t, changed, io.EOF)
	require.Zero(t, changed.WithRetry(-time.Second).RetryAfter)
}

func TestErrorsIsAndAsReachThroughWrapping(t *testing.T) {
	missing := fault.New(fault.NotFound, "NO_ROUTE", "No route.")
	wrapped := fmt.Errorf("select: %w", missing.Wrap(io.ErrUnexpectedEOF))

	require.ErrorIs(t, wrapped, missing)
	require.ErrorIs(t, wrapped, fault.New(fault.NotFound, "NO_ROUTE", "Another text."))
	require.NotErrorIs(t, wrapped, fault.New(fault.NotFound, "NO_ACCOUNT", "No route."))
	require.NotErrorIs(t, wrapped, fault.New(fault.Internal, "NO_ROUTE", "No route."))
	require.ErrorIs(t, wrapped, io.ErrUnexpectedEOF)
	var f *fault.Fault
	require.ErrorAs(t, wrapped, &f)
	require.True(t, fault.Is(wrapped, "NO_ROUTE"))
	require.False(t, fault.Is(wrapped, "OTHER"))
	require.False(t, fault.Is(nil, "NO_ROUTE"))
	require.False(t, fault.Is(io.EOF, "NO_ROUTE"))
}

func TestFrom(t *testing.T) {
	inner := fault.New(fault.Aborted, "ETAG_MISMATCH", "Changed meanwhile.")
	var none *fault.Fault
	for _, c := range []struct {
		name   string
		give   error
		kind   fault.Kind
		reason string
	}{
		{"a fault is kept", inner, fault.Aborted, "ETAG_MISMATCH"},
		{"a wrapped fault is unwrapped", fmt.Errorf("update: %w", inner), fault.Aborted, "ETAG_MISMATCH"},
		{"a joined fault is found", errors.Join(io.EOF, inner), fault.Aborted, "ETAG_MISMATCH"},
		{"a fault keeps its kind when its cause is a context error", inner.Wrap(context.Canceled), fault.Aborted, "ETAG_MISMATCH"},
		{"cancellation becomes Canceled", fmt.Errorf("query: %w", context.Canceled), fault.Canceled, fault.ReasonCanceled},
		{"a deadline becomes DeadlineExceeded", fmt.Errorf("query: %w", context.DeadlineExceeded), fault.DeadlineExceeded, fault.ReasonDeadline},
		{"anything else becomes Internal", errors.New("pq: password=x"), fault.Internal, fault.ReasonInternal},
		{"a nil fault in an error is a defect", none, fault.Internal, fault.ReasonInternal},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := fault.From(c.give)
			require.Equal(t, c.kind, f.Kind)
			require.Equal(t, c.reason, f.Reason)
			require.NotContains(t, f.Error(), "password")
			require.ErrorIs(t, f, c.give)
		})
	}
	require.Nil(t, fault.From(nil))
	require.Same(t, inner, fault.From(inner))
}

func TestLogValueShowsEverythingIncludingNestedCauses(t *testing.T) {
	deep := fault.New(fault.Unavailable, "DB_DOWN", "Try later.").Wrap(errors.New("dial refused"))
	f := fault.Invalid("BAD", fault.Violation{Field: "to", Description: "is empty"}).
		With("operator_id", "7").WithRetry(2 * time.Second).Wrap(fmt.Errorf("load: %w", deep))

	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Error("failed", "error", f)
	var line struct {
		Error struct {
			Kind, Reason, Message, Cause string
			Violations, Metadata         map[string]string
			RetryAfter                   int64 `json:"retry_after"`
		}
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &line), out.String())
	require.Equal(t, "INVALID_ARGUMENT", line.Error.Kind)
	require.Equal(t, "BAD", line.Error.Reason)
	require.Equal(t, "to: is empty", line.Error.Message)
	require.Equal(t, "load: UNAVAILABLE DB_DOWN: Try later.: dial refused", line.Error.Cause)
	require.Equal(t, map[string]string{"to": "is empty"}, line.Error.Violations)
	require.Equal(t, map[string]string{"operator_id": "7"}, line.Error.Metadata)
	require.Equal(t, int64(2*time.Second), line.Error.RetryAfter)
}

func TestANilFaultPrintsAndLogsWithoutAPanic(t *testing.T) {
	var none *fault.Fault
	require.Equal(t, "no fault", none.Error())
	require.Equal(t, "no fault", none.LogValue().String())
	require.NoError(t, none.Unwrap())
}
