package rpcserver

import (
	"errors"
	"fmt"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	optionsv1 "trunkline/gen/go/trunkline/options/v1"
	"trunkline/services/platform/caller"
)

// The audiences of listeners.
const (
	publicAudience   = optionsv1.Audience_AUDIENCE_PUBLIC
	internalAudience = optionsv1.Audience_AUDIENCE_INTERNAL
)

func (s *Server) internal() bool { return s.opts.Audience == internalAudience }

// checkAudience refuses a listener for nobody, and an internal one that would
// take callers without a certificate.
func (s *Server) checkAudience() error {
	switch {
	case s.opts.Audience == publicAudience:
		return nil
	case !s.internal():
		return fmt.Errorf("a listener is public or internal, not %s", s.opts.Audience)
	case !s.cfg.TLS.Enabled() || !s.cfg.TLS.RequireClientCert:
		return errors.New("an internal listener needs tls.cert_file, tls.key_file, tls.client_ca_file and tls.require_client_cert")
	}
	return nil
}

// accessOf reads the access option of the schema. A method without one has no
// audience and no role.
func accessOf(spec connect.Spec) *optionsv1.Access {
	method, ok := spec.Schema.(protoreflect.MethodDescriptor)
	if !ok {
		return nil
	}
	access, _ := proto.GetExtension(method.Options(), optionsv1.E_Access).(*optionsv1.Access)
	return access
}

// audienceOfService finds the one audience of all methods of a service, each of
// which must have a role too.
func audienceOfService(name string, found []*procedure) (optionsv1.Audience, error) {
	for _, p := range found {
		switch p.audience {
		case publicAudience, internalAudience:
		default:
			return 0, fmt.Errorf("the method %s has no audience: give it the option trunkline.options.v1.access", p.name)
		}
		if p.role == caller.None {
			return 0, fmt.Errorf("the method %s has no role: give one to its option trunkline.options.v1.access", p.name)
		}
		if p.audience != found[0].audience {
			return 0, fmt.Errorf("the service %s has public and internal methods: make it two services", name)
		}
	}
	return found[0].audience, nil
}

// checkNames refuses limits and identities of procedures that no mount has: a
// typo would silently leave the default in force. Procedures of the other
// listener are known too, because both listeners get the same settings.
func (s *Server) checkNames() error {
	for name := range s.opts.Limits {
		if _, known := s.known[name]; !known {
			return fmt.Errorf("limits are set for %s, which no mount serves", name)
		}
	}
	for name := range s.opts.Identities {
		if s.known[name] != internalAudience {
			return fmt.Errorf("identities are set for %s, which no mount serves as an internal method", name)
		}
	}
	if !s.internal() {
		return nil
	}
	for name, p := range s.procedures {
		if len(p.callers) == 0 {
			s.log.Warn("nobody may call an internal method: it has no identities", "procedure", name)
		}
	}
	return nil
}
