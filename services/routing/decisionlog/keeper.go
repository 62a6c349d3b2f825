package decisionlog

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/journal"
	"trunkline/services/platform/secret"
	"trunkline/services/routing"
)

const (
	storeLimit  = 15 * time.Second
	eraseLimit  = time.Minute
	noteLimit   = 5 * time.Second
	exportBatch = 500
	// maxOutcomes is how many reports an export shows of one decision.
	maxOutcomes = 8
)

// Keeper stores the log and finds decisions in it.
type Keeper struct {
	db   *bun.DB
	keys []secret.Text
	// samplePage is how many samples are read at a time.
	samplePage int
	// looks are the places of calls that look at many decisions.
	looks *places
}

// NewKeeper gives the log in a migrated database. keys are those of numbers that can be looked for: the present one and
// former ones.
func NewKeeper(db *bun.DB, keys ...secret.Text) *Keeper {
	return &Keeper{db: db, keys: keys, samplePage: samplePage, looks: newPlaces(looksAtOnce, looksEach)}
}

type decisionRow struct {
	bun.BaseModel `bun:"table:decision_log,alias:d"`

	DecisionID    uuid.UUID  `bun:"decision_id"`
	DecidedAt     time.Time  `bun:"decided_at"`
	AccountID     uuid.UUID  `bun:"account_id"`
	NumberHash    []byte     `bun:"number_hash"`
	HashKeyID     string     `bun:"hash_key_id"`
	MessageType   string     `bun:"message_type"`
	MatchedPrefix string     `bun:"matched_prefix"`
	RuleID        *uuid.UUID `bun:"rule_id"`
	OperatorID    *uuid.UUID `bun:"operator_id"`
	PriceNanos    *int64     `bun:"price_nanos"`
	Currency      *string    `bun:"currency"`
	Failure       string     `bun:"failure"`
	ReleaseID     string     `bun:"release_id"`
	ConfigVersion int64      `bun:"config_version"`
	RulesVersion  int64      `bun:"rules_version"`
	AlgoVersion   int32      `bun:"algo_version"`
	Cache         string     `bun:"cache"`
	HealthUnknown bool       `bun:"health_unknown"`
	LatencyMicros int64      `bun:"latency_micros"`
	NumberPrefix  string     `bun:"number_prefix"`
	NumberDigits  int16      `bun:"number_digits"`
}

type outcomeRow struct {
	bun.BaseModel `bun:"table:decision_outcomes,alias:o"`

	ReportID      uuid.UUID  `bun:"report_id"`
	ReportedAt    time.Time  `bun:"reported_at"`
	DecisionID    uuid.UUID  `bun:"decision_id"`
	AccountID     *uuid.UUID `bun:"account_id"`
	OperatorID    uuid.UUID  `bun:"operator_id"`
	Outcome       string     `bun:"outcome"`
	CommandStatus int64      `bun:"command_status"`
	Segments      int32      `bun:"segments"`
}

// Consume stores batches until the subscription ends. Processes share the work.
func (k *Keeper) Consume(ctx context.Context, conn *jetstream.Conn) (*jetstream.Subscription, error) {
	return conn.Durable(ctx, jetstream.DurableSpec{Stream: Stream, Name: durable}, func(ctx context.Context, m jetstream.Message) error {
		var batch routingv1.DecisionBatch
		if err := proto.Unmarshal(m.Data, &batch); err != nil {
			return jetstream.Poison("this is no batch of decisions", err)
		}
		err := k.Store(ctx, &batch)
		if errors.Is(err, errMalformed) {
			return jetstream.Poison("a decision or an outcome cannot be read", err)
		}
		return err
	})
}

var errMalformed = errors.New("malformed")

func convert[From, To any](from []From, one func(From) (To, error)) ([]To, error) {
	out := make([]To, 0, len(from))
	for _, f := range from {
		to, err := one(f)
		if err != nil {
			return nil, err
		}
		out = append(out, to)
	}
	return out, nil
}

func newDecisionRow(r *routingv1.DecisionRecord) (decisionRow, error) {
	hash, hashErr := hex.DecodeString(r.GetNumberHash())
	row := decisionRow{
		DecidedAt: r.GetDecideTime().AsTime(), NumberHash: hash, HashKeyID: r.GetHashKeyId(),
		MessageType: short(r.GetMessageType().String()), MatchedPrefix: r.GetMatchedPrefix(), Failure: r.GetFailure(),
		ReleaseID: r.GetMeta().GetReleaseId(), ConfigVersion: r.GetMeta().GetConfigVersion(), RulesVersion: r.GetMeta().GetRulesVersion(),
		AlgoVersion: r.GetMeta().GetAlgoVersion(), Cache: short(r.GetMeta().GetCache().String()), HealthUnknown: r.GetMeta().GetHealthUnknown(),
		LatencyMicros: r.GetLatency().AsDuration().Microseconds(),
	}
	err := errors.Join(hashErr, numberStart(&row, r), required(&row.DecisionID, r.GetDecisionId()), required(&row.AccountID, r.GetAccountId()),
		optionalID(&row.RuleID, r.GetRuleId()), optionalID(&row.OperatorID, r.GetOperatorId()))
	if err == nil && len(hash) != 32 {
		err = errors.New("a hash has 32 bytes")
	}
	if p := r.GetUnitPrice(); p != nil {
		nanos, currency := p.GetNanos(), p.GetCurrencyCode()
		row.PriceNanos, row.Currency = &nanos, &currency
	}
	return row, malformed(err)
}

// numberStart takes over what a record shows of the number. More than the masked form shows is malformed, whoever sent it.
func numberStart(row *decisionRow, r *routingv1.DecisionRecord) error {
	if r.GetNumberPrefix() == "" {
		return nil
	}
	digits := r.GetNumberDigits()
	p, err := e164.ParsePrefix(r.GetNumberPrefix())
	if err != nil {
		return err
	}
	hidden := int(digits) - len(p.Digits())
	if digits > e164.MaxNumberDigits || hidden < 0 {
		return errors.New("a number does not have so many digits")
	}
	if routing.ShownPrefix(e164.Number(p.String()+strings.Repeat("0", hidden))) != p {
		return errors.New("too many digits of a number")
	}
	row.NumberPrefix, row.NumberDigits = p.Digits(), int16(digits)
	return nil
}

func newOutcomeRow(r *routingv1.ReportedOutcome) (outcomeRow, error) {
	o := r.GetOutcome()
	row := outcomeRow{
		ReportedAt: o.GetReportTime().AsTime(), Outcome: short(o.GetOutcome().String()), CommandStatus: int64(o.GetCommandStatus()),
		Segments: int32(min(o.GetSegments(), 255)),
	}
	return row, malformed(errors.Join(required(&row.ReportID, r.GetReportId()), required(&row.DecisionID, r.GetDecisionId()),
		optionalID(&row.AccountID, r.GetAccountId()), required(&row.OperatorID, o.GetOperatorId())))
}

func malformed(err error) error {
	if err == nil {
		return nil
	}
	return errors.Join(errMalformed, err)
}

func required(into *uuid.UUID, text string) (err error) {
	*into, err = uuid.Parse(text)
	return err
}

func optionalID(into **uuid.UUID, text string) error {
	if text == "" {
		return nil
	}
	id, err := uuid.Parse(text)
	*into = &id
	return err
}

// The prefixes of the enums in the schema. Rows have the short names.
var enumPrefixes = []string{"MESSAGE_TYPE_", "CACHE_RESULT_", "OUTCOME_"}

func short(name string) string {
	for _, prefix := range enumPrefixes {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return rest
		}
	}
	return name
}

// Export gives the decisions that the filter chooses, oldest first, with their outcomes, some at a time.
func (k *Keeper) Export(ctx context.Context, f routing.RecordFilter, give func([]*routingv1.DecisionRecord) error) error {
	var after *decisionRow
	for {
		rows, err := k.page(ctx, f, after)
		if err != nil {
			return err
		}
		records, err := withOutcomes(ctx, k.db, rows)
		if err != nil {
			return err
		}
		if len(records) > 0 {
			if err := give(records); err != nil {
				return err
			}
		}
		if len(rows) < exportBatch {
			return nil
		}
		after = &rows[len(rows)-1]
	}
}

func (k *Keeper) page(ctx context.Context, f routing.RecordFilter, after *decisionRow) (rows []decisionRow, err error) {
	if f.Number != "" && len(k.keys) == 0 {
		return nil, noKey()
	}
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, "export_decisions"), storeLimit)
	defer cancel()
	q := k.where(k.db.NewSelect().Model(&rows), f).Order("d.decided_at", "d.decision_id").Limit(exportBatch)
	if after != nil {
		q = q.Where("d.decided_at >= ?", after.DecidedAt).Where("(d.decided_at, d.decision_id) > (?, ?)", after.DecidedAt, after.DecisionID)
	}
	return rows, bunstore.Fault(q.Scan(ctx))
}

// where leaves what the filter chooses.
func (k *Keeper) where(q *bun.SelectQuery, f routing.RecordFilter) *bun.SelectQuery {
	if !f.From.IsZero() {
		q = q.Where("d.decided_at >= ?", f.From)
	}
	if !f.To.IsZero() {
		q = q.Where("d.decided_at < ?", f.To)
	}
	if f.Account != uuid.Nil {
		q = q.Where("d.account_id = ?", f.Account)
	}
	if f.ID != uuid.Nil {
		q = q.Where("d.decision_id = ?", f.ID)
	}
	if f.Operator != uuid.Nil {
		q = q.Where("d.operator_id = ?", f.Operator)
	}
	if f.Number != "" {
		q = q.Where("d.number_hash IN (?)", bun.List(k.hashes(f.Number)))
	}
	if f.Start != "" {
		q = q.Where("d.number_prefix LIKE ?", routing.KeptPrefix(f.Start).Digits()+"%")
	}
	if f.Failed {
		q = q.Where("d.failure <> ''")
	}
	return q
}

// ReasonNoKey marks a search for a number in a log whose key is not known here.
const ReasonNoKey = "NO_DECISION_LOG_KEY"

func noKey() error {
	return fault.New(fault.FailedPrecondition, ReasonNoKey,
		"Decisions about a number cannot be found without the key of the log: give decisions.key to operator-management.")
}

// hashes are what a number may be stored as.
func (k *Keeper) hashes(number e164.Number) [][]byte {
	out := make([][]byte, len(k.keys))
	for i, key := range k.keys {
		out[i] = NewHasher(key).Hash(number)
	}
	return out
}

func withOutcomes(ctx context.Context, db bun.IDB, rows []decisionRow) ([]*routingv1.DecisionRecord, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, "export_outcomes"), storeLimit)
	defer cancel()
	ids := make([]uuid.UUID, len(rows))
	accounts := make(map[uuid.UUID]uuid.UUID, len(rows))
	for i := range rows {
		ids[i] = rows[i].DecisionID
		accounts[rows[i].DecisionID] = rows[i].AccountID
	}
	var outcomes []outcomeRow
	if err := db.NewSelect().Model(&outcomes).Where("o.decision_id IN (?)", bun.List(ids)).
		Order("o.reported_at", "o.report_id").Scan(ctx); err != nil {
		return nil, bunstore.Fault(err)
	}
	of := map[uuid.UUID][]*routingv1.OutcomeRecord{}
	for i := range outcomes {
		o := &outcomes[i]
		if o.AccountID != nil && *o.AccountID != accounts[o.DecisionID] {
			continue // somebody else's decision
		}
		of[o.DecisionID] = append(of[o.DecisionID], &routingv1.OutcomeRecord{
			ReportTime: timestamppb.New(o.ReportedAt), OperatorId: o.OperatorID.String(), Outcome: routingv1.Outcome(routingv1.Outcome_value["OUTCOME_"+o.Outcome]),
			CommandStatus: uint32(o.CommandStatus), Segments: uint32(o.Segments),
		})
	}
	records := make([]*routingv1.DecisionRecord, len(rows))
	for i := range rows {
		records[i] = rows[i].record()
		all := of[rows[i].DecisionID]
		records[i].Outcomes = all[max(0, len(all)-maxOutcomes):]
	}
	return records, nil
}

func (r *decisionRow) record() *routingv1.DecisionRecord {
	out := &routingv1.DecisionRecord{
		DecisionId: r.DecisionID.String(), DecideTime: timestamppb.New(r.DecidedAt), AccountId: r.AccountID.String(),
		NumberHash: hex.EncodeToString(r.NumberHash), HashKeyId: r.HashKeyID,
		MessageType:   routingv1.MessageType(routingv1.MessageType_value["MESSAGE_TYPE_"+r.MessageType]),
		MatchedPrefix: r.MatchedPrefix, Failure: r.Failure,
		Meta: &routingv1.DecisionMeta{
			DecisionId: r.DecisionID.String(), ReleaseId: r.ReleaseID, ConfigVersion: r.ConfigVersion, RulesVersion: r.RulesVersion,
			AlgoVersion: r.AlgoVersion, Cache: routingv1.CacheResult(routingv1.CacheResult_value["CACHE_RESULT_"+r.Cache]), HealthUnknown: r.HealthUnknown,
		},
		Latency:      durationpb.New(time.Duration(r.LatencyMicros) * time.Microsecond),
		NumberPrefix: e164.Prefix(r.NumberPrefix).String(), NumberDigits: int32(r.NumberDigits),
	}
	if r.RuleID != nil {
		out.RuleId = r.RuleID.String()
	}
	if r.OperatorID != nil {
		out.OperatorId = r.OperatorID.String()
	}
	if r.PriceNanos != nil && r.Currency != nil {
		out.UnitPrice = &routingv1.Money{Nanos: *r.PriceNanos, CurrencyCode: *r.Currency}
	}
	return out
}

// Erase takes away every decision about a number, with its outcomes, and tells how many there were. One transaction also
// takes them out of the sums and writes the audit row: without it nothing is erased.
func (k *Keeper) Erase(ctx context.Context, e routing.Erasure) (n int64, err error) {
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, "erase_decisions"), eraseLimit)
	defer cancel()
	if len(k.keys) == 0 {
		return 0, noKey()
	}
	hashes := bun.List(k.hashes(e.Number))
	if e.DryRun {
		count, err := k.db.NewSelect().Model((*decisionRow)(nil)).Where("d.number_hash IN (?)", hashes).Count(ctx)
		return count, bunstore.Fault(err)
	}
	err = changing(ctx, k.db, func(ctx context.Context, tx bun.Tx) error {
		s, err := holdSums(ctx, tx)
		if err != nil {
			return err
		}
		if err := k.countRows(ctx, tx, routing.RecordFilter{Number: e.Number}, s, -1); err != nil {
			return err
		}
		if err := s.put(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.NewRaw(`DELETE FROM decision_outcomes WHERE decision_id IN
			(SELECT decision_id FROM decision_log WHERE number_hash IN (?))`, hashes).Exec(ctx); err != nil {
			return err
		}
		result, err := tx.NewRaw("DELETE FROM decision_log WHERE number_hash IN (?)", hashes).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err = result.RowsAffected(); err != nil {
			return err
		}
		// It does not name the number.
		return journal.Record(ctx, tx, journal.Entry{
			At: e.At, Actor: e.Actor, RequestID: e.RequestID, Action: "decisions.erase", Entity: "decision_log", After: fmt.Appendf(nil, `{"erased":%d}`, n),
		})
	})
	return n, bunstore.Fault(err)
}
