// Package credentials keeps the passwords of operators in a secret store, one
// path per operator.
package credentials

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/secret"
	"trunkline/services/platform/secrets"
)

// folder holds the operators; leaf is the name of the password in each.
const (
	folder = "operators"
	leaf   = "credentials"
)

// Secrets is a store of secrets by path. Each call has a deadline of its own.
type Secrets interface {
	Put(ctx context.Context, path string, value secret.Text) (version int64, err error)
	Get(ctx context.Context, path string, version int64) (secret.Text, error)
	Upkeep
}

// Upkeep takes secrets away and tells what is there.
type Upkeep interface {
	Drop(ctx context.Context, path string, version int64) error
	Remove(ctx context.Context, path string) error
	List(ctx context.Context, prefix string) ([]secrets.Stored, error)
}

// Store keeps passwords by operator. It is safe for concurrent use.
type Store struct {
	secrets Secrets
	tracer  trace.Tracer
}

var (
	_ operators.Credentials       = (*Store)(nil)
	_ operators.CredentialsKeeper = (*Store)(nil)
)

// New returns a store. The tracer gets one span per call, without any value.
func New(store Secrets, tracer trace.Tracer) *Store { return &Store{secrets: store, tracer: tracer} }

func path(operator uuid.UUID) string { return folder + "/" + operator.String() + "/" + leaf }

// Put stores a password as a new version.
func (s *Store) Put(ctx context.Context, operator uuid.UUID, password secret.Text) (version int64, err error) {
	ctx, end := s.span(ctx, "ops.vault.writeCredentials")
	defer end(&err)
	return s.secrets.Put(ctx, path(operator), password)
}

// Get gives one version, or a NotFound fault.
func (s *Store) Get(ctx context.Context, operator uuid.UUID, version int64) (password secret.Text, err error) {
	ctx, end := s.span(ctx, "ops.vault.readCredentials")
	defer end(&err)
	return s.secrets.Get(ctx, path(operator), version)
}

// Drop takes one version away.
func (s *Store) Drop(ctx context.Context, operator uuid.UUID, version int64) (err error) {
	ctx, end := s.span(ctx, "ops.vault.dropCredentials")
	defer end(&err)
	return s.secrets.Drop(ctx, path(operator), version)
}

// Remove takes everything of an operator away.
func (s *Store) Remove(ctx context.Context, operator uuid.UUID) (err error) {
	ctx, end := s.span(ctx, "ops.vault.removeCredentials")
	defer end(&err)
	return s.secrets.Remove(ctx, path(operator))
}

// List gives every operator that has an entry. What others keep in the folder is left out.
func (s *Store) List(ctx context.Context) (all []operators.StoredCredentials, err error) {
	ctx, end := s.span(ctx, "ops.vault.listCredentials")
	defer end(&err)
	stored, err := s.secrets.List(ctx, folder)
	if err != nil {
		return nil, err
	}
	for _, one := range stored {
		id, ok := operatorOf(one.Path)
		if !ok {
			continue
		}
		entry := operators.StoredCredentials{OperatorID: id, UpdatedAt: one.UpdatedAt}
		for _, v := range one.Versions {
			entry.Versions = append(entry.Versions, operators.CredentialsVersion{Number: v.Number, CreatedAt: v.CreatedAt})
		}
		all = append(all, entry)
	}
	return all, nil
}

// operatorOf reads a path that path wrote, and no other.
func operatorOf(text string) (uuid.UUID, bool) {
	parts := strings.Split(text, "/")
	if len(parts) != 3 {
		return uuid.Nil, false
	}
	id, err := uuid.Parse(parts[1])
	return id, err == nil && path(id) == text
}

// span starts a span; call the result with a pointer to the error, deferred.
func (s *Store) span(ctx context.Context, name string) (context.Context, func(*error)) {
	ctx, span := s.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient))
	return ctx, func(err *error) {
		if *err != nil {
			span.SetStatus(codes.Error, fault.From(*err).Reason)
		}
		span.End()
	}
}
