package rpcserver_test

import (
	"context"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/dynamicpb"

	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
)

func TestValidationNamesEachFieldOnceWithoutItsValue(t *testing.T) {
	cases := []struct {
		name   string
		json   string
		fields []string
		hidden string
	}{
		{"a bad number", `{"to":"` + wrongData + `99"}`, []string{"to"}, wrongData},
		{"a bad number deep inside", `{"requests":[{"to":"` + number + `"},{"to":"` + number + `"},{"to":"` + number + `"},{"to":"07700900123"}]}`, []string{"requests[3].to"}, "07700900123"},
		{"a number out of range in JSON naming", `{"maxParts":123456}`, []string{"maxParts"}, "123456"},
		{"two fields", `{"to":"x","maxParts":77}`, []string{"to", "maxParts"}, "77"},
		{"an expression that quotes the value", `{"note":"bad ` + wrongData + `"}`, []string{"note"}, wrongData},
		{"the key of a map", `{"labels":{"` + wrongData + `":"x"}}`, []string{"labels[*]"}, wrongData},
	}
	called := false
	e := &echo{do: func(context.Context, *dynamicpb.Message) error { called = true; return nil }}
	r := rpcservertest.Start(t, nil, e.mount())
	for _, c := range cases {
		for _, p := range protocols() {
			t.Run(c.name+" over "+p.name, func(t *testing.T) {
				m := newMessage()
				require.NoError(t, protojson.Unmarshal([]byte(c.json), m))
				_, err := call(within(t), newClient(r.HTTP2, r.URL, check, p.options...), m)
				require.Equal(t, connect.CodeInvalidArgument, connect.CodeOf(err), err)
				require.Equal(t, rpcserver.ReasonValidationFailed, detail[*errdetails.ErrorInfo](t, err).GetReason())
				bad := detail[*errdetails.BadRequest](t, err)
				var fields []string
				for _, v := range bad.GetFieldViolations() {
					fields = append(fields, v.GetField())
					require.NotEmpty(t, v.GetDescription())
				}
				require.Equal(t, c.fields, fields)
				require.NotContains(t, err.Error()+bad.String(), c.hidden)
			})
		}
	}
	require.False(t, called, "the handler never sees an invalid message")
}

func TestACheckOfAMountStandsForTheRulesWhereItAccepts(t *testing.T) {
	const ruled = `{"to":"` + wrongData + `"}`
	for name, c := range map[string]struct {
		procedure string
		accepts   bool
		code      connect.Code // 0 is a good call
	}{
		"what it accepts skips the rules":              {check, true, 0},
		"what it does not accept is left to the rules": {check, false, connect.CodeInvalidArgument},
		"procedures without a check are left to them":  {lookup, true, connect.CodeInvalidArgument},
	} {
		t.Run(name, func(t *testing.T) {
			mount := (&echo{}).mount()
			mount.Valid = map[string]func(any) bool{check: func(any) bool { return c.accepts }}
			r := rpcservertest.Start(t, nil, mount)
			m := newMessage()
			require.NoError(t, protojson.Unmarshal([]byte(ruled), m))
			_, err := call(within(t), newClient(r.HTTP2, r.URL, c.procedure), m)
			if c.code == 0 {
				require.NoError(t, err)
				return
			}
			require.Equal(t, c.code, connect.CodeOf(err), err)
			require.Equal(t, rpcserver.ReasonValidationFailed, detail[*errdetails.ErrorInfo](t, err).GetReason())
		})
	}
}

func TestManyViolationsAreBounded(t *testing.T) {
	r := rpcservertest.Start(t, nil, (&echo{}).mount())
	m := newMessage()
	require.NoError(t, protojson.Unmarshal([]byte(`{"requests":[`+strings.Repeat(`{"to":"x"},`, 499)+`{"to":"y"}]}`), m))
	_, err := call(within(t), newClient(r.HTTP2, r.URL, check, connect.WithGRPC()), m)
	require.Len(t, detail[*errdetails.BadRequest](t, err).GetFieldViolations(), 20)
	require.Equal(t, "480", detail[*errdetails.ErrorInfo](t, err).GetMetadata()["violations_left_out"])
	require.Less(t, len(connectError(t, err).Meta().Get("Grpc-Status-Details-Bin")), 8<<10)
}

func TestValidationAppliesToEveryMessageOfAStream(t *testing.T) {
	r := rpcservertest.Start(t, nil, (&echo{}).mount())
	for _, p := range protocols() {
		t.Run(p.name, func(t *testing.T) {
			up := newClient(r.HTTP2, r.URL, collect, p.options...).CallClientStream(within(t))
			require.NoError(t, up.Send(to(number)))
			_ = up.Send(to("nonsense"))
			_, err := up.CloseAndReceive()
			requireInvalid(t, err)

			down, err := newClient(r.HTTP2, r.URL, watch, p.options...).CallServerStream(within(t), connect.NewRequest(to("nonsense")))
			require.NoError(t, err)
			require.False(t, down.Receive())
			requireInvalid(t, down.Err())
			require.NoError(t, down.Close())

			both := newClient(r.HTTP2, r.URL, chat, p.options...).CallBidiStream(within(t))
			require.NoError(t, both.Send(to(number)))
			_, err = both.Receive()
			require.NoError(t, err)
			require.NoError(t, both.Send(to("nonsense")))
			_, err = both.Receive()
			requireInvalid(t, err)
			require.NoError(t, both.CloseRequest())
			require.NoError(t, both.CloseResponse())
		})
	}
}

func requireInvalid(t *testing.T, err error) {
	t.Helper()
	require.Equal(t, connect.CodeInvalidArgument, connect.CodeOf(err), err)
	require.Equal(t, rpcserver.ReasonValidationFailed, detail[*errdetails.ErrorInfo](t, err).GetReason())
}
