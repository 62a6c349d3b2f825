package rpc_test

import (
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	accessv1 "trunkline/gen/go/trunkline/access/v1"
	"trunkline/gen/go/trunkline/access/v1/accessv1connect"
	optionsv1 "trunkline/gen/go/trunkline/options/v1"
	"trunkline/services/access/rpc"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
)

func TestACallerIsToldWhoItIs(t *testing.T) {
	s := &served{}
	running := rpcservertest.Start(t, func(_ *rpcserver.Config, o *rpcserver.Options) { o.Authenticator = s },
		rpcserver.Mount{Name: accessv1connect.CallerServiceName, Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return accessv1connect.NewCallerServiceHandler(rpc.NewCallers(), opts...)
		}})
	client := accessv1connect.NewCallerServiceClient(running.HTTP2, running.URL)
	account, ends := uuid.New(), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		who  caller.Caller
		want *accessv1.GetCallerResponse
	}{
		"a developer": {
			caller.Caller{Name: "dev", Kind: caller.Development, Role: caller.Admin},
			&accessv1.GetCallerResponse{Name: "dev", Role: optionsv1.Role_ROLE_ADMIN},
		},
		"a key of an account that ends": {
			caller.Caller{Name: "key:1", Kind: caller.Key, Role: caller.Viewer, Account: account, Expires: ends},
			&accessv1.GetCallerResponse{Name: "key:1", Role: optionsv1.Role_ROLE_VIEWER, AccountId: account.String(), ExpireTime: timestamppb.New(ends)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s.as(c.who)
			got, err := client.GetCaller(t.Context(), &accessv1.GetCallerRequest{})
			require.NoError(t, err)
			require.True(t, proto.Equal(c.want, got), "%s", got)
		})
	}
}
