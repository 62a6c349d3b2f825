package access

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// What a limit and a queue may be.
const (
	minRate      = 0.001
	maxRate      = 1_000_000
	maxBurst     = 1_000_000
	maxInFlight  = 1_000_000
	maxQueueWait = 10 * time.Second

	// One caller has this part of the places, but not fewer than minShare.
	shareOfCaller = 4
	minShare      = 8
)

// LimitConfig says how much callers may do.
type LimitConfig struct {
	PerPrincipal            Limit                  `koanf:"per_principal" doc:"Limit of one key, token subject or certificate."`
	PerAccount              Limit                  `koanf:"per_account" doc:"Limit of all callers of one account together."`
	Principals              map[string]CustomLimit `koanf:"principals" doc:"Limits of single principals as RATE/BURST, by the name that the audit log shows, such as key:ID: 500/1000. 0 is no limit."`
	Accounts                map[string]CustomLimit `koanf:"accounts" doc:"Limits of single accounts as RATE/BURST, by account id. 0 is no limit."`
	MaxInFlightPerPrincipal int                    `koanf:"max_in_flight_per_principal" doc:"Calls that one principal, or all callers of one account, may have under way at the same time. 0: a quarter of max_in_flight, at least 8."`
	MaxInFlight             int                    `koanf:"max_in_flight" doc:"Calls that are worked on at the same time. 0: no limit."`
	Queue                   int                    `koanf:"queue" doc:"Calls that may wait for one of these places. A newer call pushes the oldest out. 0: nobody waits."`
	QueueWait               time.Duration          `koanf:"queue_wait" doc:"Longest time a call waits for a place (up to 10s). 0: nobody waits."`
}

// DefaultLimitConfig suits a process on a few cores. The limits stop a runaway client, not a busy one.
func DefaultLimitConfig() LimitConfig {
	return LimitConfig{
		PerPrincipal: Limit{Rate: 5_000, Burst: 10_000},
		PerAccount:   Limit{Rate: 10_000, Burst: 20_000},
		MaxInFlight:  256,
		Queue:        256,
		QueueWait:    100 * time.Millisecond,
	}
}

// Validate returns every problem at once, each as a sentence that says how to fix it.
func (c LimitConfig) Validate() error {
	errs := []error{c.PerPrincipal.validate("per_principal"), c.PerAccount.validate("per_account")}
	for _, name := range slices.Sorted(maps.Keys(c.Principals)) {
		errs = append(errs, Limit(c.Principals[name]).validate("principals: "+name))
	}
	for _, id := range slices.Sorted(maps.Keys(c.Accounts)) {
		if parsed, err := uuid.Parse(id); err != nil || parsed == uuid.Nil {
			errs = append(errs, fmt.Errorf("accounts: %q must be the id of an account, a UUID", id))
		}
		errs = append(errs, Limit(c.Accounts[id]).validate("accounts: "+id))
	}
	if c.MaxInFlight < 0 || c.MaxInFlight > maxInFlight {
		errs = append(errs, fmt.Errorf("max_in_flight must be from 1 to %d, or 0 for no limit", maxInFlight))
	}
	if c.MaxInFlightPerPrincipal < 0 || c.MaxInFlightPerPrincipal > maxInFlight {
		errs = append(errs, fmt.Errorf("max_in_flight_per_principal must be from 1 to %d, or 0 for a quarter of max_in_flight", maxInFlight))
	}
	if c.Queue < 0 || c.Queue > maxInFlight {
		errs = append(errs, fmt.Errorf("queue must be from 0 to %d", maxInFlight))
	}
	if c.QueueWait < 0 || c.QueueWait > maxQueueWait {
		errs = append(errs, fmt.Errorf("queue_wait must be from 0s to %s: callers that wait longer have given up", maxQueueWait))
	}
	return errors.Join(errs...)
}

func (l Limit) validate(key string) error {
	switch {
	case l.None():
	case math.IsNaN(l.Rate) || l.Rate < minRate || l.Rate > maxRate:
		return fmt.Errorf("%s: rate must be from %g to %d, or 0 for no limit", key, minRate, maxRate)
	case l.Burst < 1 || l.Burst > maxBurst:
		return fmt.Errorf("%s: burst must be from 1 to %d", key, maxBurst)
	}
	return nil
}

// Limits returns the rates. The configuration must be valid.
func (c LimitConfig) Limits() Limits {
	l := Limits{
		Principal: c.PerPrincipal, Account: c.PerAccount,
		Principals: make(map[string]Limit, len(c.Principals)), Accounts: make(map[uuid.UUID]Limit, len(c.Accounts)),
	}
	for name, own := range c.Principals {
		l.Principals[name] = Limit(own)
	}
	for id, own := range c.Accounts {
		l.Accounts[uuid.MustParse(id)] = Limit(own)
	}
	return l
}

// Admission returns the limits of an Admission.
func (c LimitConfig) Admission() AdmissionLimits {
	return AdmissionLimits{MaxInFlight: c.MaxInFlight, Queue: c.Queue, QueueWait: c.QueueWait}
}

// InFlight returns the limit of an InFlight.
func (c LimitConfig) InFlight() int {
	if c.MaxInFlightPerPrincipal > 0 || c.MaxInFlight == 0 {
		return c.MaxInFlightPerPrincipal
	}
	return max(c.MaxInFlight/shareOfCaller, minShare)
}

// CustomLimit is a Limit that is written RATE/BURST, such as 500/1000 or 0.5/1, or 0 for no limit.
type CustomLimit Limit

// UnmarshalText reads the written form.
func (l *CustomLimit) UnmarshalText(text []byte) error {
	if string(text) == "0" {
		*l = CustomLimit{}
		return nil
	}
	rate, burst, _ := strings.Cut(string(text), "/")
	r, rateErr := strconv.ParseFloat(rate, 64)
	b, burstErr := strconv.Atoi(burst)
	if rateErr != nil || burstErr != nil {
		return errors.New(`write RATE/BURST, such as "500/1000", or "0" for no limit`)
	}
	*l = CustomLimit{Rate: r, Burst: b}
	return nil
}

// MarshalText returns the written form.
func (l CustomLimit) MarshalText() ([]byte, error) {
	if Limit(l).None() {
		return []byte("0"), nil
	}
	return []byte(strconv.FormatFloat(l.Rate, 'f', -1, 64) + "/" + strconv.Itoa(l.Burst)), nil
}
