package sessions

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/jetstream"
)

// Board is the stream OPERATOR_HEALTH, one word for each operator. It is safe for concurrent use.
type Board struct {
	conn      *jetstream.Conn
	published func(event string, err error)
}

var _ operators.HealthBoard = (*Board)(nil)

// NewBoard returns the board. published is told of every try to publish; the event is operator.health.
func NewBoard(conn *jetstream.Conn, published func(event string, err error)) *Board {
	return &Board{conn: conn, published: published}
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
