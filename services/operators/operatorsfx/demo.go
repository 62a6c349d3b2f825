package operatorsfx

import (
	"context"
	"log/slog"

	"go.uber.org/fx"

	"trunkline/services/operators/demo"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/platformfx"
)

// DemoAccountID is the account that owns the account rules of the demo data.
const DemoAccountID = demo.AccountID

// DemoData puts the demo data into an empty store. Place it before the engine, so that the first rules read are
// these.
var DemoData = fx.Module("demo-data", fx.Invoke(func(lc fx.Lifecycle, importer *Importer) {
	lc.Append(fx.StartHook(func(ctx context.Context) error { return importer.ImportDemo(ctx, demo.Operators, demo.Rules) }))
}))

// DemoSessions brings the sessions of the operators up and keeps them so. Place it behind the engine, which makes
// the stream.
var DemoSessions = fx.Module("demo-sessions", fx.Invoke(func(lc fx.Lifecycle, importer *Importer, conn *jetstream.Conn, log *slog.Logger) {
	sessions := demo.NewSessions(conn, log)
	lc.Append(fx.StartHook(func(ctx context.Context) error {
		ids, err := importer.OperatorIDs(ctx)
		if err != nil {
			return err
		}
		return sessions.Bind(ctx, ids)
	}))
	platformfx.Background(lc, sessions.Run)
}))
