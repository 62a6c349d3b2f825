package decisionlog

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/e164"
	"trunkline/services/routing"
)

// parcel is a batch in the making. The next batch uses its memory again, for one is made of every decision of the
// process. It is for one goroutine.
type parcel struct {
	batch   routingv1.DecisionBatch
	records [batchMost]piece
	texts   strings.Builder
	hasher  *Hasher
	// number and sum are what the hasher works on.
	number [e164.MaxNumberDigits + 1]byte
	sum    [sha256.Size]byte
}

// piece is one record with its parts.
type piece struct {
	record  routingv1.DecisionRecord
	meta    routingv1.DecisionMeta
	decided timestamppb.Timestamp
	latency durationpb.Duration
	price   routingv1.Money
}

// textsOfRecord is how long its ids and its hash are.
const textsOfRecord = 4*36 + 2*sha256.Size

// empty begins the next batch, of about so many records, which ends the one before.
func (p *parcel) empty(records int) {
	p.batch.Decisions, p.batch.Outcomes = p.batch.Decisions[:0], p.batch.Outcomes[:0]
	p.texts.Reset()
	p.texts.Grow(textsOfRecord * min(records, batchMost))
}

func (p *parcel) len() int { return len(p.batch.Decisions) + len(p.batch.Outcomes) }

func (p *parcel) add(e *entry) {
	if e.report != nil {
		p.batch.Outcomes = append(p.batch.Outcomes, wireReport(e.report))
		return
	}
	at := &p.records[len(p.batch.Decisions)]
	*at = piece{}
	p.fill(at, &e.record)
	p.batch.Decisions = append(p.batch.Decisions, &at.record)
}

func (p *parcel) fill(to *piece, r *routing.Record) {
	to.decided.Seconds, to.decided.Nanos = r.At.Unix(), int32(r.At.Nanosecond())
	to.latency.Seconds, to.latency.Nanos = int64(r.Latency/time.Second), int32(r.Latency%time.Second)
	to.meta.ReleaseId, to.meta.ConfigVersion, to.meta.RulesVersion = r.Versions.Release, r.Versions.Config, r.Versions.Rules
	to.meta.AlgoVersion, to.meta.Cache, to.meta.HealthUnknown = routing.AlgoVersion, cacheResults[r.Cache], r.HealthUnknown
	out := &to.record
	out.DecisionId, out.AccountId = p.uuid(r.ID), p.uuid(r.Account)
	out.DecideTime, out.Latency, out.Meta = &to.decided, &to.latency, &to.meta
	out.MessageType, out.Failure = messageTypes[r.Type], r.Failure
	out.NumberHash, out.HashKeyId = p.hash(r.To), p.hasher.KeyID()
	out.NumberPrefix, out.NumberDigits = routing.ShownPrefix(r.To).String(), int32(len(r.To.Digits()))
	if r.Failure == "" {
		out.MatchedPrefix = r.Prefix.String()
	}
	if r.Rule != uuid.Nil {
		out.RuleId = p.uuid(r.Rule)
	}
	if r.Operator != uuid.Nil {
		out.OperatorId = p.uuid(r.Operator)
	}
	if !r.Price.IsZero() {
		to.price.CurrencyCode, to.price.Nanos = r.Price.Currency.String(), r.Price.Nanos
		out.UnitPrice = &to.price
	}
}

func (p *parcel) uuid(id uuid.UUID) string {
	text, _ := id.MarshalText() // never fails
	return p.text(text)
}

// hash is Hasher.Hash without new memory.
func (p *parcel) hash(number e164.Number) string {
	mac := p.hasher.mac
	mac.Reset()
	mac.Write(append(p.number[:0], number.Raw()...))
	var text [2 * sha256.Size]byte
	hex.Encode(text[:], mac.Sum(p.sum[:0]))
	return p.text(text[:])
}

// text keeps a text in the one piece of memory of all texts of the batch.
func (p *parcel) text(b []byte) string {
	start := p.texts.Len()
	p.texts.Write(b)
	return p.texts.String()[start:]
}
