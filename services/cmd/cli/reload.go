package cli

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"go.uber.org/fx"

	"trunkline/services/operators/operatorsfx"
	"trunkline/services/platform/config"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcserver"
)

// serve runs a process until it is stopped. SIGHUP, or a change of the file of --config, makes it read its settings
// again.
func serve[T interface{ platform() platformfx.Config }](
	cmd *cobra.Command, process platformfx.Process, defaults T, flags map[string]string, options func(T) fx.Option,
) error {
	// Before anything else: without a receiver the signal ends the process, also while it starts and stops.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	reload := platformfx.Reload{
		Signals: hangups,
		Load: func() (config.Snapshot, error) {
			again, err := read(cmd, defaults, flags)
			if err != nil {
				return config.Snapshot{}, err
			}
			return again.Snapshot(), nil
		},
	}
	file, err := cmd.Flags().GetString(configFlag)
	if err != nil {
		return err
	}
	if file != "" {
		reload.File = config.Watch(file)
	}
	loaded, err := load(cmd, defaults, flags)
	if err != nil {
		return err
	}
	reload.Started = loaded.Snapshot()
	process.Log = cmd.OutOrStdout()
	return runProcess(cmd.Context(), loaded.Value.platform(), process, nil, fx.Supply(reload, operatorsfx.Settings(loaded.Origins())),
		fx.Provide(platformfx.Reloads(allowedOrigins)), options(loaded.Value))
}

// allowedOrigins makes the pages that may call reloadable.
func allowedOrigins(s *rpcserver.Server) platformfx.Reloadable {
	return platformfx.OnReload("server.cors.allowed_origins", s.SetAllowedOrigins)
}
