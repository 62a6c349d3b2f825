package cli

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	"trunkline/gen/go/trunkline/access/v1/accessv1connect"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/gen/go/trunkline/releases/v1/releasesv1connect"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
)

const (
	defaultServer  = "http://127.0.0.1:8080"
	serverEnv      = "TRUNKLINE_SERVER"
	callTimeout    = 10 * time.Second
	importTimeout  = 10 * time.Minute
	connectTimeout = 5 * time.Second
	// maxAnswer bounds one answer: the largest is a batch of batchMost decisions.
	maxAnswer = 64 << 20
)

// clientFlags are the flags of every command that speaks to a server.
type clientFlags struct {
	server  string
	keyFile string
	timeout time.Duration
}

func addClientFlags(cmd *cobra.Command, timeout time.Duration, each string) *clientFlags {
	f := &clientFlags{}
	cmd.Flags().StringVar(&f.server, "server", defaultServer, "`URL` of the server; also "+serverEnv)
	cmd.Flags().DurationVar(&f.timeout, "timeout", timeout, "longest time for "+each)
	cmd.Flags().StringVar(&f.keyFile, keyFlag, "", "`FILE` with the API key or token to show; also "+keyEnv+" or "+keyFileEnv)
	noValueCompletion(cmd, "server", "timeout")
	return f
}

func noValueCompletion(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions) // fails only for a flag that does not exist
	}
}

// flagOrEnv gives the flag when it was set, else the variable when it is not
// empty, else the default.
func flagOrEnv(cmd *cobra.Command, flag, value, env string) string {
	if fromEnv := os.Getenv(env); fromEnv != "" && !cmd.Flags().Changed(flag) {
		return fromEnv
	}
	return value
}

// client is the connection of one command to its server.
type client struct {
	routing   routingv1connect.RoutingServiceClient
	operators operatorsv1connect.OperatorServiceClient
	rules     operatorsv1connect.RoutingRuleServiceClient
	rates     operatorsv1connect.RateServiceClient
	outbox    operatorsv1connect.OutboxServiceClient
	accounts  accessv1connect.AccountServiceClient
	keys      accessv1connect.ApiKeyServiceClient
	audit     accessv1connect.AuditServiceClient
	decisions routingv1connect.DecisionServiceClient
	releases  releasesv1connect.ReleaseServiceClient
	timeout   time.Duration
	// shown is the server's URL for people.
	shown string
	http  *http.Transport
}

func (f *clientFlags) dial(cmd *cobra.Command) (*client, error) {
	base, err := serverURL(flagOrEnv(cmd, "server", f.server, serverEnv))
	if err != nil {
		return nil, err
	}
	if f.timeout <= 0 {
		return nil, usagef("--timeout %s: must be above 0", f.timeout)
	}
	key, err := f.credential(cmd)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSHandshakeTimeout:   connectTimeout,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          4,
		IdleConnTimeout:       time.Minute,
		ExpectContinueTimeout: time.Second,
	}
	hc, err := httpClient(transport, base, key)
	if err != nil {
		return nil, err
	}
	limit := connect.WithReadMaxBytes(maxAnswer)
	return &client{
		routing:   routingv1connect.NewRoutingServiceClient(hc, base, limit),
		operators: operatorsv1connect.NewOperatorServiceClient(hc, base, limit),
		rules:     operatorsv1connect.NewRoutingRuleServiceClient(hc, base, limit),
		rates:     operatorsv1connect.NewRateServiceClient(hc, base, limit),
		outbox:    operatorsv1connect.NewOutboxServiceClient(hc, base, limit),
		accounts:  accessv1connect.NewAccountServiceClient(hc, base, limit),
		keys:      accessv1connect.NewApiKeyServiceClient(hc, base, limit),
		audit:     accessv1connect.NewAuditServiceClient(hc, base, limit),
		decisions: routingv1connect.NewDecisionServiceClient(hc, base, limit),
		releases:  releasesv1connect.NewReleaseServiceClient(hc, base, limit),
		timeout:   f.timeout,
		shown:     base,
		http:      transport,
	}, nil
}

// serverURL accepts http://host:port, https://host and a bare host:port.
func serverURL(text string) (string, error) {
	wrong := func(why string) error {
		return usagef("--server: %s: give a URL such as %s", why, defaultServer)
	}
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "":
		return "", wrong("that is no URL of a server")
	case u.Scheme != "http" && u.Scheme != "https":
		return "", wrong("the scheme must be http or https")
	case u.User != nil:
		return "", wrong("a user name or password in the URL is not used and would be shown")
	case u.RawQuery != "" || u.Fragment != "":
		return "", wrong("a query or fragment has no meaning here")
	}
	return strings.TrimSuffix(u.String(), "/"), nil
}

// close ends idle connections.
func (c *client) close() { c.http.CloseIdleConnections() }

// call bounds one call.
func (c *client) call(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.timeout)
}

// withClient runs do with a context that ends at the first Ctrl-C or SIGTERM; the
// second one ends the process. Only client commands listen: processes have a stop
// of their own.
func (f *clientFlags) withClient(cmd *cobra.Command, do func(ctx context.Context, c *client) error) error {
	c, err := f.dial(cmd)
	if err != nil {
		return err
	}
	defer c.close()
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	err = do(ctx, c)
	if err != nil && ctx.Err() != nil && exitCode(err) != ExitInterrupted {
		return &failure{exit: ExitInterrupted, message: "interrupted", cause: err}
	}
	return err
}
