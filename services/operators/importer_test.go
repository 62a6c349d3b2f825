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
)

// The importer's work on real stores is tested in package database.

type brokenStore struct{ err error }

func (b brokenStore) InTx(context.Context, func(context.Context, operators.Tx) error) error {
	return b.err
}

func (b brokenStore) LiveOperators(context.Context) ([]operators.Operator, error) { return nil, nil }

type silent struct{ t *testing.T }

func (s silent) Announce(context.Context, operators.Change) {
	require.Fail(s.t, "nothing was committed, so there is nothing to announce")
}

func importer(t *testing.T, err error) *operators.Importer {
	return operators.NewImporter(brokenStore{err}, silent{t}, time.Now, slog.New(slog.DiscardHandler))
}

func TestAFileAboveTheLimitIsRefusedBeforeItIsRead(t *testing.T) {
	huge := make([]byte, operators.MaxFileBytes+1)
	_, err := importer(t, nil).ImportOperators(t.Context(), huge, operators.Options{})
	require.Equal(t, operators.ReasonFileTooLarge, fault.From(err).Reason)
	_, err = importer(t, nil).ImportRules(t.Context(), huge, operators.Options{})
	require.Equal(t, operators.ReasonFileTooLarge, fault.From(err).Reason)
}

func TestAnEndedContextStopsTheReading(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := importer(t, nil).ImportOperators(ctx, []byte(operatorHeader), operators.Options{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestAFailedCommitIsNotAnnounced(t *testing.T) {
	broken := errors.New("broken")
	_, err := importer(t, broken).ImportOperators(t.Context(), []byte(operatorHeader), operators.Options{})
	require.ErrorIs(t, err, broken)
	_, err = importer(t, broken).ImportRules(t.Context(), []byte(ruleHeader), operators.Options{})
	require.ErrorIs(t, err, broken)
}

// leaving commits, and its caller goes away at that moment.
type leaving struct {
	operators.Tx
	cancel context.CancelFunc
}

func (l leaving) InTx(ctx context.Context, do func(context.Context, operators.Tx) error) error {
	defer l.cancel()
	return do(ctx, l)
}

func (leaving) LiveOperators(context.Context) ([]operators.Operator, error)        { return nil, nil }
func (leaving) PutOperators(context.Context, []operators.Operator) error           { return nil }
func (leaving) RaiseConfigVersion(context.Context, bool, time.Time) (int64, error) { return 5, nil }

type listening struct{ heard *[]operators.Change }

func (l listening) Announce(ctx context.Context, change operators.Change) {
	if _, bounded := ctx.Deadline(); bounded && ctx.Err() == nil {
		*l.heard = append(*l.heard, change)
	}
}

func TestACommittedChangeIsAnnouncedAlsoWhenTheCallerIsGone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var heard []operators.Change
	fixed := time.Unix(1_800_000_000, 0)
	i := operators.NewImporter(leaving{cancel: cancel}, listening{&heard}, func() time.Time { return fixed }, slog.New(slog.DiscardHandler))
	_, err := i.ImportOperators(ctx, []byte(operatorHeader+"\nAlpha,a.example,1,a,TRANSCEIVER,1,,\n"), operators.Options{})
	require.NoError(t, err)
	require.Error(t, ctx.Err())
	require.Equal(t, []operators.Change{{ConfigVersion: 5, OccurredAt: fixed, Created: true}}, heard)
}
