package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
)

// changeAnswer is what changes of an operator's status answer.
type changeAnswer interface {
	proto.Message
	GetOperator() *operatorsv1.Operator
	GetWarnings() []*operatorsv1.OperatorWarning
}

// statusCommand changes the status of an operator. When it takes traffic away it first asks the server what that
// would leave behind, shows it, and asks.
type statusCommand struct {
	use, short, long, done string
	takesAway              bool
	call                   func(context.Context, *client, change) (changeAnswer, error)
}

type change struct {
	id, etag, requestID string
	dryRun              bool
}

func statusCommands() []*cobra.Command {
	all := []statusCommand{
		{
			use: "activate", short: "Let an operator be selected", done: "activated",
			long: "Let an operator be selected by the engines. It needs a password.",
			call: func(ctx context.Context, c *client, ch change) (changeAnswer, error) {
				return c.operators.ActivateOperator(ctx, &operatorsv1.ActivateOperatorRequest{OperatorId: ch.id, Etag: ch.etag, RequestId: ch.requestID, ValidateOnly: ch.dryRun})
			},
		},
		{
			use: "suspend", short: "Take an operator out of service for now", done: "suspended", takesAway: true,
			long: "Take an operator out of service. Its rules stay; engines stop selecting it at once.",
			call: func(ctx context.Context, c *client, ch change) (changeAnswer, error) {
				return c.operators.SuspendOperator(ctx, &operatorsv1.SuspendOperatorRequest{OperatorId: ch.id, Etag: ch.etag, RequestId: ch.requestID, ValidateOnly: ch.dryRun})
			},
		},
		{
			use: "deactivate", short: "Take an operator out of use", done: "deactivated", takesAway: true,
			long: "Take an operator out of use. Its rules stay; engines stop selecting it at once.",
			call: func(ctx context.Context, c *client, ch change) (changeAnswer, error) {
				return c.operators.DeactivateOperator(ctx, &operatorsv1.DeactivateOperatorRequest{OperatorId: ch.id, Etag: ch.etag, RequestId: ch.requestID, ValidateOnly: ch.dryRun})
			},
		},
		{
			use: "delete", short: "Take an operator away for good", done: "deleted", takesAway: true,
			long: "Take an operator away for good, with its password. Its name and connection are free again; its rules stay and no longer select it.",
			call: func(ctx context.Context, c *client, ch change) (changeAnswer, error) {
				return c.operators.DeleteOperator(ctx, &operatorsv1.DeleteOperatorRequest{OperatorId: ch.id, Etag: ch.etag, RequestId: ch.requestID, ValidateOnly: ch.dryRun})
			},
		},
	}
	commands := make([]*cobra.Command, len(all))
	for i, one := range all {
		commands[i] = one.command()
	}
	return commands
}

func (s statusCommand) command() *cobra.Command {
	cmd := &cobra.Command{
		Use:   s.use + " OPERATOR",
		Short: s.short,
		Long:  s.long + " OPERATOR is its name or id.",
		Example: fmt.Sprintf(`  trunkline operators %[1]s Nordlink
  trunkline operators %[1]s Nordlink --dry-run -o json`, s.use),
		Args: cobra.ExactArgs(1),
	}
	yes := new(bool)
	*yes = true
	if s.takesAway {
		yes = yesFlag(cmd)
	}
	dryRun := cmd.Flags().Bool("dry-run", false, "tell what it would leave behind and change nothing")
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, callTimeout, "each call")
	cmd.ValidArgsFunction = completeOperators(conn)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			o, err := c.operatorNamed(ctx, args[0])
			if err != nil {
				return err
			}
			ch := change{id: o.GetOperatorId(), etag: o.GetEtag(), requestID: newRequestID(), dryRun: *dryRun}
			if !*yes && !*dryRun {
				if err := s.ask(ctx, c, cmd, o, ch); err != nil {
					return err
				}
			}
			callCtx, cancel := c.call(ctx)
			defer cancel()
			res, err := s.call(callCtx, c, ch)
			if err != nil {
				return c.describe(ctx, s.use+" the operator", err)
			}
			return writeOperatorChange(cmd, output.value, res, res.GetOperator(), res.GetWarnings(), changed(*dryRun, s.done))
		})
	}
	return cmd
}

// ask shows what the change would leave behind.
func (s statusCommand) ask(ctx context.Context, c *client, cmd *cobra.Command, o *operatorsv1.Operator, ch change) error {
	ch.dryRun, ch.requestID = true, ""
	callCtx, cancel := c.call(ctx)
	defer cancel()
	res, err := s.call(callCtx, c, ch)
	if err != nil {
		return c.describe(ctx, s.use+" the operator", err)
	}
	for _, w := range res.GetWarnings() {
		if err := printf(cmd.ErrOrStderr(), "%s\n", warningLine(w)); err != nil {
			return err
		}
	}
	return confirm(cmd, false, fmt.Sprintf("Really %s %s?", s.use, clean(o.GetName())))
}

func warningLine(w *operatorsv1.OperatorWarning) string {
	text := "warning: " + w.GetMessage()
	if w.GetWitness() != "" {
		text += " (try: trunkline routes explain " + w.GetWitness() + ")"
	}
	return clean(text)
}

// writeOperatorChange tells what became of an operator.
func writeOperatorChange(
	cmd *cobra.Command, form string, answer proto.Message, o *operatorsv1.Operator, warnings []*operatorsv1.OperatorWarning, done string,
) error {
	if form == formJSON {
		return writeJSON(cmd.OutOrStdout(), answer)
	}
	for _, w := range warnings {
		if err := printf(cmd.ErrOrStderr(), "%s\n", warningLine(w)); err != nil {
			return err
		}
	}
	return printf(cmd.OutOrStdout(), "%s\n", operatorLine(o, done))
}

func rotateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rotate-credentials OPERATOR",
		Short: "Put a new password of an operator in force",
		Long: `Put a new password of an operator in force. Connectors fetch it and bind again with it; when the call fails, the
former one stays in force.`,
		Example: `  trunkline operators rotate-credentials Nordlink
  trunkline operators rotate-credentials Nordlink --password-file new.secret`,
		Args: cobra.ExactArgs(1),
	}
	password := passwordFlag(cmd)
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, callTimeout, "each call")
	cmd.ValidArgsFunction = completeOperators(conn)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			o, err := c.operatorNamed(ctx, args[0])
			if err != nil {
				return err
			}
			text, err := readPassword(cmd, *password)
			if err != nil {
				return err
			}
			callCtx, cancel := c.call(ctx)
			defer cancel()
			res, err := c.operators.RotateCredentials(callCtx, &operatorsv1.RotateCredentialsRequest{
				OperatorId: o.GetOperatorId(), Etag: o.GetEtag(), Password: text.Reveal(), RequestId: newRequestID(),
			})
			if err != nil {
				return c.describe(ctx, "rotate the credentials", err)
			}
			return writeOperatorChange(cmd, output.value, res, res.GetOperator(), nil, "new password in force")
		})
	}
	return cmd
}
