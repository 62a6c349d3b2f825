package natstest

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	natsserver "github.com/nats-io/nats-server/v2/server"
)

// markerName is the environment variable that turns a test binary into a server.
// Its value is "<port>:<store directory>".
const markerName = "NATSTEST_SERVER"

func marker(port int, store string) string {
	return fmt.Sprintf("%s=%d:%s", markerName, port, store)
}

// init runs before the tests of the binary do. In a marked process it becomes
// the server and never returns.
func init() {
	value, marked := os.LookupEnv(markerName)
	if !marked {
		return
	}
	if err := serve(value); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serve(value string) error {
	portText, store, ok := strings.Cut(value, ":")
	port, err := strconv.Atoi(portText)
	if !ok || err != nil {
		return fmt.Errorf("%s should be <port>:<store directory>", markerName)
	}
	// SyncAlways: a test that kills the server expects every acknowledged message back.
	s, err := natsserver.NewServer(&natsserver.Options{
		Host: "127.0.0.1", Port: port,
		JetStream: true, StoreDir: store, SyncAlways: true,
	})
	if err != nil {
		return err
	}
	s.ConfigureLogger()
	s.Start()
	s.WaitForShutdown()
	return nil
}
