package sessions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/google/uuid"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/jetstream"
)

// Board is the stream OPERATOR_HEALTH, one word for each operator. It is safe for concurrent use.
type Board struct {
	conn      *jetstream.Conn
	published func(event string, err error)
	log       *slog.Logger

	mu sync.RWMutex
	// heard is the last word about each operator; the stream holds one for each, too.
	heard map[uuid.UUID]operators.Word
}

var _ operators.HealthBoard = (*Board)(nil)

// NewBoard returns the board. published is told of every try to publish; the event is operator.health.
func NewBoard(conn *jetstream.Conn, published func(event string, err error), log *slog.Logger) *Board {
	return &Board{conn: conn, published: published, log: log, heard: map[uuid.UUID]operators.Word{}}
}

// Listen hears words until ctx ends, for Heard.
func (b *Board) Listen(ctx context.Context) {
	words, err := b.conn.Follow(ctx, jetstream.FollowSpec{Stream: HealthStream, Policy: jetstream.LastPerSubject}, func(_ context.Context, m jetstream.Message) {
		operator, err := uuid.Parse(strings.TrimPrefix(m.Subject, HealthSubject))
		if err != nil {
			return
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.heard[operator] = readWord(m)
	})
	if err != nil {
		b.log.ErrorContext(ctx, "words about operators are not heard; lists show what connectors report", "error", err)
		return
	}
	defer words.Stop()
	<-ctx.Done()
}

// Heard gives the last word about one operator that was heard; the zero Word before that.
func (b *Board) Heard(operator uuid.UUID) operators.Word {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.heard[operator]
}

// Standing reads the word that stands.
func (b *Board) Standing(ctx context.Context, operator uuid.UUID) (operators.Word, error) {
	m, err := b.conn.Last(ctx, HealthStream, HealthSubject+operator.String())
	if err != nil || m.Sequence == 0 {
		return operators.Word{}, err
	}
	return readWord(m), nil
}

// Replace publishes a health, unless another word has come in between.
func (b *Board) Replace(ctx context.Context, h operators.Health, standing operators.Word) error {
	data, err := EncodeHealth(h)
	if err != nil {
		return fmt.Errorf("write a health as an event: %w", err)
	}
	err = b.conn.PublishAfter(ctx, HealthSubject+h.OperatorID.String(), data, "", standing.Place)
	if errors.Is(err, jetstream.ErrWrongSequence) {
		return fault.New(fault.Aborted, operators.ReasonNewWord, "Another word about this operator was published.").Wrap(err)
	}
	b.published("operator.health", err)
	return err
}
