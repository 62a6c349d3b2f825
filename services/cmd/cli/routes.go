package cli

import (
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/operators/operatorsfx"
)

const (
	accountEnv  = "TRUNKLINE_ACCOUNT"
	maxExcluded = 32 // of the schema
)

func routesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "routes",
		Short: "Ask which operator carries a message, and why",
		Example: `  trunkline routes select +447911123456
  trunkline routes explain +447911123456`,
	}
	cmd.AddCommand(selectCommand(), explainCommand())
	return cmd
}

// queryFlags are what a question holds besides the number.
type queryFlags struct {
	account, messageID string
	messageType        *choice
	exclude            []string
}

func addQueryFlags(cmd *cobra.Command) *queryFlags {
	f := &queryFlags{}
	flags := cmd.Flags()
	flags.StringVar(&f.account, "account", operatorsfx.DemoAccountID, "`UUID` of the account that sends; also "+accountEnv)
	f.messageType = choiceFlag(cmd, "type", "", "kind of message", "sms", "flash", "wap")
	flags.StringVar(&f.messageID, "message-id", "", "`ID` that makes the draw of a WEIGHTED rule repeatable")
	flags.StringSliceVar(&f.exclude, "exclude", nil, "`UUID` of an operator not to use; may be repeated")
	noValueCompletion(cmd, "account", "message-id", "exclude")
	return f
}

// request gives the question without a number.
func (f *queryFlags) request(cmd *cobra.Command) (*routingv1.SelectOperatorRequest, error) {
	account := flagOrEnv(cmd, "account", f.account, accountEnv)
	if !isUUID(account) {
		return nil, usagef("--account: must be a UUID such as %s", operatorsfx.DemoAccountID)
	}
	if len(f.exclude) > maxExcluded {
		return nil, usagef("--exclude: at most %d operators", maxExcluded)
	}
	for _, id := range f.exclude {
		if !isUUID(id) {
			return nil, usagef("--exclude: must be the UUID of an operator: `trunkline operators list` shows them")
		}
	}
	return &routingv1.SelectOperatorRequest{
		AccountId:          account,
		MessageType:        routingv1.MessageType(routingv1.MessageType_value["MESSAGE_TYPE_"+strings.ToUpper(f.messageType.value)]),
		MessageId:          f.messageID,
		ExcludeOperatorIds: f.exclude,
	}, nil
}

func isUUID(text string) bool {
	const usual = 36
	_, err := uuid.Parse(text)
	return err == nil && len(text) == usual
}
