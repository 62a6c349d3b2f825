// Command trunkline is the operator-routing platform of an SMS gateway: its processes and its client.
package main

import (
	"context"
	"os"

	"trunkline/services/cmd/cli"
	"trunkline/services/platform/telemetry"
)

// version is set by the linker; a plain go build takes what the toolchain stamped.
var version string

func main() {
	if version == "" {
		version = telemetry.Version()
	}
	os.Exit(cli.Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, version, cli.ServerCommands(version)...))
}
