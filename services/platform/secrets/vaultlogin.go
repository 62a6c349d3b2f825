package secrets

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"
)

// session is one token in use. It never changes; a renewal makes a new session.
type session struct {
	client    *api.Client
	renewable bool
	granted   time.Duration // life at the log-in; 0 never ends
	renewAt   time.Time     // zero: never
}

// lookup asks Vault about the token that it is made with.
var lookup = request{method: http.MethodGet, path: "auth/token/lookup-self"}

// auth is what Vault says about a token that it gave or renewed.
type auth struct {
	Auth struct {
		Token     string `json:"client_token"`
		Seconds   int64  `json:"lease_duration"`
		Renewable bool   `json:"renewable"`
	} `json:"auth"`
}

// session returns the one in use, or logs in.
func (v *Vault) session(ctx context.Context) (*session, error) {
	if s := v.current.Load(); s != nil {
		return s, nil
	}
	return v.logIn(ctx, nil)
}

// logIn replaces the session stale, which is nil for the first one. One log-in is made at a time; who waited for it
// takes its result.
func (v *Vault) logIn(ctx context.Context, stale *session) (*session, error) {
	limited, cancel := context.WithTimeout(ctx, v.cfg.Timeout)
	defer cancel()
	select {
	case v.loggingIn <- struct{}{}:
		defer func() { <-v.loggingIn }()
	case <-limited.Done():
		return nil, explain(ctx, limited.Err())
	}
	if s := v.current.Load(); s != stale {
		return s, nil
	}
	s, err := v.openSession(ctx, limited)
	if err != nil {
		return nil, err
	}
	v.current.Store(s)
	select {
	case v.loggedIn <- struct{}{}:
	default:
	}
	v.log.Info("logged in to Vault", "method", v.cfg.Auth.Method, "token_life", s.granted, "renewable", s.renewable)
	return s, nil
}

func (v *Vault) openSession(caller, limited context.Context) (s *session, err error) {
	defer v.observe.watch(OpLogin)(&err)
	if v.cfg.Auth.Method == AuthToken {
		s, err = v.adopt(limited, v.cfg.Auth.Token.Reveal())
	} else {
		s, err = v.obtain(limited)
	}
	if err = explain(caller, err); errors.Is(err, ErrNotFound) {
		err = ErrDenied.Wrap(err) // the log-in has no entries: the address is wrong
	}
	return s, err
}

// obtain gets a token from the log-in method.
func (v *Vault) obtain(ctx context.Context) (s *session, err error) {
	a := v.cfg.Auth
	body := map[string]string{"role_id": a.RoleID, "secret_id": a.SecretID.Reveal()}
	switch {
	case a.Method == AuthKubernetes:
		jwt, err := readCredential(a.JWTPath)
		if err != nil {
			return nil, err
		}
		body = map[string]string{"role": a.Role, "jwt": jwt}
	case a.SecretIDPath != "":
		if body["secret_id"], err = readCredential(a.SecretIDPath); err != nil {
			return nil, err
		}
	}
	mount := a.Mount
	if mount == "" {
		mount = a.Method
	}
	anonymous, err := v.client("")
	if err != nil {
		return nil, err
	}
	var given auth
	if err := v.send(ctx, anonymous, request{http.MethodPut, "auth/" + mount + "/login", nil, body}, &given); err != nil {
		return nil, err
	}
	if given.Auth.Token == "" {
		return nil, ErrDenied.Wrap(errors.New("the log-in gave no token"))
	}
	c, err := v.client(given.Auth.Token)
	if err != nil {
		return nil, err
	}
	life := wholeSeconds(given.Auth.Seconds)
	return v.from(session{client: c, granted: life, renewable: given.Auth.Renewable}, life), nil
}

// adopt starts to use a token that was made by others.
func (v *Vault) adopt(ctx context.Context, token string) (*session, error) {
	c, err := v.client(token)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data struct {
			Seconds   int64      `json:"ttl"`
			Ends      *time.Time `json:"expire_time"` // nil: never
			Renewable bool       `json:"renewable"`
		} `json:"data"`
	}
	if err := v.send(ctx, c, lookup, &answer); err != nil {
		return nil, err
	}
	s := session{client: c, renewable: answer.Data.Renewable}
	if answer.Data.Ends == nil {
		return &s, nil
	}
	s.granted = wholeSeconds(answer.Data.Seconds)
	if !s.renewable { // nothing to be done before its end
		s.renewAt = time.Now().Add(s.granted)
		return &s, nil
	}
	return v.from(s, s.granted), nil
}

// from returns s with the time of its next renewal; left is what remains of its life.
func (v *Vault) from(s session, left time.Duration) *session {
	s.renewAt = time.Now().Add(time.Duration(float64(left) * v.cfg.RenewAt))
	return &s
}

// renew prolongs the token of s. It logs in instead where that is not possible, or where the token comes to the end of
// its longest life: then a renewal gives less and less.
func (v *Vault) renew(ctx context.Context, s *session) error {
	if s.renewable {
		left, err := v.prolong(ctx, s)
		fading := left < s.granted/2 && v.cfg.Auth.Method != AuthToken
		if err == nil && !fading {
			v.current.CompareAndSwap(s, v.from(*s, left))
			return nil
		}
		if err != nil && !forbidden(err) {
			return explain(ctx, err)
		}
	}
	_, err := v.logIn(ctx, s)
	return err
}

func (v *Vault) prolong(ctx context.Context, s *session) (left time.Duration, err error) {
	var given auth
	done := v.observe.watch(OpRenew)
	err = v.send(ctx, s.client, request{http.MethodPut, "auth/token/renew-self", nil, map[string]any{}}, &given)
	told := explain(ctx, err)
	done(&told)
	return wholeSeconds(given.Auth.Seconds), err
}

// wholeSeconds gives a life that Vault rounded down; 0 would mean that it never ends.
func wholeSeconds(n int64) time.Duration { return time.Duration(max(n, 1)) * time.Second }

// readCredential reads a file that others write, such as a mounted secret.
func readCredential(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", ErrDenied.Wrap(fmt.Errorf("read the credential for the log-in: %w", err))
	}
	return strings.TrimSpace(string(text)), nil
}
