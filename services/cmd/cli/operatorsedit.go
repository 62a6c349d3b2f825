package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
)

// operatorFields are the flags of everything a person may set of an operator.
type operatorFields struct {
	name, host, systemID, systemType, bindType, enforcement, backup, notes string
	port, maxTPS                                                           int32
	burst                                                                  float64
	types                                                                  []string
}

// operatorMask names the field that each flag changes.
var operatorMask = map[string]string{
	"name": "name", "host": "host", "port": "port", "system-id": "system_id", "system-type": "system_type",
	"bind-type": "bind_type", "max-tps": "tps_limit.max_tps", "burst": "tps_limit.burst_multiplier",
	"enforcement": "tps_limit.enforcement_mode", "types": "message_types", "backup": "backup_operator_id", "notes": "notes",
}

func (f *operatorFields) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.name, "name", "", "`NAME`, 1 to 100 characters, unique among live operators")
	flags.StringVar(&f.host, "host", "", "`HOST` name or IP address of the SMSC")
	flags.Int32Var(&f.port, "port", 2775, "TCP `PORT` of the SMSC")
	flags.StringVar(&f.systemID, "system-id", "", "SMPP system_id, 1 to 15 characters")
	flags.StringVar(&f.systemType, "system-type", "", "SMPP system_type, at most 12 characters")
	flags.StringVar(&f.bindType, "bind-type", "transceiver", "transceiver, transmitter or receiver")
	flags.Int32Var(&f.maxTPS, "max-tps", 0, "most segments per second it accepts")
	flags.Float64Var(&f.burst, "burst", 1.5, "how far a burst may exceed --max-tps, 1 to 100")
	flags.StringVar(&f.enforcement, "enforcement", "hard_reject", "above the limit: hard_reject or soft_throttle")
	flags.StringSliceVar(&f.types, "types", []string{"sms"}, "message types it carries: sms, flash, wap")
	flags.StringVar(&f.backup, "backup", "", "`OPERATOR` that carries when this one's session is lost, by name or id")
	flags.StringVar(&f.notes, "notes", "", "for people, at most 2000 characters; never a password")
	flags.VisitAll(func(one *pflag.Flag) {
		if operatorMask[one.Name] != "" {
			noValueCompletion(cmd, one.Name)
		}
	})
}

// message gives what the flags say. Names of enums are those of the schema without their prefix, in any case.
func (f *operatorFields) message(ctx context.Context, c *client) (*operatorsv1.Operator, error) {
	o := &operatorsv1.Operator{
		Name: f.name, Host: f.host, Port: f.port, SystemId: f.systemID, SystemType: f.systemType, Notes: f.notes,
		TpsLimit: &operatorsv1.TpsLimit{MaxTps: f.maxTPS, BurstMultiplier: f.burst},
	}
	bind, err := enumOf("--bind-type", "BIND_TYPE_", f.bindType, operatorsv1.BindType_value)
	if err != nil {
		return nil, err
	}
	o.BindType = operatorsv1.BindType(bind)
	mode, err := enumOf("--enforcement", "ENFORCEMENT_MODE_", f.enforcement, operatorsv1.EnforcementMode_value)
	if err != nil {
		return nil, err
	}
	o.TpsLimit.EnforcementMode = operatorsv1.EnforcementMode(mode)
	if o.MessageTypes, err = messageTypeFlags(f.types); err != nil {
		return nil, err
	}
	o.BackupOperatorId, err = c.operatorID(ctx, f.backup)
	return o, err
}

func messageTypeFlags(names []string) ([]routingv1.MessageType, error) {
	types := make([]routingv1.MessageType, len(names))
	for i, name := range names {
		one, err := enumOf("--types", "MESSAGE_TYPE_", name, routingv1.MessageType_value)
		if err != nil {
			return nil, err
		}
		types[i] = routingv1.MessageType(one)
	}
	return types, nil
}

// enumOf reads the name of an enum value, in any case and without its prefix.
func enumOf(flag, prefix, text string, values map[string]int32) (int32, error) {
	if value, known := values[prefix+strings.ToUpper(text)]; known && value != 0 {
		return value, nil
	}
	var names []string
	for value := int32(1); len(names) < len(values)-1; value++ {
		for name, number := range values {
			if number == value {
				names = append(names, strings.ToLower(strings.TrimPrefix(name, prefix)))
			}
		}
	}
	return 0, usagef("%s %q: choose %s", flag, clean(text), alternatives(names))
}

func operatorCreateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Create an operator, with its password",
		Long: `Create an operator. It starts INACTIVE; activate it when its sessions are up. The password goes to the secret
store and is never shown again; without one (--no-password) the operator cannot be activated until
rotate-credentials gives one.`,
		Example: `  trunkline operators create --name "Nordlink" --host smpp.nordlink.example --system-id nl_tl --max-tps 200
  trunkline operators create --name Meridian --host gw1.meridian.example --port 2776 --system-id mer \
    --max-tps 50 --types sms,flash --password-file meridian.secret
  pass show carriers/nordlink | trunkline operators create ... --password-file -`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	var fields operatorFields
	fields.add(cmd)
	password := passwordFlag(cmd)
	none := cmd.Flags().Bool("no-password", false, "create it without a password")
	dryRun := cmd.Flags().Bool("dry-run", false, "check everything and store nothing")
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, callTimeout, "the call")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			o, err := fields.message(ctx, c)
			if err != nil {
				return err
			}
			req := &operatorsv1.CreateOperatorRequest{Operator: o, RequestId: newRequestID(), ValidateOnly: *dryRun}
			if !*none {
				text, err := readPassword(cmd, *password)
				if err != nil {
					return err
				}
				req.Password = text.Reveal()
			}
			callCtx, cancel := c.call(ctx)
			defer cancel()
			res, err := c.operators.CreateOperator(callCtx, req)
			if err != nil {
				return c.describe(ctx, "create the operator", err)
			}
			return writeOperatorChange(cmd, output.value, res, res.GetOperator(), nil, changed(*dryRun, "created"))
		})
	}
	return cmd
}

func operatorUpdateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "update OPERATOR",
		Short: "Change fields of an operator: those whose flags are given",
		Long: `Change fields of an operator, named by its name or id. Only fields whose flags are given change. When somebody
else changed the operator in between, nothing is changed.`,
		Example: `  trunkline operators update Nordlink --max-tps 300
  trunkline operators update Nordlink --host smpp2.nordlink.example --port 2776 --dry-run`,
		Args: cobra.ExactArgs(1),
	}
	var fields operatorFields
	fields.add(cmd)
	dryRun := cmd.Flags().Bool("dry-run", false, "check everything and store nothing")
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, callTimeout, "the call")
	cmd.ValidArgsFunction = completeOperators(conn)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		mask := &fieldmaskpb.FieldMask{}
		cmd.Flags().Visit(func(f *pflag.Flag) {
			if path := operatorMask[f.Name]; path != "" {
				mask.Paths = append(mask.Paths, path)
			}
		})
		if len(mask.GetPaths()) == 0 {
			return usagef("give a flag for each field to change: see `%s --help`", cmd.CommandPath())
		}
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			present, err := c.operatorNamed(ctx, args[0])
			if err != nil {
				return err
			}
			o, err := fields.message(ctx, c)
			if err != nil {
				return err
			}
			o.OperatorId, o.Etag = present.GetOperatorId(), present.GetEtag()
			callCtx, cancel := c.call(ctx)
			defer cancel()
			res, err := c.operators.UpdateOperator(callCtx, &operatorsv1.UpdateOperatorRequest{
				Operator: o, UpdateMask: mask, RequestId: newRequestID(), ValidateOnly: *dryRun,
			})
			if err != nil {
				return c.describe(ctx, "update the operator", err)
			}
			return writeOperatorChange(cmd, output.value, res, res.GetOperator(), res.GetWarnings(),
				changed(*dryRun, updated(present.GetVersion(), res.GetOperator().GetVersion())))
		})
	}
	return cmd
}

// changed is what was done, or would be.
func changed(dryRun bool, done string) string {
	if dryRun {
		return "dry run, nothing was stored: would be " + done
	}
	return done
}

// updated tells an update that made a difference from one that did not: only the former raises the version.
func updated(before, after int64) string {
	if before == after {
		return "unchanged"
	}
	return "updated"
}

func operatorLine(o *operatorsv1.Operator, done string) string {
	return clean(fmt.Sprintf("%s  %s  %s, version %d: %s", o.GetOperatorId(), o.GetName(), statusName(o.GetStatus()), o.GetVersion(), done))
}
