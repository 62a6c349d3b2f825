package jwks

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"trunkline/services/access"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
)

func TestARememberedTokenEndsWhenItWouldWithoutMemory(t *testing.T) {
	clk := clock.NewFake(noon)
	v := newTestVerifier(t, ourConfig(), &source{document: onlyED()}, clk)
	token := good(change("exp", noon.Add(10*time.Second).Unix()))
	_, err := v.Verify(t.Context(), token)
	require.NoError(t, err)
	require.Equal(t, 1, v.verified.Len())
	clk.Advance(40*time.Second - time.Nanosecond)
	_, err = v.Verify(t.Context(), token)
	require.NoError(t, err)
	clk.Advance(time.Nanosecond)
	_, err = v.Verify(t.Context(), token)
	require.True(t, fault.Is(err, access.ReasonExpired), "%v", err)
}

func TestATokenIsRememberedForAMinute(t *testing.T) {
	clk := clock.NewFake(noon)
	v := newTestVerifier(t, ourConfig(), &source{document: onlyED()}, clk)
	_, err := v.Verify(t.Context(), good())
	require.NoError(t, err)
	known := v.verified.Values()[0]
	clk.Advance(rememberFor - time.Nanosecond)
	require.True(t, v.holds(known))
	clk.Advance(time.Nanosecond)
	require.False(t, v.holds(known))
	_, err = v.Verify(t.Context(), good())
	require.NoError(t, err)
	require.True(t, v.holds(v.verified.Values()[0]), "it was verified anew")
}

func TestOnlyWhatIsConfiguredIsAccepted(t *testing.T) {
	k := allKeys()
	cfg := ourConfig()
	cfg.Algorithms = []string{ES256}
	v := newTestVerifier(t, cfg, &source{document: wholeDocument()}, clock.NewFake(noon))
	_, err := v.Verify(t.Context(), signed(k.ec, header(ES256, "ec"), text(plain())))
	require.NoError(t, err)
	_, err = v.Verify(t.Context(), good())
	require.EqualError(t, err, "UNAUTHENTICATED CREDENTIAL_INVALID: The token's algorithm (alg) is not accepted here; use ES256.")
	require.Equal(t, 1, v.keys.set.Load().listed(), "keys of other algorithms are not even held")
}

func TestTheConfiguredClaimsMakeTheCaller(t *testing.T) {
	cfg := ourConfig()
	cfg.RoleClaim, cfg.ScopeClaim, cfg.AccountClaim = "realm_access.roles", "scp", "tenant"
	v := newTestVerifier(t, cfg, &source{document: onlyED()}, clock.NewFake(noon))
	who, err := v.Verify(t.Context(), good(object{
		"roles": nil, "realm_access": object{"roles": []string{"viewer"}}, "scp": []string{"ops:admin"}, "tenant": ourAccount, "account_id": "x",
	}))
	require.NoError(t, err)
	require.Equal(t, caller.Admin, who.Role)
	require.Equal(t, ourAccount, who.Account.String())

	who, err = v.Verify(t.Context(), good(object{"roles": []string{"admin"}}))
	require.NoError(t, err)
	require.Equal(t, caller.None, who.Role, "a token without a role in the configured claims may do nothing")
	require.False(t, who.Bound())
}

func TestADocumentIsReadWithinLimits(t *testing.T) {
	var many []object
	for i := range maxKeys {
		many = append(many, listed(fmt.Sprint(i), allKeys().ed.Public()))
	}
	signers, useless, err := parseDocument(document(many...), DefaultConfig().Algorithms)
	require.NoError(t, err)
	require.Len(t, signers, maxKeys)
	require.Empty(t, useless)
	_, _, err = parseDocument(document(append(many, many[0])...), DefaultConfig().Algorithms)
	require.ErrorContains(t, err, "has 51 keys")

	big := listed("huge", &allKeys().rsa.PublicKey, object{"n": strings.Repeat("_", 1400)})
	_, _, err = parseDocument(document(big), DefaultConfig().Algorithms)
	require.ErrorContains(t, err, "8400 bits")
	_, _, err = parseDocument(document(listed("small", &allKeys().rsaSmall.PublicKey)), DefaultConfig().Algorithms)
	require.ErrorContains(t, err, "1024 bits")
	_, err = algorithmOf(&allKeys().rsaSmall.PublicKey)
	require.ErrorContains(t, err, "1024 bits", "without the library's help")
	_, _, err = parseDocument(document(listed(strings.Repeat("k", 257), allKeys().ed.Public())), DefaultConfig().Algorithms)
	require.ErrorContains(t, err, "kid of 1 to 256 bytes")
}

func TestADisabledOrWrongConfigurationMakesNoVerifier(t *testing.T) {
	for _, cfg := range []Config{{}, DefaultConfig(), {JWKSURL: "https://issuer.example"}} {
		_, err := New(cfg, clock.System(), prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
		require.Error(t, err)
	}
}

// FuzzToken changes a good token. No change is accepted, and no text makes the verifier panic or fetch twice.
func FuzzToken(f *testing.F) {
	whole := good()
	s := &source{document: wholeDocument()}
	v := newTestVerifier(f, ourConfig(), s, clock.NewFake(noon))
	for _, a := range attacks {
		f.Add(a.token(allKeys()), 0, []byte{})
	}
	f.Add(whole, len(whole)-1, []byte("A"))
	f.Add(whole, 5, []byte("."))
	f.Fuzz(func(t *testing.T, shown string, at int, patch []byte) {
		if shown != whole {
			if who, err := v.Verify(t.Context(), shown); err == nil {
				t.Fatalf("accepted as %v: %q", who, shown)
			}
		}
		at = int(uint(at) % uint(len(whole)))
		changed := whole[:at] + string(patch) + whole[min(len(whole), at+len(patch)):]
		if changed == whole {
			return
		}
		if who, err := v.Verify(t.Context(), changed); err == nil {
			t.Fatalf("accepted as %v: %q", who, changed)
		}
		if s.count() > 1 {
			t.Fatal("more than one fetch while the clock stands still")
		}
	})
}

// FuzzObject compares with the plain decoder: what is accepted reads the same there, and reading what that decoder
// writes gives the same again.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1}`, `{"a":{"a":[1,"x",null,true,{"b":1e3}]}}`, `{"a":1,"a":2}`, `[]`, `{"a":"\ud800"}`, `{"a":1}x`, ` {"\u0061":1} `} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		object, err := decodeObject(data)
		if err != nil {
			return
		}
		decoder := json.NewDecoder(strings.NewReader(string(data)))
		decoder.UseNumber()
		var want map[string]any
		if err := decoder.Decode(&want); err != nil || !reflect.DeepEqual(want, object) {
			t.Fatalf("%q reads as %v, not %v (%v)", data, object, want, err)
		}
		again, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := decodeObject(again); err != nil || !reflect.DeepEqual(back, object) {
			t.Fatalf("%q reads as %v (%v)", again, back, err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	k := allKeys()
	clk := clock.NewFake(noon)
	v := newTestVerifier(b, ourConfig(), &source{document: wholeDocument()}, clk)
	for name, token := range map[string]string{
		RS256: signed(k.rsa, header(RS256, "rsa"), text(plain())),
		ES256: signed(k.ec, header(ES256, "ec"), text(plain())),
		EdDSA: good(),
	} {
		b.Run(name+"/first", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				v.verified.Purge()
				if _, err := v.Verify(b.Context(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/remembered", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(b.Context(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
