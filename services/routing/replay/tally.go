package replay

import (
	"bytes"
	"errors"
	"math"
	"math/bits"

	"github.com/google/uuid"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
	"trunkline/services/routing"
)

// tally counts what two releases decide.
type tally struct {
	decided, same, moved, lost, gained, none int64

	moves  map[move]int64
	costs  map[costOf]*cost
	sums   map[money.Currency]*cost
	losses map[loss]int64
}

// move is from one operator to another; uuid.Nil is no route.
type move struct{ from, to uuid.UUID }

// costOf is what costs are summed by. A price that is not known has no currency.
type costOf struct {
	operator uuid.UUID
	code     callingCode
	currency money.Currency
}

// callingCode holds up to 3 digits, so that no number stays in memory for its first digits.
type callingCode [3]byte

func codeOf(n e164.Number) (code callingCode) {
	copy(code[:], n.CallingCode())
	return code
}

// String gives the written form, such as +44; "" for the zero value.
func (c callingCode) String() string {
	return e164.Prefix(bytes.TrimRight(c[:], "\x00")).String()
}

// cost is on both sides; before first.
type cost [2]struct{ count, nanos int64 }

type loss struct {
	prefix e164.Prefix
	reason string
}

func newTally() *tally {
	return &tally{moves: map[move]int64{}, costs: map[costOf]*cost{}, sums: map[money.Currency]*cost{}, losses: map[loss]int64{}}
}

// add counts messages that have decided the same way: before and after are the answers of the two sides. The error is a
// fault when a sum becomes too large.
func (t *tally) add(m *message, count int64, before, after *answer) error {
	t.decided += count
	from, to := before.operator(), after.operator()
	t.moves[move{from, to}] += count
	switch {
	case from == to && from == uuid.Nil:
		t.none += count
	case from == to:
		t.same += count
	case from == uuid.Nil:
		t.gained += count
	case to == uuid.Nil:
		t.lost += count
		t.losses[loss{routing.ShownPrefix(m.to), fault.From(after.err).Reason}] += count
	default:
		t.moved += count
	}
	code := codeOf(m.to)
	return errors.Join(t.pay(0, code, count, before), t.pay(1, code, count, after))
}

func (t *tally) pay(side int, code callingCode, count int64, a *answer) error {
	winner := a.winner()
	if winner == nil {
		return nil
	}
	price := winner.Price
	one, all := entry(t.costs, costOf{winner.ID, code, price.Currency}), entry(t.sums, price.Currency)
	one[side].count += count
	all[side].count += count
	// The sum over everything is never the smaller one.
	if err := addTo(&all[side].nanos, price.Nanos, count); err != nil {
		return err
	}
	return addTo(&one[side].nanos, price.Nanos, count)
}

func entry[K comparable](of map[K]*cost, key K) *cost {
	c := of[key]
	if c == nil {
		c = new(cost)
		of[key] = c
	}
	return c
}

// ReasonSum marks a cost that is too large to be told.
const ReasonSum = "SUM_TOO_LARGE"

// addTo adds count times a price.
func addTo(sum *int64, nanos, count int64) error {
	high, low := bits.Mul64(uint64(nanos), uint64(count))
	if high != 0 || low > uint64(math.MaxInt64-*sum) {
		return fault.New(fault.FailedPrecondition, ReasonSum,
			"The cost of the sample is above 9223372036.85 in a currency: replay a smaller sample.")
	}
	*sum += int64(low)
	return nil
}
