package cli

import (
	"context"

	"github.com/spf13/cobra"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
)

func releaseApproveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "approve RELEASE",
		Short: "Say as a second admin that a release may be published",
		Long: `Say that a release may be published. It is the word of an admin who did not make it, and is needed where
operators.releases.require_approval is on. Look at it first: releases diff and releases replay.`,
		Example: "  trunkline releases approve 12",
		Args:    cobra.ExactArgs(1),
	}
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, callTimeout, "each call")
	cmd.ValidArgsFunction = completeReleases(conn)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			r, err := c.releaseNamed(ctx, args[0])
			if err != nil {
				return err
			}
			callCtx, cancel := c.call(ctx)
			defer cancel()
			res, err := c.releases.ApproveRelease(callCtx, &releasesv1.ApproveReleaseRequest{
				ReleaseId: r.GetReleaseId(), Etag: r.GetEtag(), RequestId: newRequestID(),
			})
			if err != nil {
				return c.describe(ctx, "approve the release", err)
			}
			if output.value == formJSON {
				return writeJSON(cmd.OutOrStdout(), res)
			}
			approved := res.GetRelease()
			return printf(cmd.OutOrStdout(), "%s  %s: approved by %s\n", approved.GetReleaseId(), releaseName(approved), clean(dash(approved.GetApprovedBy())))
		})
	}
	return cmd
}
