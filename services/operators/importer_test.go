package operators_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
)

// The importer's work on real stores is tested in package database.

type brokenStore struct{ err error }

func (b brokenStore) InTx(context.Context, func(context.Context, operators.Tx) error) error {
	return b.err
}

func (b brokenStore) View(context.Context, func(context.Context, operators.Tx) error) error {
	return b.err
}

func (b brokenStore) LiveOperators(context.Context) ([]operators.Operator, operators.Freshness, error) {
	return nil, operators.Freshness{}, nil
}

type silent struct{ t *testing.T }

func (s silent) Wake() {
	require.Fail(s.t, "nothing was committed, so there is nothing to tell")
}

func importer(t *testing.T, err error) *operators.Importer {
	return operators.NewImporter(brokenStore{err}, silent{t}, time.Now, slog.New(slog.DiscardHandler), money.Money{})
}

func TestAFileAboveTheLimitIsRefusedBeforeItIsRead(t *testing.T) {
	huge := make([]byte, operators.MaxFileBytes+1)
	_, err := importer(t, nil).ImportOperators(t.Context(), someone, huge, nil)
	require.Equal(t, operators.ReasonFileTooLarge, fault.From(err).Reason)
	_, err = importer(t, nil).ImportRules(t.Context(), someone, huge, nil)
	require.Equal(t, operators.ReasonFileTooLarge, fault.From(err).Reason)
}

func TestAnEndedContextStopsTheReading(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := importer(t, nil).ImportOperators(ctx, someone, []byte(operatorHeader), nil)
	require.ErrorIs(t, err, context.Canceled)
}

func TestAFailedCommitWakesNobody(t *testing.T) {
	broken := errors.New("broken")
	_, err := importer(t, broken).ImportOperators(t.Context(), someone, []byte(operatorHeader), nil)
	require.ErrorIs(t, err, broken)
	_, err = importer(t, broken).ImportRules(t.Context(), someone, []byte(ruleHeader), nil)
	require.ErrorIs(t, err, broken)
	dry := someone
	dry.ValidateOnly = true
	_, err = importer(t, broken).ImportOperators(t.Context(), dry, []byte(operatorHeader), nil)
	require.ErrorIs(t, err, broken)
}

func TestARequestIsCheckedBeforeAnythingIsDone(t *testing.T) {
	_, err := importer(t, nil).ImportOperators(t.Context(), operators.Request{}, []byte(operatorHeader), nil)
	require.Equal(t, fault.Internal, fault.From(err).Kind, "a change without an actor is a defect")
	for name, id := range map[string]string{"too long": string(make([]rune, 129)), "no text": "\xff", "with a zero byte": "a\x00"} {
		r := operators.Request{Actor: "someone", ID: id}
		_, err := importer(t, nil).ImportRules(t.Context(), r, []byte(ruleHeader), nil)
		require.Equal(t, []string{"request_id must have at most 128 characters"}, violations(t, err), name)
	}
}
