package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/migrations"
	"trunkline/services/operators"
	"trunkline/services/operators/bus"
	"trunkline/services/operators/database"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/money"
)

// databaseConfig opens the SQLite file.
func databaseConfig(file string) bunstore.Config {
	c := bunstore.DefaultConfig()
	c.URL = config.NewSecret("sqlite:" + file)
	return c
}

// seed makes a database with the rule set, the way an operator's own files get in: through the importer. Rates
// have no importer and are stored as rows. The operators of the set get the ids that the store gave them.
func seed(ctx context.Context, file string, c *carrier) (err error) {
	log := slog.New(slog.DiscardHandler)
	db, err := bunstore.Open(ctx, databaseConfig(file), log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	m, err := bunstore.NewMigrator(db, bunstore.Migrations{Files: migrations.SQLite, Dir: "sqlite"}, clock.System())
	if err != nil {
		return err
	}
	if _, err := m.Up(ctx); err != nil {
		return err
	}
	store := database.New(db, bunstore.NewReader(db), bus.Encode)
	importer := operators.NewImporter(store, silence{}, time.Now, log, money.Money{})
	if err := whole(importer.ImportOperators(ctx, asker, c.operatorsCSV(), nil)); err != nil {
		return fmt.Errorf("import operators: %w", err)
	}
	if err := c.adoptIDs(ctx, store); err != nil {
		return err
	}
	if err := c.insertRates(ctx, db); err != nil {
		return fmt.Errorf("insert rates: %w", err)
	}
	if err := whole(importer.ImportRules(ctx, asker, c.rulesCSV(), nil)); err != nil {
		return fmt.Errorf("import rules: %w", err)
	}
	return nil
}

// asker is who the audit log of the benchmark names.
var asker = operators.Request{Actor: "bench"}

// silence wakes nobody: no relay runs, and no engine yet.
type silence struct{}

// Wake implements operators.Waker.
func (silence) Wake() {}

func whole(r operators.Result, err error) error {
	if err == nil && r.BadLineCount > 0 {
		return fmt.Errorf("%d bad lines, the first: %+v", r.BadLineCount, r.BadLines[0])
	}
	return err
}

func (c *carrier) operatorsCSV() []byte {
	lines := [][]string{{"name", "host", "port", "system_id", "bind_type", "max_tps", "message_types", "status"}}
	for _, o := range c.operators {
		lines = append(lines, []string{
			o.Name, o.Host, strconv.Itoa(int(o.Port)), o.SystemID, "TRANSCEIVER", strconv.Itoa(int(o.TPSLimit)), "SMS", "ACTIVE",
		})
	}
	return csvOf(lines)
}

func (c *carrier) rulesCSV() []byte {
	lines := [][]string{{
		"account", "prefix", "country", "message_types", "strategy", "on_exhausted", "operator", "priority", "weight", "price", "currency",
	}}
	for i, prefix := range c.prefixes {
		owner := ""
		if c.owned(i) {
			owner = account.String()
		}
		for k, at := range c.lists[i] {
			lines = append(lines, []string{
				owner, "+" + prefix, "DE", "", "COST", "FAIL", c.operators[at].Name, strconv.Itoa(k + 1), "100", "", "",
			})
		}
	}
	return csvOf(lines)
}

func csvOf(lines [][]string) []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	_ = w.WriteAll(lines) // a buffer takes everything
	return out.Bytes()
}

// adoptIDs replaces the made-up ids of the operators by those of the store.
func (c *carrier) adoptIDs(ctx context.Context, store *database.Store) error {
	stored, _, err := store.LiveOperators(ctx)
	if err != nil {
		return err
	}
	ids := map[string]uuid.UUID{}
	for _, o := range stored {
		ids[o.Name] = o.ID
	}
	renamed := map[uuid.UUID]uuid.UUID{}
	for i := range c.operators {
		o := &c.operators[i]
		renamed[o.ID], o.ID = ids[o.Name], ids[o.Name]
	}
	for i := range c.rates {
		c.rates[i].Operator = renamed[c.rates[i].Operator]
	}
	return nil
}

// rateRow is a row of the table rates.
type rateRow struct {
	bun.BaseModel `bun:"table:rates"`

	RateID        uuid.UUID `bun:"rate_id"`
	OperatorID    uuid.UUID `bun:"operator_id"`
	Prefix        string    `bun:"prefix"`
	MessageType   string    `bun:"message_type"`
	PriceNanos    int64     `bun:"price_nanos"`
	Currency      string    `bun:"currency"`
	EffectiveFrom time.Time `bun:"effective_from"`
}

func (c *carrier) insertRates(ctx context.Context, db *bun.DB) error {
	var rows []rateRow
	for i, r := range c.rates {
		rows = append(rows, rateRow{
			RateID: uuid.UUID{0: byte(i >> 8), 1: byte(i), 6: 0x70, 8: 0x80, 15: 9}, OperatorID: r.Operator,
			Prefix: r.Prefix.String(), MessageType: r.Type.String(), PriceNanos: r.Price.Nanos,
			Currency: r.Price.Currency.String(), EffectiveFrom: decideTime.AddDate(-1, 0, 0),
		})
	}
	const chunk = 1000
	for some := range slices.Chunk(rows, chunk) {
		if _, err := db.NewInsert().Model(&some).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}
