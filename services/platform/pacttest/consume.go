//go:build pact

package pacttest

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"

	"github.com/pact-foundation/pact-go/v2/consumer"
	"github.com/pact-foundation/pact-go/v2/matchers"
	message "github.com/pact-foundation/pact-go/v2/message/v4"
	"github.com/pact-foundation/pact-go/v2/models"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// Object is a JSON object. Plain values are exact, matchers say what else will do.
type Object = matchers.StructMatcher

// Call is one call by Connect JSON that a consumer makes, and the answer it can live with.
type Call struct {
	// Consumer and Provider are the names in the pact.
	Consumer, Provider string
	// Name is unique in the pact.
	Name   string
	States []models.ProviderState
	// Procedure is such as /trunkline.routing.v1.RoutingService/SelectOperator.
	Procedure string
	Request   Object
	// Status is that of HTTP.
	Status   int
	Response Object
}

// Run puts the call into the pact once use has made it with the generated client, in JSON, and has checked what the
// client decoded. The check matters: a field that the client does not know would pass unseen.
func (c Call) Run(t *testing.T, use func(url string)) {
	t.Helper()
	mock, err := consumer.NewV4Pact(consumer.MockHTTPProviderConfig{Consumer: c.Consumer, Provider: c.Provider, PactDir: Dir(t)})
	require.NoError(t, err)
	builder := mock.AddInteraction()
	for _, state := range c.States {
		builder.GivenWithParameter(state)
	}
	err = builder.UponReceiving(c.Name).
		WithRequest(http.MethodPost, c.Procedure, func(r *consumer.V4RequestBuilder) {
			r.Header("Content-Type", matchers.S("application/json"))
			r.Header("Connect-Protocol-Version", matchers.S("1"))
			r.JSONBody(c.Request)
		}).
		WillRespondWith(c.Status, func(r *consumer.V4ResponseBuilder) {
			r.Header("Content-Type", matchers.S("application/json"))
			r.JSONBody(c.Response)
		}).
		ExecuteTest(t, func(server consumer.MockServerConfig) error {
			use(fmt.Sprintf("http://%s:%d", server.Host, server.Port))
			return nil
		})
	require.NoError(t, err)
}

// Event is one message that a consumer can read.
type Event struct {
	// Consumer and Provider are the names in the pact; the provider publishes.
	Consumer, Provider string
	// Name is unique in the pact.
	Name   string
	States []models.ProviderState
	// Metadata is exact.
	Metadata map[string]string
	Content  Object
}

// Run puts the event into the pact once read has read an example of it, which is checked here or there.
func (e Event) Run(t *testing.T, read func(data []byte) error) {
	t.Helper()
	pact, err := message.NewAsynchronousPact(message.Config{Consumer: e.Consumer, Provider: e.Provider, PactDir: Dir(t)})
	require.NoError(t, err)
	builder := pact.AddAsynchronousMessage()
	for _, state := range e.States {
		builder.GivenWithParameter(state)
	}
	metadata := map[string]string{"contentType": "application/json"}
	for name, value := range e.Metadata {
		metadata[name] = value
	}
	err = builder.ExpectsToReceive(e.Name).WithMetadata(metadata).WithJSONContent(e.Content).
		ConsumedBy(func(m message.AsynchronousMessage) error { return read(m.Contents) }).
		Verify(t)
	require.NoError(t, err)
}

// Patterns of values in JSON.
const (
	// Int64 is an int64 above 0, which proto JSON writes as text.
	Int64 = `^[1-9][0-9]*$`
	// Timestamp is a moment.
	Timestamp = `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$`
)

// Failure is the body of an error: code as Connect spells it, and details that are there among others.
func Failure(code fmt.Stringer, details ...any) Object {
	return Object{"code": code.String(), "message": matchers.Like(Sentence), "details": matchers.ArrayContaining(details)}
}

// Sentence is the text of every Failure in a consumer's test.
const Sentence = "a sentence for people"

// Detail is an entry of the details of an error. value is what clients decode; debug is the same message in a form
// that a pact can match, written by the same server.
func Detail(t *testing.T, m proto.Message, debug Object) Object {
	t.Helper()
	value, err := proto.Marshal(m)
	require.NoError(t, err)
	return Object{
		"type":  string(m.ProtoReflect().Descriptor().FullName()),
		"value": matchers.Term(base64.RawStdEncoding.EncodeToString(value), "^[A-Za-z0-9+/]+$"),
		"debug": debug,
	}
}
