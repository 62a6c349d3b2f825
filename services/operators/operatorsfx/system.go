package operatorsfx

import (
	"go.uber.org/fx"

	"trunkline/services/operators/rpc"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/platformfx"
)

// Settings are those that the process started with, as Origins of its loaded configuration gives them: secrets are hidden.
type Settings []config.Setting

// systemIn lacks settings in a process that was not configured.
type systemIn struct {
	fx.In
	Process  platformfx.Process
	Settings Settings `optional:"true"`
	Clock    clock.Clock
}

func newSystem(in systemIn) *rpc.System {
	return rpc.NewSystem(rpc.Process{
		Name: in.Process.Name, Version: in.Process.Version, Started: in.Clock.Now(), Settings: in.Settings,
	})
}
