package operatorsfx

import (
	"context"
	"fmt"
	"log/slog"

	"go.uber.org/fx"

	"trunkline/services/operators"
	"trunkline/services/operators/database"
	"trunkline/services/operators/demo"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/platformfx"
)

// DemoAccountID is the account that owns the account rules of the demo data.
const DemoAccountID = demo.AccountID

// demoRequest is who the audit log says imported the demo data.
var demoRequest = operators.Request{Actor: "demo"}

// DemoData puts the demo data into an empty store. Place it before the engine, so that the first rules read are
// these.
var DemoData = fx.Module("demo-data", fx.Invoke(func(lc fx.Lifecycle, importer *operators.Importer, store *database.Store) {
	lc.Append(fx.StartHook(func(ctx context.Context) error { return ImportDemo(ctx, importer, store, demo.Operators, demo.Rules) }))
}))

// ImportDemo stores demo files in a database that has no operators, or no rules, yet. Data that is there stays, so
// that changes survive a restart. Bad lines are an error here.
func ImportDemo(ctx context.Context, importer *operators.Importer, store *database.Store, operatorsFile, rulesFile []byte) error {
	known, _, _, err := store.ListOperators(ctx, operators.OperatorFilter{Limit: 1})
	if err != nil {
		return err
	}
	rules, _, _, err := store.ListRules(ctx, operators.RuleFilter{Limit: 1})
	if err != nil {
		return err
	}
	if len(known) == 0 {
		if err := whole(importer.ImportOperators(ctx, demoRequest, operatorsFile, nil)); err != nil {
			return fmt.Errorf("import the demo operators: %w", err)
		}
	}
	if len(rules) == 0 {
		if err := whole(importer.ImportRules(ctx, demoRequest, rulesFile, nil)); err != nil {
			return fmt.Errorf("import the demo rules: %w", err)
		}
	}
	return nil
}

// whole turns bad lines into an error.
func whole(result operators.Result, err error) error {
	if err != nil || len(result.BadLines) == 0 {
		return err
	}
	first := result.BadLines[0]
	return fmt.Errorf("%d bad lines, the first is line %d, column %q: %s", result.BadLineCount, first.Line, first.Column, first.Message)
}

// DemoSessions plays the connector of the demo operators: it reports their sessions as up. Place it behind the
// control plane, which makes the stream.
var DemoSessions = fx.Module("demo-sessions", fx.Invoke(func(lc fx.Lifecycle, store *database.Store, conn *jetstream.Conn, log *slog.Logger) {
	sessions := demo.NewSessions(conn, log)
	lc.Append(fx.StartHook(func(ctx context.Context) error {
		all, _, err := store.LiveOperators(ctx)
		if err != nil {
			return err
		}
		ids := make([]string, len(all))
		for i, o := range all {
			ids[i] = o.ID.String()
		}
		if err := sessions.Bind(ctx, ids); err != nil {
			// A start does not fail because of the stand-in for a connector.
			log.WarnContext(ctx, "the demo sessions are reported with the next heartbeat", "error", err)
		}
		return nil
	}))
	platformfx.Background(lc, sessions.Run)
}))
