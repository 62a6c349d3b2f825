package jwks

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/lestrrat-go/jwx/v3/jws"
	"github.com/prometheus/client_golang/prometheus"

	"trunkline/services/access"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/clock"
)

// ReasonUnavailable: the issuer's keys cannot be fetched. Only Check gives it.
const ReasonUnavailable = "JWKS_UNAVAILABLE"

const (
	// rememberFor and rememberCount bound what is remembered of verified tokens.
	rememberFor   = time.Minute
	rememberCount = 10_000
)

// Verifier recognises the tokens of one issuer. It is safe for concurrent use. Create it with New and run Run.
type Verifier struct {
	cfg      Config
	rules    access.ClaimRules
	clk      clock.Clock
	keys     *keeper
	verified *lru.Cache[[sha256.Size]byte, verified]
}

// verified is a token that was found good.
type verified struct {
	who   caller.Caller
	keyID string
	by    *signer
	until time.Time
}

// New prepares a verifier for an enabled configuration. It fetches nothing yet.
func New(cfg Config, clk clock.Clock, reg prometheus.Registerer, log *slog.Logger) (*Verifier, error) {
	return newVerifier(cfg, func(ctx context.Context) ([]byte, error) { return download(ctx, cfg) }, clk, reg, log)
}

func newVerifier(cfg Config, fetch func(context.Context) ([]byte, error), clk clock.Clock, reg prometheus.Registerer, log *slog.Logger) (*Verifier, error) {
	if !cfg.Enabled() {
		return nil, errors.New("tokens are not enabled: jwks_url is empty")
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	keys, err := newKeeper(fetch, cfg.Algorithms, clk, reg, log)
	if err != nil {
		return nil, err
	}
	cache, err := lru.New[[sha256.Size]byte, verified](rememberCount)
	if err != nil {
		return nil, err
	}
	return &Verifier{
		cfg: cfg, clk: clk, keys: keys, verified: cache,
		rules: access.ClaimRules{Role: cfg.RoleClaim, Scope: cfg.ScopeClaim, Account: cfg.AccountClaim},
	}, nil
}

// Run keeps the keys fresh until ctx ends. Without it they are fetched when tokens need them.
func (v *Verifier) Run(ctx context.Context) { v.keys.run(ctx) }

// Check gives JWKS_UNAVAILABLE while the issuer's keys cannot be fetched. Tokens of known keys are accepted
// meanwhile, so this makes a process degraded, not unready.
func (v *Verifier) Check(context.Context) error { return v.keys.check() }

// Verify tells whose token the text is. The faults are CREDENTIAL_INVALID, CREDENTIAL_EXPIRED for a token that is
// good but for its end, and CREDENTIALS_UNCHECKABLE while the keys were never fetched, or while a token names an
// unknown key and they cannot be fetched. It waits for a fetch at most, see the package comment.
func (v *Verifier) Verify(ctx context.Context, text string) (caller.Caller, error) {
	if len(text) > access.MaxCredential {
		return caller.Caller{}, access.Invalid("The token is longer than 8 KiB. Ask the issuer for one with fewer claims.")
	}
	digest := sha256.Sum256([]byte(text))
	if known, ok := v.verified.Get(digest); ok && v.holds(known) {
		return known.who, nil
	}
	found, err := v.verify(ctx, text)
	if err != nil {
		return caller.Caller{}, err
	}
	v.verified.Add(digest, found)
	return found.who, nil
}

// holds reports whether a remembered token would be found good again: it has not ended, and its key is still the one
// accepted under its id.
func (v *Verifier) holds(known verified) bool {
	now := v.clk.Now()
	return now.Before(known.until) && v.keys.set.Load().find(known.keyID, now) == known.by
}

func (v *Verifier) verify(ctx context.Context, text string) (verified, error) {
	h, err := readHead(text, v.cfg.Algorithms)
	if err != nil {
		return verified{}, err
	}
	key, err := v.keys.find(ctx, h.keyID)
	if err != nil {
		return verified{}, err
	}
	if h.algorithm != key.algorithm.String() {
		return verified{}, access.Invalid("The token's algorithm (alg) is not that of its key. Get a new token.")
	}
	payload, err := jws.VerifyCompactFast(key.public, []byte(text), key.algorithm)
	if err != nil {
		return verified{}, access.Invalid("The token's signature is wrong. Get a new token.").Wrap(err)
	}
	claims, err := decodeObject(payload)
	if err != nil {
		return verified{}, access.Invalid("The token's claims are no JSON object with each name once. Get a new token.")
	}
	now := v.clk.Now()
	end, err := v.cfg.judge(claims, now)
	if err != nil {
		return verified{}, err
	}
	who, err := v.rules.Caller(claims)
	if err != nil {
		return verified{}, err
	}
	who.Expires = end
	until := now.Add(rememberFor)
	if end.Before(until) {
		until = end
	}
	return verified{who: who, keyID: h.keyID, by: key, until: until}, nil
}
