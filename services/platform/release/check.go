package release

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

// The same checks guard both ends, so nothing is compiled that no engine would take.

const (
	maxText       = 255
	maxPort       = 65535
	maxCandidates = 100
	maxOperators  = 1_000_000
	maxFX         = 1000
)

// Bounds of a time: above the zero time, which is no bound, and below the year 10000.
var (
	minMicros = time.Time{}.UnixMicro() + 1
	maxMicros = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro() - 1
)

func (o *Operator) check() error {
	switch {
	case o.ID == uuid.Nil:
		return errors.New("it has no id")
	case o.Name == "" || len(o.Name) > maxText:
		return errors.New("its name is empty or too long")
	case o.Host == "" || len(o.Host) > maxText:
		return errors.New("its host is empty or too long")
	case len(o.SystemID) > maxText:
		return errors.New("its system_id is too long")
	case o.Port < 1 || o.Port > maxPort:
		return fmt.Errorf("its port is %d", o.Port)
	case o.MaxTPS < 1:
		return fmt.Errorf("its max_tps is %d", o.MaxTPS)
	case o.Status != Inactive && o.Status != Active && o.Status != Suspended:
		return errors.New("its status is not known")
	}
	return checkTypes(o.Types)
}

func (f FXRate) check() error {
	if f.Nanos < 1 {
		return fmt.Errorf("its rate is %d", f.Nanos)
	}
	return checkCurrency(f.Currency)
}

func (r *Rule) check() error {
	if r.ID == uuid.Nil {
		return errors.New("it has no id")
	}
	if err := checkPrefix(r.Prefix); err != nil {
		return err
	}
	if err := checkTypes(r.Types); err != nil {
		return err
	}
	if err := checkStrategy(r.Strategy); err != nil {
		return err
	}
	if len(r.Candidates) < 1 || len(r.Candidates) > maxCandidates {
		return fmt.Errorf("it has %d candidates", len(r.Candidates))
	}
	for i := range r.Candidates {
		c := &r.Candidates[i]
		if err := c.check(); err != nil {
			return err
		}
		if c.Price.IsZero() {
			continue
		}
		if err := checkCurrency(c.Price.Currency); err != nil {
			return err
		}
	}
	return nil
}

// check leaves out whether the currency is known.
func (c *Candidate) check() error {
	switch {
	case c.Operator == uuid.Nil:
		return errors.New("a candidate has no operator")
	case c.Priority < 1:
		return fmt.Errorf("a candidate's priority is %d", c.Priority)
	case c.Weight < 0:
		return fmt.Errorf("a candidate's weight is %d", c.Weight)
	case c.Price.Nanos < 0 || c.Price.IsZero() && c.Price.Nanos != 0:
		return errors.New("a candidate's price is negative or has no currency")
	}
	return nil
}

func (r *Rate) check() error {
	switch {
	case r.ID == uuid.Nil:
		return errors.New("it has no id")
	case r.Operator == uuid.Nil:
		return errors.New("it has no operator")
	case r.Price.Nanos < 0:
		return errors.New("its price is negative")
	}
	if err := checkCurrency(r.Price.Currency); err != nil {
		return err
	}
	if err := checkMessageType(r.Type); err != nil {
		return err
	}
	return checkPrefix(r.Prefix)
}

func checkTypes(t MessageTypes) error {
	if t == 0 || t > AllTypes {
		return fmt.Errorf("its message types are %d", t)
	}
	return nil
}

func checkStrategy(s routingv1.RoutingStrategy) error {
	if s < routingv1.RoutingStrategy_ROUTING_STRATEGY_COST || s > routingv1.RoutingStrategy_ROUTING_STRATEGY_WEIGHTED {
		return fmt.Errorf("its strategy is %d", s)
	}
	return nil
}

func checkMessageType(t routingv1.MessageType) error {
	if t < routingv1.MessageType_MESSAGE_TYPE_SMS || t > routingv1.MessageType_MESSAGE_TYPE_WAP {
		return fmt.Errorf("its message type is %d", t)
	}
	return nil
}

func checkCurrency(c money.Currency) error {
	if _, err := money.ParseCurrency(c.String()); err != nil {
		return errors.New("its currency is not known")
	}
	return nil
}

func checkPrefix(p e164.Prefix) error {
	if len(p) < 1 || len(p) > e164.MaxPrefixDigits || p[0] == '0' {
		return errors.New("its prefix has no digits, too many, or a leading zero")
	}
	for i := range len(p) {
		if p[i] < '0' || p[i] > '9' {
			return errors.New("its prefix is not made of digits")
		}
	}
	return nil
}

// noTime stands for no bound, and comes before every time.
const noTime = math.MinInt64

// micros is a time as it is stored. Anything below a microsecond is dropped.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return noTime
	}
	return t.UnixMicro()
}

func checkMicros(m int64) error {
	if m != noTime && (m < minMicros || m > maxMicros) {
		return errors.New("its validity is outside the years 1 to 9999")
	}
	return nil
}

func moment(m int64) time.Time {
	if m == noTime {
		return time.Time{}
	}
	return time.UnixMicro(m).UTC()
}
