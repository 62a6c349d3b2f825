package main

import "testing"

func TestJudge(t *testing.T) {
	const (
		source = false
		test   = true
	)
	const (
		mutual  = "services never import each other"
		fxOnly  = "only *fx packages and services/cmd know fx"
		helpers = "test support is for _test.go files and *test packages"
		sibling = "children of a service do not import each other"
		domain  = "the root of a service is its domain: standard library, platform/{caller,fault,e164,money,secret} and value libraries"
		aloof   = "the platform knows no service"
		mains   = "a main imports *fx packages, domains, services/platform, gen/ and migrations"
	)
	cases := []struct {
		name string
		from string
		file bool
		to   string
		rule string // empty: allowed
	}{
		{"a domain uses the standard library", "trunkline/services/routing", source, "net/netip", ""},
		{"a domain uses faults", "trunkline/services/routing", source, "trunkline/services/platform/fault", ""},
		{"a domain uses numbers", "trunkline/services/routing", source, "trunkline/services/platform/e164", ""},
		{"a domain uses money", "trunkline/services/routing", source, "trunkline/services/platform/money", ""},
		{"a domain uses UUIDs", "trunkline/services/routing", source, "github.com/google/uuid", ""},
		{"a domain does not use a library that only starts like an allowed one", "trunkline/services/routing", source, "github.com/google/uuid2", domain},
		{"a domain does not use a driver", "trunkline/services/routing", source, "github.com/redis/rueidis", domain},
		{"a domain does not use other platform packages", "trunkline/services/routing", source, "trunkline/services/platform/config", domain},
		{"a domain does not use generated code", "trunkline/services/routing", source, "trunkline/gen/go/trunkline/routing/v1", domain},
		{"a domain does not use its children", "trunkline/services/routing", source, "trunkline/services/routing/rpc", domain},
		{"tests of a domain use test libraries", "trunkline/services/routing", test, "pgregory.net/rapid", ""},
		{"tests of a domain use its children", "trunkline/services/routing", test, "trunkline/services/routing/rpc", ""},

		{"a child uses its root", "trunkline/services/routing/rpc", source, "trunkline/services/routing", ""},
		{"a child uses the platform", "trunkline/services/routing/rpc", source, "trunkline/services/platform/rpcserver", ""},
		{"a child uses generated code", "trunkline/services/routing/rpc", source, "trunkline/gen/go/trunkline/routing/v1", ""},
		{"a child uses its technology", "trunkline/services/routing/rpc", source, "connectrpc.com/connect", ""},
		{"a child uses what lies below it", "trunkline/services/smpp/pdu", source, "trunkline/services/smpp/pdu/gsm7", ""},
		{"a child does not use its sibling", "trunkline/services/operators/rpc", source, "trunkline/services/operators/postgres", sibling},
		{"a child does not use the wiring", "trunkline/services/operators/rpc", source, "trunkline/services/operators/operatorsfx", "wiring is imported by services/cmd only"},
		{"tests of a child use its sibling", "trunkline/services/operators/rpc", test, "trunkline/services/operators/postgres", ""},
		{"tests of a child use migrations", "trunkline/services/operators/postgres", test, "trunkline/migrations/postgres", ""},
		{"a child does not use migrations", "trunkline/services/operators/postgres", source, "trunkline/migrations/postgres", "only services/cmd and tests import migrations"},
		{"a child does not use another service", "trunkline/services/routing/rpc", source, "trunkline/services/operators", mutual},
		{"tests do not use another service", "trunkline/services/routing/rpc", test, "trunkline/services/operators", mutual},
		{"wiring does not use another service", "trunkline/services/routing/routingfx", source, "trunkline/services/access/accessfx", mutual},
		{"nothing imports a main", "trunkline/services/routing/rpc", source, "trunkline/services/cmd/trunkline", "nothing imports a main"},

		{"wiring uses its whole service", "trunkline/services/routing/routingfx", source, "trunkline/services/routing/rpc", ""},
		{"wiring uses fx", "trunkline/services/routing/routingfx", source, "go.uber.org/fx", ""},
		{"wiring of the platform uses fx", "trunkline/services/platform/serverfx", source, "go.uber.org/fx", ""},
		{"a main uses fx", "trunkline/services/cmd/trunkline", source, "go.uber.org/fx", ""},
		{"a child does not use fx", "trunkline/services/routing/rpc", source, "go.uber.org/fx", fxOnly},
		{"tests of a child do not use fx", "trunkline/services/routing/rpc", test, "go.uber.org/fx/fxtest", fxOnly},
		{"the platform does not use fx", "trunkline/services/platform/rpcserver", source, "go.uber.org/fx", fxOnly},

		{"the platform uses the platform", "trunkline/services/platform/bunstore", source, "trunkline/services/platform/fault", ""},
		{"the platform uses the options of RPCs", "trunkline/services/platform/rpcserver", source, "trunkline/gen/go/trunkline/options/v1", ""},
		{"the platform uses no message of an area", "trunkline/services/platform/rpcserver", source, "trunkline/gen/go/trunkline/routing/v1", "the platform holds no domain word: of gen/ it knows the options only"},
		{"the format of releases is made of its messages", "trunkline/services/platform/release", source, "trunkline/gen/go/trunkline/releases/v1", ""},
		{"the format of releases knows no other area", "trunkline/services/platform/release", source, "trunkline/gen/go/trunkline/operators/v1", "the platform holds no domain word: of gen/ it knows the options only"},
		{"tests of the platform use any message", "trunkline/services/platform/rpcserver", test, "trunkline/gen/go/trunkline/routing/v1", ""},
		{"the platform uses no service", "trunkline/services/platform/rpcserver", source, "trunkline/services/access", aloof},
		{"tests of the platform use no service", "trunkline/services/platform/rpcserver", test, "trunkline/services/access", aloof},

		{"the product does not use testing", "trunkline/services/routing/rpc", source, "testing", helpers},
		{"the product does not use a test server", "trunkline/services/routing/rpc", source, "net/http/httptest", helpers},
		{"the product does not use assertions", "trunkline/services/platform/config", source, "github.com/stretchr/testify/require", helpers},
		{"the product does not use test support", "trunkline/services/routing/rpc", source, "trunkline/services/platform/redistest", helpers},
		{"the main does not use test support", "trunkline/services/cmd/trunkline", source, "trunkline/services/platform/redistest", helpers},
		{"tests use test support", "trunkline/services/routing/rediscache", test, "trunkline/services/platform/redistest", ""},
		{"test support uses test support", "trunkline/services/platform/clustertest", source, "trunkline/services/platform/redistest", ""},
		{"test support uses testing", "trunkline/services/platform/redistest", source, "testing", ""},
		{"test support inside a package uses testing", "trunkline/services/platform/rpcserver/rpcservertest", source, "testing", ""},
		{"the product does not use test support inside a package", "trunkline/services/routing/rpc", source, "trunkline/services/platform/rpcserver/rpcservertest", helpers},
		{"test support of a service uses its children", "trunkline/services/operators/storetest", source, "trunkline/services/operators/postgres", ""},

		{"a main uses wiring", "trunkline/services/cmd/trunkline", source, "trunkline/services/routing/routingfx", ""},
		{"a main uses migrations", "trunkline/services/cmd/trunkline", source, "trunkline/migrations/postgres", ""},
		{"a main uses a domain, for its file formats", "trunkline/services/cmd/cli", source, "trunkline/services/operators", ""},
		{"the command line does not use a child", "trunkline/services/cmd/cli", source, "trunkline/services/operators/demo", mains},
		{"what lies below a main does not use a child", "trunkline/services/cmd/trunkline/cli", source, "trunkline/services/routing/rpc", mains},
		{"tests of a main use everything", "trunkline/services/cmd/trunkline", test, "trunkline/services/routing/rpc", ""},
		{"a developer tool measures a domain", "trunkline/services/cmd/bench", source, "trunkline/services/routing", ""},
		{"a developer tool uses testing", "trunkline/services/cmd/bench", source, "testing", ""},

		{"migrations use no service", "trunkline/migrations/postgres", source, "trunkline/services/operators", "migrations know no service"},
		{"migrations use the standard library", "trunkline/migrations/postgres", source, "embed", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := judge(unitOf(c.from), c.file, unitOf(c.to))
			if got.rule != c.rule {
				t.Errorf("%s importing %s: got rule %q, want %q", c.from, c.to, got.rule, c.rule)
			}
			if got.rule != "" && got.instead == "" {
				t.Error("the rule does not say what to do instead")
			}
		})
	}
}
