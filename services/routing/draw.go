package routing

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
)

// The weighted draw is a race: each operator runs for -ln(u)/weight, with u in (0, 1] from the hash of
// message and operator, and the shortest time wins. That gives each operator its exact share of the
// weights among the eligible, whoever they are (Efraimidis and Spirakis, "Weighted random sampling with
// a reservoir", 2006), and when the winner is excluded on a retry the order of the others stays: the
// first alternate becomes the winner.

// raceTime is one operator's time. Weight 0 never wins against a positive weight.
func raceTime(seed, operator uint64, weight int32) float64 {
	if weight <= 0 {
		return math.Inf(1)
	}
	u := float64(mix(seed^operator)>>11+1) * 0x1p-53
	return max(0, -math.Log(u)/float64(weight)) // never -0, which would rank last
}

// drawSeed hashes the message id, or the decision id when there is none (FNV-1a, then mixed).
func drawSeed(messageID string, decision uuid.UUID) uint64 {
	if messageID == "" {
		return mix(binary.LittleEndian.Uint64(decision[:8]) ^ mix(binary.LittleEndian.Uint64(decision[8:])))
	}
	h := uint64(0xcbf29ce484222325)
	for i := range len(messageID) {
		h = (h ^ uint64(messageID[i])) * 0x100000001b3
	}
	return mix(h)
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
// generators", 2014): every input bit reaches every output bit.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// NewDecisionID makes a UUID version 7 (RFC 9562). It takes no lock and does not allocate: the random
// part comes from the runtime's per-thread generator, which is enough for an id that is not a secret.
func NewDecisionID(now time.Time) (id uuid.UUID) {
	millis := uint64(now.UnixMilli())
	binary.BigEndian.PutUint64(id[:8], millis<<16|0x7000|rand.Uint64()&0x0fff)
	binary.BigEndian.PutUint64(id[8:], rand.Uint64()&(1<<62-1)|1<<63)
	return id
}
