package jwks

import (
	"encoding/json"
	"math"
	"time"

	"trunkline/services/access"
)

// maxSeconds is the end of the year 9999, the last that times are written for.
const maxSeconds = 253402300799

// judge checks issuer, audience and times, and gives the first instant at which the token is refused.
func (c Config) judge(claims map[string]any, now time.Time) (end time.Time, err error) {
	if issuer, ok := claims["iss"].(string); !ok || issuer != c.Issuer {
		return time.Time{}, access.Invalid("The token is of another issuer (iss). Get one of the configured issuer.")
	}
	if !meantFor(claims["aud"], c.Audience) {
		return time.Time{}, access.Invalid("The token is meant for others (aud). Ask the issuer for one for this service.")
	}
	expires, there, ok := instant(claims, "exp")
	if !there || !ok {
		return time.Time{}, access.Invalid("The token's claim exp must be a number of seconds since 1970. A token without an end is not accepted.")
	}
	end = expires.Add(c.Skew)
	if !now.Before(end) {
		return time.Time{}, access.Expired("The token has expired. Get a new one from its issuer.")
	}
	for _, name := range []string{"nbf", "iat"} {
		begins, there, ok := instant(claims, name)
		switch {
		case !ok:
			return time.Time{}, access.Invalid("The token's claim " + name + " must be a number of seconds since 1970.")
		case there && now.Add(c.Skew).Before(begins):
			return time.Time{}, access.Invalid("The token is not valid yet (" + name + "). If it is new, compare the clocks of issuer and server.")
		}
	}
	return end, nil
}

// meantFor reads aud, which is one text or a list of texts (RFC 7519, 4.1.3).
func meantFor(audience any, want string) bool {
	if text, ok := audience.(string); ok {
		return text == want
	}
	list, _ := audience.([]any)
	found := false
	for _, one := range list {
		text, ok := one.(string)
		if !ok {
			return false
		}
		found = found || text == want
	}
	return found
}

// instant reads a claim with a time; ok is true for one that is missing.
func instant(claims map[string]any, name string) (at time.Time, there, ok bool) {
	value, there := claims[name]
	if !there {
		return time.Time{}, false, true
	}
	number, _ := value.(json.Number)
	seconds, err := number.Float64()
	if err != nil || seconds < 0 || seconds > maxSeconds {
		return time.Time{}, true, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*float64(time.Second))), true, true
}
