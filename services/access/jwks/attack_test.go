package jwks

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/access"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
)

// attack is a token that must be refused. The clock shows noon, and the issuer lists what wholeDocument does.
type attack struct {
	name  string
	token func(k keys) string
	want  string // CREDENTIAL_INVALID when empty
	// says is part of the refusal where the library would refuse as well, later and for another reason.
	says string
}

// wholeDocument lists one good key of each kind among many that must not count.
func wholeDocument() []byte {
	k := allKeys()
	private := listed("ec-private", &k.ecOther.PublicKey)
	d, _ := k.ecOther.Bytes()
	private["d"] = b64(d)
	return document(
		listed("rsa", &k.rsa.PublicKey, object{"use": "sig", "alg": "RS256"}),
		listed("ec", &k.ec.PublicKey, object{"key_ops": []string{"verify"}}),
		listed("ed", k.ed.Public()),
		listed("rsa", &k.rsaOther.PublicKey),
		listed("rsa-small", &k.rsaSmall.PublicKey),
		listed("rsa-enc", &k.rsaOther.PublicKey, object{"use": "enc"}),
		listed("rsa-pss", &k.rsaOther.PublicKey, object{"alg": "PS256"}),
		listed("rsa-wrap", &k.rsaOther.PublicKey, object{"key_ops": []string{"wrapKey"}}),
		listed("ec384", &k.ec384.PublicKey),
		listed("ec384-as-es256", &k.ec384.PublicKey, object{"alg": "ES256"}),
		listed("shared", []byte("a secret that both sides know....")),
		listed("", &k.rsaOther.PublicKey),
		listed("../../etc/passwd", []byte("root:x:0:0:root:/root:/bin/bash..")),
		private,
		object{"kty": "FUTURE", "kid": "future"},
		object{"kid": "nothing"},
		object{"kty": "EC", "crv": "P-256", "kid": "off-curve", "x": b64(make([]byte, 32)), "y": b64(make([]byte, 32))},
	)
}

func change(key string, value any) object { return object{key: value} }

// withHeader is signed well and has one more header.
func withHeader(name string, value any) func(keys) string {
	return func(k keys) string { return signed(k.ed, header(EdDSA, "ed", change(name, value)), text(plain())) }
}

// withKeyID is signed well and names its key so.
func withKeyID(id any) func(keys) string { return withHeader("kid", id) }

// withAlgorithm is signed well and names its algorithm so.
func withAlgorithm(algorithm any) func(keys) string { return withHeader("alg", algorithm) }

// withRawHeader is signed well.
func withRawHeader(raw string) func(keys) string {
	return func(k keys) string { return signed(k.ed, raw, text(plain())) }
}

// withClaim is signed well and has one claim changed; nil takes it away.
func withClaim(name string, value any) func(keys) string {
	return func(keys) string { return good(change(name, value)) }
}

// withRawClaims is signed well.
func withRawClaims(raw string) func(keys) string {
	return func(k keys) string { return signed(k.ed, header(EdDSA, "ed"), raw) }
}

// altered changes the text of a good token.
func altered(alter func(parts []string) string) func(keys) string {
	return func(keys) string { return alter(strings.Split(good(), ".")) }
}

// spare changes bits of the last character that stand for nothing.
func spare(part string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, part[len(part)-1])
	return part[:len(part)-1] + string(alphabet[last^1])
}

func null(name string) string {
	return strings.Replace(text(plain(change(name, "NULL"))), `"`+name+`":"NULL"`, `"`+name+`":null`, 1)
}

var attacks = []attack{
	// Algorithms.
	{name: "alg none without a signature", says: "neither an API key nor a signed token", token: func(keys) string { return signed(nil, header("none", "ed"), text(plain())) }},
	{name: "alg None without a signature", token: func(keys) string { return signed(nil, header("None", "ed"), text(plain())) }},
	{name: "alg nOnE without a signature", token: func(keys) string { return signed(nil, header("nOnE", "ed"), text(plain())) }},
	{name: "alg NONE with the signature of another key", token: func(k keys) string { return signed(k.edOther, header("NONE", "ed"), text(plain())) }},
	{name: "alg none with a good signature", says: "algorithm (alg) is not accepted here", token: withAlgorithm("none")},
	{name: "no alg", token: withRawHeader(`{"kid":"ed","typ":"JWT"}`)},
	{name: "alg that is a list", token: withAlgorithm([]string{"EdDSA"})},
	{name: "alg that is null", token: withRawHeader(`{"alg":null,"kid":"ed"}`)},
	{name: "alg in small letters", token: withAlgorithm("eddsa")},
	{name: "alg with a blank behind it", token: withAlgorithm("EdDSA ")},
	{name: "alg of a name that is not in the list though the key is", token: withAlgorithm("Ed25519")},
	{name: "HS256 with the RSA public key in PEM as the secret", token: func(k keys) string {
		der, _ := x509.MarshalPKIXPublicKey(&k.rsa.PublicKey)
		return signed(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), header("HS256", "rsa"), text(plain()))
	}},
	{name: "HS256 with the RSA public key in the older PEM as the secret", token: func(k keys) string {
		der := x509.MarshalPKCS1PublicKey(&k.rsa.PublicKey)
		return signed(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: der}), header("HS256", "rsa"), text(plain()))
	}},
	{name: "HS256 with the RSA public key in DER as the secret", token: func(k keys) string {
		der, _ := x509.MarshalPKIXPublicKey(&k.rsa.PublicKey)
		return signed(der, header("HS256", "rsa"), text(plain()))
	}},
	{name: "HS256 with the modulus as the secret", token: func(k keys) string { return signed(k.rsa.N.Bytes(), header("HS256", "rsa"), text(plain())) }},
	{name: "HS256 with the Ed25519 public key as the secret", token: func(k keys) string {
		return signed([]byte(k.ed.Public().(ed25519.PublicKey)), header("HS256", "ed"), text(plain()))
	}},
	{name: "HS256 with an empty secret", token: func(keys) string { return signed([]byte{}, header("HS256", "rsa"), text(plain())) }},
	{name: "HS256 with a shared secret that the issuer lists", token: func(keys) string {
		return signed([]byte("a secret that both sides know...."), header("HS256", "shared"), text(plain()))
	}},
	{name: "a shared secret that the issuer lists, under the name RS256", token: func(keys) string {
		return signed([]byte("a secret that both sides know...."), header(RS256, "shared"), text(plain()))
	}},
	{name: "PS256 with a good RSA key", token: func(k keys) string { return signed(pss{k.rsa}, header("PS256", "rsa"), text(plain())) }},
	{name: "a PSS signature under the name RS256", token: func(k keys) string { return signed(pss{k.rsa}, header(RS256, "rsa"), text(plain())) }},
	{name: "RS512 with a good RSA key", token: func(k keys) string { return signed(sha512Of{k.rsa}, header("RS512", "rsa"), text(plain())) }},
	{name: "a SHA-512 signature under the name RS256", token: func(k keys) string { return signed(sha512Of{k.rsa}, header(RS256, "rsa"), text(plain())) }},
	{name: "ES256 by another key that names the RSA key", says: "not that of its key", token: func(k keys) string { return signed(k.ecOther, header(ES256, "rsa"), text(plain())) }},
	{name: "an Ed25519 signature under the name ES256", says: "not that of its key", token: withAlgorithm(ES256)},
	{name: "an RSA signature under the name EdDSA", says: "not that of its key", token: func(k keys) string { return signed(k.rsa, header(EdDSA, "rsa"), text(plain())) }},
	{name: "ES256 with a listed key of P-384", token: func(k keys) string { return signed(k.ec384, header(ES256, "ec384"), text(plain())) }},
	{name: "ES256 with a listed key of P-384 that claims to be for it", token: func(k keys) string { return signed(k.ec384, header(ES256, "ec384-as-es256"), text(plain())) }},
	{name: "ES384 with a listed key", token: func(k keys) string { return signed(k.ec384, header("ES384", "ec384"), text(plain())) }},

	// Keys that the issuer lists for something else.
	{name: "a listed RSA key of 1024 bits", says: "does not list", token: func(k keys) string { return signed(k.rsaSmall, header(RS256, "rsa-small"), text(plain())) }},
	{name: "a listed key for encryption", token: func(k keys) string { return signed(k.rsaOther, header(RS256, "rsa-enc"), text(plain())) }},
	{name: "a listed key for another algorithm", token: func(k keys) string { return signed(k.rsaOther, header(RS256, "rsa-pss"), text(plain())) }},
	{name: "a listed key for wrapping keys", token: func(k keys) string { return signed(k.rsaOther, header(RS256, "rsa-wrap"), text(plain())) }},
	{name: "a key that is listed with its private half", token: func(k keys) string { return signed(k.ecOther, header(ES256, "ec-private"), text(plain())) }},
	{name: "a second key under the id of a good one", token: func(k keys) string { return signed(k.rsaOther, header(RS256, "rsa"), text(plain())) }},
	{name: "a listed point that is not on the curve", token: func(k keys) string { return signed(k.ecOther, header(ES256, "off-curve"), text(plain())) }},

	// Headers that bring a key or change the reading.
	{name: "jku at the attacker", token: func(k keys) string {
		return signed(k.edOther, header(EdDSA, "attacker", change("jku", "https://attacker.example/keys")), text(plain()))
	}},
	{name: "jku at the issuer itself", token: withHeader("jku", ourIssuer+"/keys")},
	{name: "jku at the cloud's metadata address", token: withHeader("jku", "http://169.254.169.254/latest/meta-data/")},
	{name: "x5u at the attacker", token: func(k keys) string {
		return signed(k.edOther, header(EdDSA, "attacker", change("x5u", "https://attacker.example/cert")), text(plain()))
	}},
	{name: "the attacker's key in jwk under a good id", token: func(k keys) string {
		return signed(k.edOther, header(EdDSA, "ed", change("jwk", listed("ed", k.edOther.Public()))), text(plain()))
	}},
	{name: "the attacker's key in jwk without an id", token: func(k keys) string {
		return signed(k.edOther, text(object{"alg": EdDSA, "jwk": listed("x", k.edOther.Public())}), text(plain()))
	}},
	{name: "a certificate in x5c", token: withHeader("x5c", []string{base64.StdEncoding.EncodeToString([]byte("a certificate"))})},
	{name: "crit with an unknown extension", says: "which is not accepted", token: func(k keys) string {
		return signed(k.ed, header(EdDSA, "ed", object{"crit": []string{"x"}, "x": 1}), text(plain()))
	}},
	{name: "crit that is empty", says: "which is not accepted", token: withHeader("crit", []string{})},
	{name: "crit that names exp", says: "which is not accepted", token: withHeader("crit", []string{"exp"})},
	{name: "b64 false with crit", token: func(k keys) string {
		input := b64([]byte(header(EdDSA, "ed", object{"b64": false, "crit": []string{"b64"}}))) + "." + text(plain())
		return input + "." + b64(signature(k.ed, input))
	}},
	{name: "b64 false without crit", says: "which is not accepted", token: withHeader("b64", false)},
	{name: "b64 true", says: "which is not accepted", token: withHeader("b64", true)},
	{name: "zip", token: withHeader("zip", "DEF")},
	{name: "enc", token: withHeader("enc", "A256GCM")},
	{name: "typ of an encrypted token", token: withHeader("typ", "JWE")},
	{name: "typ of a log-out token", token: withHeader("typ", "logout+jwt")},
	{name: "typ of a proof of possession", token: withHeader("typ", "dpop+jwt")},
	{name: "typ that is a number", token: withHeader("typ", 1)},
	{name: "typ that is empty", token: withHeader("typ", "")},

	// Ids of keys.
	{name: "kid that is a path to a known file", token: func(keys) string {
		return signed([]byte{}, header("HS256", "../../dev/null"), text(plain()))
	}},
	{name: "kid that is a path, listed by the issuer with a shared secret", token: func(keys) string {
		return signed([]byte("root:x:0:0:root:/root:/bin/bash.."), header("HS256", "../../etc/passwd"), text(plain()))
	}},
	{name: "kid that is a path, signed well", token: withKeyID("../../etc/passwd")},
	{name: "kid that is an SQL union", token: withKeyID("x' UNION SELECT 'secret' --")},
	{name: "kid that is a shell command", token: withKeyID("|touch /tmp/x")},
	{name: "kid that is the address of a key", token: withKeyID("https://attacker.example/key")},
	{name: "no kid", says: "does not name its key", token: withRawHeader(`{"alg":"EdDSA","typ":"JWT"}`)},
	{name: "kid that is empty, as that of a listed key", says: "does not name its key", token: func(k keys) string { return signed(k.rsaOther, header(RS256, ""), text(plain())) }},
	{name: "kid that is a list", says: "does not name its key", token: withKeyID([]string{"ed"})},
	{name: "kid that is a number", says: "does not name its key", token: withKeyID(0)},
	{name: "kid that is null", says: "does not name its key", token: withRawHeader(`{"alg":"EdDSA","kid":null}`)},
	{name: "kid of 257 bytes", says: "does not name its key", token: withKeyID(strings.Repeat("k", 257))},
	{name: "kid with a NUL behind it", token: withKeyID("ed\x00")},
	{name: "kid in capitals", token: withKeyID("ED")},
	{name: "kid of another listed key", token: withKeyID("rsa")},

	// JSON.
	{name: "alg twice, the second none", token: withRawHeader(`{"alg":"EdDSA","kid":"ed","alg":"none"}`)},
	{name: "alg twice, the first none", token: withRawHeader(`{"alg":"none","kid":"ed","alg":"EdDSA"}`)},
	{name: "alg twice, once with an escaped letter", token: withRawHeader(`{"alg":"EdDSA","kid":"ed","\u0061lg":"EdDSA"}`)},
	{name: "kid twice", token: withRawHeader(`{"alg":"EdDSA","kid":"rsa","kid":"ed"}`)},
	{name: "jku under an escaped name", token: withRawHeader(`{"alg":"EdDSA","kid":"ed","\u006aku":"https://attacker.example"}`)},
	{name: "a header that is a list", token: withRawHeader(`[{"alg":"EdDSA","kid":"ed"}]`)},
	{name: "a header that is null", token: withRawHeader(`null`)},
	{name: "a header that is a text", token: withRawHeader(`"alg"`)},
	{name: "an empty header", token: withRawHeader(``)},
	{name: "a header with a second object behind it", token: withRawHeader(`{"alg":"EdDSA","kid":"ed"}{}`)},
	{name: "a header that is cut off", token: withRawHeader(`{"alg":"EdDSA","kid":"ed"`)},
	{name: "a header with broken UTF-8", token: withRawHeader("{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"x\":\"\xff\"}")},
	{name: "a header with a comment", token: withRawHeader(`{"alg":"EdDSA","kid":"ed"/**/}`)},
	{name: "a header 20 levels deep", token: withRawHeader(`{"alg":"EdDSA","kid":"ed","x":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`)},
	{name: "aud twice", token: withRawClaims(strings.Replace(text(plain()), `{`, `{"aud":"others",`, 1))},
	{name: "sub twice", token: withRawClaims(strings.Replace(text(plain()), `{`, `{"sub":"root",`, 1))},
	{name: "exp twice, once with an escaped letter", token: withRawClaims(strings.Replace(text(plain()), `{`, `{"\u0065xp":1,`, 1))},
	{name: "a name twice within a claim", token: withRawClaims(strings.Replace(text(plain()), `{`, `{"x":[{"a":1,"a":2}],`, 1))},
	{name: "claims that are a list", token: withRawClaims(`[` + text(plain()) + `]`)},
	{name: "claims with something behind them", token: withRawClaims(text(plain()) + `,`)},
	{name: "claims that are empty", token: withRawClaims(``)},
	{name: "claims with broken UTF-8", token: withRawClaims(strings.Replace(text(plain()), "alice", "alice\xff", 1))},

	// Form and signature.
	{name: "an empty text", token: func(keys) string { return "" }},
	{name: "two dots", token: func(keys) string { return ".." }},
	{name: "a token without its signature", token: altered(func(p []string) string { return p[0] + "." + p[1] + "." })},
	{name: "a token without its signature and dot", token: altered(func(p []string) string { return p[0] + "." + p[1] })},
	{name: "a token with a dot behind it", token: altered(func(p []string) string { return strings.Join(p, ".") + "." })},
	{name: "a token with a dot before it", token: altered(func(p []string) string { return "." + strings.Join(p, ".") })},
	{name: "a token with its signature twice", token: altered(func(p []string) string { return strings.Join(append(p, p[2]), ".") })},
	{name: "an encrypted token of five parts", token: func(k keys) string {
		return b64([]byte(text(object{"alg": "dir", "enc": "A256GCM", "kid": "ed"}))) + "..AAAA.AAAA.AAAA"
	}},
	{name: "the flattened JSON form", token: altered(func(p []string) string {
		return text(object{"protected": p[0], "payload": p[1], "signature": p[2]})
	})},
	{name: "the general JSON form", token: altered(func(p []string) string {
		return text(object{"payload": p[1], "signatures": []object{{"protected": p[0], "signature": p[2]}}})
	})},
	{name: "a token within a token", token: func(k keys) string { return signed(k.ed, header(EdDSA, "ed", change("cty", "JWT")), good()) }},
	{name: "a token with a blank before it", token: func(keys) string { return " " + good() }},
	{name: "a token with a line break behind it", token: func(keys) string { return good() + "\n" }},
	{name: "a token with a line break in its signature", token: altered(func(p []string) string {
		return p[0] + "." + p[1] + "." + p[2][:10] + "\r\n" + p[2][10:]
	})},
	{name: "a token with padding", token: func(keys) string { return good() + "==" }},
	{name: "a token with the other alphabet of base64", token: func(k keys) string {
		input := b64([]byte(header(EdDSA, "ed"))) + "." + b64([]byte(text(plain())))
		for n := 0; ; n++ { // until the signature has a character that differs
			input := input + b64([]byte(strings.Repeat(" ", 3*n)))
			if sig := base64.RawStdEncoding.EncodeToString(signature(k.ed, input)); strings.ContainsAny(sig, "+/") {
				return input + "." + sig
			}
		}
	}},
	{name: "a token with a full-width letter", token: func(keys) string { return "ｅ" + good()[1:] }},
	{name: "a token with a byte order mark", token: func(keys) string { return "\ufeff" + good() }},
	{name: "a signature with its spare bits changed", token: altered(func(p []string) string { return p[0] + "." + p[1] + "." + spare(p[2]) })},
	{name: "claims with their spare bits changed before signing", token: func(k keys) string {
		payload := text(plain())
		for len(payload)%3 != 1 {
			payload += " "
		}
		input := b64([]byte(header(EdDSA, "ed"))) + "." + spare(b64([]byte(payload)))
		return input + "." + b64(signature(k.ed, input))
	}},
	{name: "a header with its spare bits changed before signing", token: func(k keys) string {
		head := header(EdDSA, "ed")
		for len(head)%3 != 1 {
			head += " "
		}
		input := spare(b64([]byte(head))) + "." + b64([]byte(text(plain())))
		return input + "." + b64(signature(k.ed, input))
	}},
	{name: "the signature of another token", token: altered(func(p []string) string {
		return p[0] + "." + p[1] + "." + strings.Split(good(change("sub", "bob")), ".")[2]
	})},
	{name: "changed claims under a good signature", token: altered(func(p []string) string {
		return p[0] + "." + b64([]byte(text(plain(change("roles", "admin"))))) + "." + p[2]
	})},
	{name: "a changed header under a good signature", token: altered(func(p []string) string {
		return b64([]byte(header(EdDSA, "ed", change("x", 1)))) + "." + p[1] + "." + p[2]
	})},
	{name: "a signature that is cut off", token: altered(func(p []string) string { return p[0] + "." + p[1] + "." + p[2][:40] })},
	{name: "the attacker's signature under a good id", token: func(k keys) string { return goodBy("ed", k.edOther) }},
	{name: "the attacker's RSA signature under a good id", token: func(k keys) string { return signed(k.rsaOther, header(RS256, "rsa"), text(plain())) }},
	{name: "the attacker's ES256 signature under a good id", token: func(k keys) string { return signed(k.ecOther, header(ES256, "ec"), text(plain())) }},
	{name: "an ES256 signature in ASN.1", token: func(k keys) string { return signed(asn1{k.ec}, header(ES256, "ec"), text(plain())) }},
	{name: "an ES256 signature of zeros", token: func(keys) string {
		return b64([]byte(header(ES256, "ec"))) + "." + b64([]byte(text(plain()))) + "." + b64(make([]byte, 64))
	}},
	{name: "an ES256 signature with a zero byte before it", token: func(k keys) string {
		input := b64([]byte(header(ES256, "ec"))) + "." + b64([]byte(text(plain())))
		return input + "." + b64(append([]byte{0}, signature(k.ec, input)...))
	}},
	{name: "an Ed25519 signature of zeros", token: altered(func(p []string) string { return p[0] + "." + p[1] + "." + b64(make([]byte, 64)) })},
	{name: "an Ed25519 signature plus the order of the group", token: altered(func(p []string) string {
		sig, _ := base64.RawURLEncoding.DecodeString(p[2])
		order, _ := new(big.Int).SetString("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed", 16)
		slices.Reverse(sig[32:])
		s := order.Add(order, new(big.Int).SetBytes(sig[32:]))
		s.FillBytes(sig[32:])
		slices.Reverse(sig[32:])
		return p[0] + "." + p[1] + "." + b64(sig)
	})},
	{name: "a well-signed token of more than 8 KiB", token: withClaim("x", strings.Repeat("x", access.MaxCredential))},

	// Claims.
	{name: "no iss", token: withClaim("iss", nil)},
	{name: "iss of another issuer, signed with our key", token: withClaim("iss", "https://other.example")},
	{name: "iss with a slash behind it", token: withClaim("iss", ourIssuer+"/")},
	{name: "iss in capitals", token: withClaim("iss", strings.ToUpper(ourIssuer))},
	{name: "iss that is a list", token: withClaim("iss", []string{ourIssuer})},
	{name: "no aud", token: withClaim("aud", nil)},
	{name: "aud of another service", token: withClaim("aud", "billing")},
	{name: "aud that only starts like ours", token: withClaim("aud", ourAudience+".attacker.example")},
	{name: "aud in capitals", token: withClaim("aud", "TRUNKLINE")},
	{name: "aud with ours among words of one text", token: withClaim("aud", "billing "+ourAudience)},
	{name: "aud that is an empty list", token: withClaim("aud", []string{})},
	{name: "aud that is a list without ours", token: withClaim("aud", []string{"billing", "mail"})},
	{name: "aud that is a list with ours and a number", token: withClaim("aud", []any{ourAudience, 1})},
	{name: "aud that is an object", token: withClaim("aud", object{ourAudience: true})},
	{name: "aud that is null", token: withRawClaims(null("aud"))},
	{name: "no exp", token: withClaim("exp", nil)},
	{name: "exp that is null", token: withRawClaims(null("exp"))},
	{name: "exp that is a text", token: withClaim("exp", "4102444800")},
	{name: "exp that is a date", token: withClaim("exp", "2100-01-01T00:00:00Z")},
	{name: "exp that is true", token: withClaim("exp", true)},
	{name: "exp that is negative", token: withClaim("exp", -1)},
	{name: "exp beyond all numbers", token: withRawClaims(strings.Replace(text(plain(change("exp", "X"))), `"X"`, "1e999", 1))},
	{name: "exp in milliseconds, to live for ever", token: withClaim("exp", noon.Add(time.Hour).UnixMilli())},
	{name: "exp zero", token: withClaim("exp", 0), want: access.ReasonExpired},
	{name: "exp an hour ago", token: withClaim("exp", noon.Add(-time.Hour).Unix()), want: access.ReasonExpired},
	{name: "exp with a fraction, longer ago than the skew", token: withClaim("exp", float64(noon.Unix())-30.5), want: access.ReasonExpired},
	{name: "exp at the very edge of the skew", token: withClaim("exp", noon.Add(-30*time.Second).Unix()), want: access.ReasonExpired},
	{name: "exp an hour ago by another issuer", token: func(keys) string {
		return good(object{"exp": noon.Add(-time.Hour).Unix(), "iss": "https://other.example"})
	}},
	{name: "nbf beyond the skew", token: withClaim("nbf", noon.Add(31*time.Second).Unix())},
	{name: "nbf that is a text", token: withClaim("nbf", "0")},
	{name: "nbf that is null", token: withRawClaims(null("nbf"))},
	{name: "iat beyond the skew", token: withClaim("iat", noon.Add(31*time.Second).Unix())},
	{name: "iat that is a text", token: withClaim("iat", "now")},
	{name: "iat that is negative", token: withClaim("iat", -5)},
	{name: "no sub", token: withClaim("sub", nil)},
	{name: "sub that is empty", token: withClaim("sub", "")},
	{name: "sub that is a list", token: withClaim("sub", []string{"alice"})},
	{name: "sub of 257 characters", token: withClaim("sub", strings.Repeat("s", 257))},
	{name: "sub with a line break", token: withClaim("sub", "alice\nadmin")},
	{name: "an account that is no UUID", token: withClaim("account_id", "*")},
	{name: "an account that is a list", token: withClaim("account_id", []string{ourAccount})},
	{name: "an account that is null", token: withRawClaims(null("account_id"))},
	{name: "an account of zeros", token: withClaim("account_id", "00000000-0000-0000-0000-000000000000")},
	{name: "a role that is true", token: withClaim("roles", true)},
	{name: "a list of roles with an object", token: withClaim("roles", []any{"admin", object{}})},
	{name: "a scope that is a number", token: withClaim("scope", 7)},
}

func TestAttacks(t *testing.T) {
	s := &source{document: wholeDocument()}
	v := newTestVerifier(t, ourConfig(), s, clock.NewFake(noon))
	names := map[string]bool{}
	for _, a := range attacks {
		require.False(t, names[a.name], a.name)
		names[a.name] = true
		t.Run(a.name, func(t *testing.T) {
			token := a.token(allKeys())
			for range 2 { // the second time nothing may be remembered of the first
				who, err := v.Verify(t.Context(), token)
				require.Error(t, err)
				want := a.want
				if want == "" {
					want = access.ReasonInvalid
				}
				f := fault.From(err)
				require.Equal(t, fault.Unauthenticated, f.Kind)
				require.Equal(t, want, f.Reason)
				require.Contains(t, f.Message, a.says)
				require.Zero(t, who)
				for _, part := range []string{"alice", "attacker", ourAccount, "passwd"} {
					require.NotContains(t, err.Error(), part, "a refusal repeats nothing")
				}
			}
		})
	}
	require.Equal(t, 1, s.count(), "unknown ids caused one fetch in all: the clock stood still")
}

func TestWhatAttacksStartFromIsGood(t *testing.T) {
	k := allKeys()
	v := newTestVerifier(t, ourConfig(), &source{document: wholeDocument()}, clock.NewFake(noon))
	for _, c := range []struct{ name, token string }{
		{"RS256", signed(k.rsa, header(RS256, "rsa"), text(plain()))},
		{"ES256", signed(k.ec, header(ES256, "ec"), text(plain()))},
		{"EdDSA", good()},
		{"an access token by its type", signed(k.ed, header(EdDSA, "ed", change("typ", "at+jwt")), text(plain()))},
		{"a type in small letters", signed(k.ed, header(EdDSA, "ed", change("typ", "jwt")), text(plain()))},
		{"no type", signed(k.ed, `{"alg":"EdDSA","kid":"ed"}`, text(plain()))},
		{"a header of no concern", signed(k.ed, header(EdDSA, "ed", change("x5t", "abc")), text(plain()))},
		{"blanks in the JSON", signed(k.ed, "{\n\"alg\": \"EdDSA\",\n\"kid\": \"ed\"\n}", " "+text(plain())+" ")},
		{"aud that is a list with ours", good(change("aud", []string{"billing", ourAudience}))},
		{"exp with a fraction", good(change("exp", float64(noon.Unix())+0.5))},
		{"exp a second within the skew", good(change("exp", noon.Add(-29*time.Second).Unix()))},
		{"nbf at the edge of the skew", good(change("nbf", noon.Add(30*time.Second).Unix()))},
		{"iat at the edge of the skew", good(change("iat", noon.Add(30*time.Second).Unix()))},
		{"no iat", good(change("iat", nil))},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 { // verified, then remembered
				who, err := v.Verify(t.Context(), c.token)
				require.NoError(t, err)
				require.Equal(t, caller.Token, who.Kind)
				require.Equal(t, "jwt@"+ourAccount+":alice", who.Name)
				require.Equal(t, caller.Operator, who.Role)
				require.Equal(t, ourAccount, who.Account.String())
			}
		})
	}
}
