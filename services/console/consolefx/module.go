package consolefx

import (
	"net/http"

	"go.uber.org/fx"

	"trunkline/services/console"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcserver"
)

// Auth tells whether calls of the process need a credential.
type Auth bool

// Module serves the console. It needs Config and Auth.
var Module = fx.Module("console", fx.Provide(platformfx.Pages(newPages)))

func newPages(c Config, auth Auth, p platformfx.Process) ([]rpcserver.Page, error) {
	if !c.Enabled {
		return nil, nil
	}
	served, err := console.New(console.Bundle(), console.Settings{
		EngineURL: c.EngineURL, Environment: c.Environment, Version: p.Version, Auth: bool(auth),
	}, rpcserver.ConsolePolicy)
	if err != nil {
		return nil, err
	}
	return []rpcserver.Page{
		{Pattern: console.Root, Handler: served},
		{Pattern: "GET /{$}", Handler: http.HandlerFunc(console.Home)},
	}, nil
}
