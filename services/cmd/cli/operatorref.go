package cli

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
)

// operatorNamed finds an operator by id or by its exact name.
func (c *client) operatorNamed(ctx context.Context, ref string) (*operatorsv1.Operator, error) {
	what := "find operator " + clean(ref)
	if _, err := uuid.Parse(ref); err == nil {
		callCtx, cancel := c.call(ctx)
		defer cancel()
		res, err := c.operators.GetOperator(callCtx, &operatorsv1.GetOperatorRequest{OperatorId: ref})
		if err != nil {
			return nil, c.describe(ctx, what, err)
		}
		return res.GetOperator(), nil
	}
	var found *operatorsv1.Operator
	search := operatorListing
	search.page = func(ctx context.Context, c *client, size int32, token string) ([]*operatorsv1.Operator, string, *operatorsv1.Freshness, error) {
		res, err := c.operators.ListOperators(ctx, &operatorsv1.ListOperatorsRequest{PageSize: size, PageToken: token, Search: ref})
		return res.GetOperators(), res.GetNextPageToken(), res.GetFreshness(), err
	}
	err := search.pages(ctx, c, 0, func(all []*operatorsv1.Operator, _ *operatorsv1.Freshness) error {
		for _, o := range all {
			if o.GetName() == ref {
				found = o
			}
		}
		return nil
	})
	if f := (*failure)(nil); errors.As(err, &f) && f.reason == "ACCOUNT_NOT_ALLOWED" {
		f.message = what + ": give the operator's id: the credential is bound to an account and cannot look names up"
	}
	if err == nil && found == nil {
		err = failf(ExitNotFound, "%s: no live operator has this name: `trunkline operators list` shows them", what)
	}
	return found, err
}

// operatorID is operatorNamed for a flag that may be empty.
func (c *client) operatorID(ctx context.Context, ref string) (string, error) {
	if ref == "" {
		return "", nil
	}
	if id, err := uuid.Parse(ref); err == nil {
		return id.String(), nil
	}
	o, err := c.operatorNamed(ctx, ref)
	return o.GetOperatorId(), err
}

// completeOperators offers the names of live operators.
func completeOperators(f *clientFlags) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		var names []string
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		_ = f.withClient(cmd, func(ctx context.Context, c *client) error { // without a server there is nothing to offer
			callCtx, cancel := c.call(ctx)
			defer cancel()
			res, err := c.operators.ListOperators(callCtx, &operatorsv1.ListOperatorsRequest{PageSize: 100, Search: typed})
			for _, o := range res.GetOperators() {
				names = append(names, o.GetName())
			}
			return err
		})
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
