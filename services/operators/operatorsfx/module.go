// Package operatorsfx wires the control plane: the store, the importer, the
// announcer and the two services.
package operatorsfx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"

	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/services/operators"
	"trunkline/services/operators/bus"
	"trunkline/services/operators/database"
	"trunkline/services/operators/rpc"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcserver"
)

// Module is the control plane of operators and rules. It needs a database whose
// migrations are applied, a jetstream.Conn and platformfx.Module.
var Module = fx.Module("operators",
	fx.Provide(
		database.New,
		newAnnouncer,
		newImporter,
		newHandler,
		platformfx.Mount(newOperatorsMount),
		platformfx.Mount(newRulesMount),
		platformfx.Limits(newLimits),
	),
	fx.Invoke(func(lc fx.Lifecycle, conn *jetstream.Conn, log *slog.Logger) {
		lc.Append(fx.StartHook(func(ctx context.Context) error { return ensureStreams(ctx, conn, log) }))
	}),
)

// Standalone adds what operator-management needs when no engine shares its process.
var Standalone = fx.Module("operator-management",
	fx.Provide(
		func(reg prometheus.Registerer) (rpcserver.Metrics, error) {
			return rpcserver.NewMetrics(reg, "ops_grpc", nil)
		},
		platformfx.Dependency(func(s *database.Store) rpcserver.Dependency {
			return rpcserver.Dependency{Name: "database", Required: true, Check: func(ctx context.Context) error {
				_, _, err := s.ListOperators(ctx, "", 1)
				return err
			}}
		}),
	),
)

// streamsTimeout bounds how long a start waits for NATS; afterwards streams are
// made in the background.
const streamsTimeout = 2 * time.Second

func ensureStreams(ctx context.Context, conn *jetstream.Conn, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, streamsTimeout)
	defer cancel()
	_ = conn.AwaitConnected(ctx)
	err := conn.EnsureStreams(ctx, bus.Streams())
	if errors.Is(err, jetstream.ErrStreamMismatch) {
		return err
	}
	if err != nil {
		log.Warn("NATS is out of reach; changes reach the engines by their sweep until it is back", "error", err)
	}
	return nil
}

// Importer is the importer of the process.
type Importer struct {
	*operators.Importer
	store *database.Store
}

// ImportDemo stores demo files in a database that has no operators, or no rules,
// yet. Data that is there stays, so that changes survive a restart. Bad lines are
// an error here.
func (i *Importer) ImportDemo(ctx context.Context, operatorsFile, rulesFile []byte) error {
	known, _, err := i.store.ListOperators(ctx, "", 1)
	if err != nil {
		return err
	}
	rules, _, err := i.store.ListRules(ctx, nil, 1)
	if err != nil {
		return err
	}
	if len(known) == 0 {
		if err := whole(i.ImportOperators(ctx, operatorsFile, operators.Options{})); err != nil {
			return fmt.Errorf("import the demo operators: %w", err)
		}
	}
	if len(rules) == 0 {
		if err := whole(i.ImportRules(ctx, rulesFile, operators.Options{})); err != nil {
			return fmt.Errorf("import the demo rules: %w", err)
		}
	}
	return nil
}

// OperatorIDs gives the ids of the first thousand operators, by name; a
// development process has far fewer.
func (i *Importer) OperatorIDs(ctx context.Context) ([]string, error) {
	list, _, err := i.store.ListOperators(ctx, "", 1000)
	ids := make([]string, len(list))
	for n := range list {
		ids[n] = list[n].ID.String()
	}
	return ids, err
}

// whole turns bad lines into an error.
func whole(result operators.Result, err error) error {
	if err != nil || len(result.BadLines) == 0 {
		return err
	}
	first := result.BadLines[0]
	return fmt.Errorf("%d bad lines, the first is line %d, column %q: %s", result.BadLineCount, first.Line, first.Column, first.Message)
}

func newAnnouncer(conn *jetstream.Conn, reg prometheus.Registerer, log *slog.Logger) (*bus.Announcer, error) {
	return bus.NewAnnouncer(conn, reg, log)
}

func newImporter(store *database.Store, announcer *bus.Announcer, clk clock.Clock, log *slog.Logger) *Importer {
	return &Importer{Importer: operators.NewImporter(store, announcer, clk.Now, log), store: store}
}

func newHandler(store *database.Store, importer *Importer) *rpc.Handler {
	return rpc.NewHandler(store, importer)
}

func newOperatorsMount(h *rpc.Handler) rpcserver.Mount {
	return rpcserver.Mount{
		Name: operatorsv1connect.OperatorServiceName,
		Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return operatorsv1connect.NewOperatorServiceHandler(h, opts...)
		},
	}
}

func newRulesMount(h *rpc.Handler) rpcserver.Mount {
	return rpcserver.Mount{
		Name: operatorsv1connect.RoutingRuleServiceName,
		Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return operatorsv1connect.NewRoutingRuleServiceHandler(h, opts...)
		},
	}
}

func newLimits() map[string]rpcserver.Limits {
	limits := map[string]rpcserver.Limits{}
	for _, procedure := range rpc.ImportProcedures() {
		limits[procedure] = rpcserver.Limits{MaxBytes: rpc.ImportBytes}
	}
	return limits
}
