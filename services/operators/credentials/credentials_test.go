package credentials_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"trunkline/services/operators"
	"trunkline/services/operators/credentials"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/secret"
	"trunkline/services/platform/secrets"
)

// Both stores of the platform keep passwords.
var (
	_ credentials.Secrets = (*secrets.Keyring)(nil)
	_ credentials.Secrets = (*secrets.Vault)(nil)
)

const canary = "Canary-77aa#pw"

type kit struct {
	ring  *secrets.Keyring
	store *credentials.Store
	spans *tracetest.SpanRecorder
	clock *clock.Fake
}

func newKit(t *testing.T) kit {
	t.Helper()
	k := kit{spans: tracetest.NewSpanRecorder(), clock: clock.NewFake(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))}
	var err error
	k.ring, err = secrets.OpenKeyring(secrets.KeyringConfig{File: filepath.Join(t.TempDir(), "ring")}, nil, k.clock)
	require.NoError(t, err)
	t.Cleanup(func() { _ = k.ring.Close() })
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(k.spans))
	k.store = credentials.New(k.ring, provider.Tracer("test"))
	return k
}

func TestPasswordsAreKeptByOperatorAndVersion(t *testing.T) {
	k := newKit(t)
	a, b := uuid.New(), uuid.New()
	for want, text := range []string{canary, "second"} {
		version, err := k.store.Put(t.Context(), a, secret.New(text))
		require.NoError(t, err)
		require.EqualValues(t, want+1, version)
	}
	_, err := k.store.Put(t.Context(), b, secret.New("other"))
	require.NoError(t, err)
	text, err := k.store.Get(t.Context(), a, 1)
	require.NoError(t, err)
	require.Equal(t, canary, text.Reveal())
	stored, err := k.ring.Get(t.Context(), "operators/"+a.String()+"/credentials", 2)
	require.NoError(t, err, "policies and people know the path")
	require.Equal(t, "second", stored.Reveal())

	require.NoError(t, k.store.Drop(t.Context(), a, 1))
	_, err = k.store.Get(t.Context(), a, 1)
	require.Equal(t, fault.NotFound, fault.From(err).Kind)
	require.NoError(t, k.store.Drop(t.Context(), a, 1), "what is gone is no error")
	require.NoError(t, k.store.Remove(t.Context(), a))
	require.NoError(t, k.store.Remove(t.Context(), a))
	_, err = k.store.Get(t.Context(), a, 2)
	require.Equal(t, fault.NotFound, fault.From(err).Kind)
	text, err = k.store.Get(t.Context(), b, 1)
	require.NoError(t, err)
	require.Equal(t, "other", text.Reveal())
}

func TestTheListHoldsOperatorsOnlyAndNoPasswords(t *testing.T) {
	k := newKit(t)
	all, err := k.store.List(t.Context())
	require.NoError(t, err)
	require.Empty(t, all)
	at := k.clock.Now()
	a := uuid.New()
	for range 3 {
		_, err := k.store.Put(t.Context(), a, secret.New(canary))
		require.NoError(t, err)
		k.clock.Advance(time.Minute)
	}
	require.NoError(t, k.store.Drop(t.Context(), a, 2))
	for _, path := range []string{
		"operators/" + a.String() + "/other", "operators/nobody/credentials", "operators/" + a.String(),
		"operators/" + a.String() + "/credentials/deeper", "elsewhere/" + a.String() + "/credentials",
	} {
		_, err := k.ring.Put(t.Context(), path, secret.New("x"))
		require.NoError(t, err, path)
	}
	all, err = k.store.List(t.Context())
	require.NoError(t, err)
	require.Equal(t, []operators.StoredCredentials{{
		OperatorID: a, UpdatedAt: at.Add(2 * time.Minute),
		Versions: []operators.CredentialsVersion{{Number: 1, CreatedAt: at}, {Number: 3, CreatedAt: at.Add(2 * time.Minute)}},
	}}, all)
}

// failing is a store that is down.
type failing struct{ err error }

func (f failing) Put(context.Context, string, secret.Text) (int64, error) { return 0, f.err }
func (f failing) Get(context.Context, string, int64) (secret.Text, error) {
	return secret.Text{}, f.err
}
func (f failing) Drop(context.Context, string, int64) error              { return f.err }
func (f failing) Remove(context.Context, string) error                   { return f.err }
func (f failing) List(context.Context, string) ([]secrets.Stored, error) { return nil, f.err }

func TestEveryCallIsASpanThatShowsItsFailureAndNoPassword(t *testing.T) {
	calls := []struct {
		span string
		call func(s *credentials.Store) error
	}{
		{"ops.vault.writeCredentials", func(s *credentials.Store) error {
			_, err := s.Put(t.Context(), uuid.Nil, secret.New(canary))
			return err
		}},
		{"ops.vault.readCredentials", func(s *credentials.Store) error { _, err := s.Get(t.Context(), uuid.Nil, 1); return err }},
		{"ops.vault.dropCredentials", func(s *credentials.Store) error { return s.Drop(t.Context(), uuid.Nil, 1) }},
		{"ops.vault.removeCredentials", func(s *credentials.Store) error { return s.Remove(t.Context(), uuid.Nil) }},
		{"ops.vault.listCredentials", func(s *credentials.Store) error { _, err := s.List(t.Context()); return err }},
	}
	for _, broken := range []error{nil, secrets.ErrUnavailable.Wrap(errors.New("refused " + canary))} {
		recorder := tracetest.NewSpanRecorder()
		provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
		store := credentials.New(failing{broken}, provider.Tracer("test"))
		for _, c := range calls {
			require.ErrorIs(t, c.call(store), broken)
		}
		ended := recorder.Ended()
		require.Len(t, ended, len(calls))
		for i, span := range ended {
			require.Equal(t, calls[i].span, span.Name())
			require.Empty(t, span.Attributes())
			require.Empty(t, span.Events())
			if broken != nil {
				require.Equal(t, codes.Error, span.Status().Code)
				require.Equal(t, operators.ReasonVault, span.Status().Description)
			} else {
				require.Equal(t, codes.Unset, span.Status().Code)
			}
		}
	}
}
