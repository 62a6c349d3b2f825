package cli

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/spf13/cobra"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/operators"
)

func operatorsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "operators",
		Short: "Create, change, list, import and export operators",
		Example: `  trunkline operators list --status active --bind-state unbound,unknown
  trunkline operators create --name Nordlink --host smpp.nordlink.example --system-id nl_tl --max-tps 200
  trunkline operators suspend Nordlink
  trunkline operators export --file operators.csv
  trunkline operators import operators.csv --dry-run`,
	}
	cmd.AddCommand(
		operatorListCommand(), operatorGetCommand(), operatorCreateCommand(), operatorUpdateCommand(), rotateCommand(),
		operatorHealthCommand(), transitionsCommand(),
		importCommand("operators",
			`The file is UTF-8 CSV with the header
name,host,port,system_id,bind_type,max_tps,message_types,status
Several message types are separated by |. A known name is updated, a new one created; operators that the
file does not name stay as they are.`,
			(*client).importOperators),
		operatorListing.exportCommand(),
	)
	cmd.AddCommand(statusCommands()...)
	return cmd
}

var operatorListing = listing[*operatorsv1.Operator]{
	what: "operators",
	page: func(ctx context.Context, c *client, size int32, token string) ([]*operatorsv1.Operator, string, *operatorsv1.Freshness, error) {
		res, err := c.operators.ListOperators(ctx, &operatorsv1.ListOperatorsRequest{PageSize: size, PageToken: token})
		return res.GetOperators(), res.GetNextPageToken(), res.GetFreshness(), err
	},
	head: []string{"NAME", "STATUS", "BIND TYPE", "ADDRESS", "SYSTEM ID", "MAX TPS", "TYPES", "OPERATOR ID"},
	row: func(o *operatorsv1.Operator) []string {
		return []string{
			o.GetName(), standing(o), bindName(o.GetBindType()), address(o.GetHost(), o.GetPort()),
			o.GetSystemId(), strconv.Itoa(int(o.GetTpsLimit().GetMaxTps())), typeNames(o.GetMessageTypes()), o.GetOperatorId(),
		}
	},
	csv: func(all []*operatorsv1.Operator) ([]byte, error) {
		var b bytes.Buffer
		rows := make([]operators.Operator, len(all))
		for i, o := range all {
			var err error
			if rows[i], err = operatorOf(o); err != nil {
				return nil, fmt.Errorf("operator %s: %w", clean(o.GetName()), err)
			}
		}
		err := operators.WriteOperators(&b, rows)
		return b.Bytes(), err
	},
	lossy: func(o *operatorsv1.Operator) bool { return o.GetDeleteTime() != nil },
	loss:  "deleted, which the file cannot say; importing it creates them anew",
}

// standing is the status for lists. A deleted operator has none.
func standing(o *operatorsv1.Operator) string {
	if o.GetDeleteTime() != nil {
		return "DELETED"
	}
	return statusName(o.GetStatus())
}

func operatorListCommand() *cobra.Command {
	var search string
	var statuses, bindStates []string
	var deleted bool
	l := operatorListing
	// A page comes with the health of its operators, which a file does not hold.
	health := map[string]string{}
	l.head = slices.Insert(slices.Clone(l.head), 2, "HEALTH")
	l.row = func(o *operatorsv1.Operator) []string {
		return slices.Insert(operatorListing.row(o), 2, health[o.GetOperatorId()])
	}
	cmd := l.listCommandWith(func(cmd *cobra.Command) {
		cmd.Flags().StringVar(&search, "search", "", "only operators with this `TEXT` in name, host or system_id")
		cmd.Flags().StringSliceVar(&statuses, "status", nil, "only active, inactive or suspended ones")
		cmd.Flags().StringSliceVar(&bindStates, "bind-state", nil, "only bound, unbound, failback or unknown ones, as connectors report them")
		cmd.Flags().BoolVar(&deleted, "deleted", false, "deleted ones too")
		noValueCompletion(cmd, "search")
		_ = cmd.RegisterFlagCompletionFunc("status", cobra.FixedCompletions([]string{"active", "inactive", "suspended"}, cobra.ShellCompDirectiveNoFileComp))
		_ = cmd.RegisterFlagCompletionFunc("bind-state", cobra.FixedCompletions([]string{"bound", "unbound", "failback", "unknown"}, cobra.ShellCompDirectiveNoFileComp))
	}, func(ctx context.Context, c *client) (listing[*operatorsv1.Operator], error) {
		req := &operatorsv1.ListOperatorsRequest{Search: search, ShowDeleted: deleted}
		for _, text := range statuses {
			status, err := enumOf("--status", "OPERATOR_STATUS_", text, operatorsv1.OperatorStatus_value)
			if err != nil {
				return l, err
			}
			req.Statuses = append(req.Statuses, operatorsv1.OperatorStatus(status))
		}
		for _, text := range bindStates {
			state, err := bindStateOf(text)
			if err != nil {
				return l, err
			}
			req.BindStates = append(req.BindStates, state)
		}
		l.page = func(ctx context.Context, c *client, size int32, token string) ([]*operatorsv1.Operator, string, *operatorsv1.Freshness, error) {
			req.PageSize, req.PageToken = size, token
			res, err := c.operators.ListOperators(ctx, req)
			clear(health)
			for _, h := range res.GetHealth() {
				health[h.GetOperatorId()] = healthText(h)
			}
			return res.GetOperators(), res.GetNextPageToken(), res.GetFreshness(), err
		}
		return l, nil
	})
	return cmd
}

// bindStateOf reads a bind state. One that is not known is a state to ask for, too.
func bindStateOf(text string) (eventsv1.BindState, error) {
	if strings.EqualFold(text, unknownHealth) {
		return eventsv1.BindState_BIND_STATE_UNSPECIFIED, nil
	}
	state, err := enumOf("--bind-state", "BIND_STATE_", text, eventsv1.BindState_value)
	return eventsv1.BindState(state), err
}

// operatorOf gives the form that files are written from.
func operatorOf(o *operatorsv1.Operator) (operators.Operator, error) {
	bind, err := operators.ParseBindType(bindName(o.GetBindType()))
	if err != nil {
		return operators.Operator{}, newerServer("bind type", err)
	}
	status, err := operators.ParseStatus(statusName(o.GetStatus()))
	if err != nil {
		return operators.Operator{}, newerServer("status", err)
	}
	types, err := messageTypesOf(o.GetMessageTypes())
	if err != nil {
		return operators.Operator{}, err
	}
	return operators.Operator{
		Name: o.GetName(), Host: o.GetHost(), Port: int(o.GetPort()), SystemID: o.GetSystemId(),
		BindType: bind, MaxTPS: int(o.GetTpsLimit().GetMaxTps()), MessageTypes: types, Status: status,
	}, nil
}

func messageTypesOf(types []routingv1.MessageType) (operators.MessageTypes, error) {
	set, err := operators.ParseMessageTypes(typeNames(types))
	if err != nil {
		return 0, newerServer("message type", err)
	}
	return set, nil
}

// newerServer tells that a value is unknown here. Leaving it out would lose it at
// the next import.
func newerServer(field string, err error) error {
	return fmt.Errorf("the server's %s is not known to this program, use the server's version of it: %w", field, err)
}

// uuidOf reads an id; "" gives the nil UUID.
func uuidOf(text string) (uuid.UUID, error) {
	if text == "" {
		return uuid.Nil, nil
	}
	return uuid.Parse(text)
}

func (c *client) importOperators(ctx context.Context, csv []byte, dryRun bool, step func(*operatorsv1.ImportProgress)) (*operatorsv1.ImportResult, error) {
	stream, err := c.operators.ImportOperators(ctx, &operatorsv1.ImportOperatorsRequest{Csv: csv, ValidateOnly: dryRun, RequestId: newRequestID()})
	if err != nil {
		return nil, err
	}
	return importResult(stream, step)
}

// importStep is one message of an import's answer.
type importStep[T any] interface {
	*T
	GetProgress() *operatorsv1.ImportProgress
	GetResult() *operatorsv1.ImportResult
}

// importResult reads the stream to its end.
func importResult[T any, M importStep[T]](stream *connect.ServerStreamForClient[T], step func(*operatorsv1.ImportProgress)) (*operatorsv1.ImportResult, error) {
	defer func() { _ = stream.Close() }() // nothing is left to be read
	var result *operatorsv1.ImportResult
	for stream.Receive() {
		message := M(stream.Msg())
		if p := message.GetProgress(); p != nil {
			step(p)
		}
		if r := message.GetResult(); r != nil {
			result = r
		}
	}
	return result, stream.Err()
}
