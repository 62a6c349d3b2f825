package releases

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/clock"
)

// crowd is a board that words are put on without a bus.
type crowd struct {
	*Engines
	now *clock.Fake
	log bytes.Buffer
}

func newCrowd() *crowd {
	c := &crowd{now: clock.NewFake(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))}
	c.Engines = NewEngines(nil, c.now, slog.New(slog.NewTextHandler(&c.log, nil)))
	return c
}

func engineID(n uint64) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:], n)
	return id
}

func (c *crowd) say(first, n uint64, host string, state operators.EngineState) {
	for i := range n {
		c.hear(operators.EngineWord{EngineID: engineID(first + i), Host: host, State: state, At: c.now.Now()})
	}
}

func (c *crowd) knows(n uint64) bool {
	return slices.ContainsFunc(c.Heard(), func(w operators.EngineWord) bool { return w.EngineID == engineID(n) })
}

func TestAFullBoardDropsTheEngineThatWasHeardOnlyOnceAndLongestAgo(t *testing.T) {
	c := newCrowd()
	const engines, made = 1, 1_000_000
	c.say(engines, 3, "real", operators.EngineServing)
	c.now.Advance(time.Second)
	c.say(engines, 3, "real", operators.EngineServing)
	c.say(made, maxEngines-3, "", operators.EngineServing)
	require.Empty(t, c.log.String())

	c.say(10, 1, "late", operators.EngineRefused)
	require.True(t, c.knows(10), "a newcomer finds room")
	require.Equal(t, 1, c.Count(operators.EngineRefused))
	require.False(t, c.knows(made))
	require.True(t, c.knows(made+1))
	c.now.Advance(time.Second)
	c.say(10, 1, "late", operators.EngineRefused)
	c.say(2*made, 2*maxEngines, "", operators.EngineServing)
	require.Len(t, c.Heard(), maxEngines)
	for _, id := range []uint64{engines, engines + 1, engines + 2, 10} {
		require.True(t, c.knows(id), "it spoke twice")
	}
	require.Equal(t, 1, strings.Count(c.log.String(), "words are dropped"), "it is told once")
}

func TestTheSameWordAgainIsNoSecondOne(t *testing.T) {
	c := newCrowd()
	for range 2 { // as after an interruption
		c.say(1, maxEngines, "", operators.EngineServing)
	}
	c.say(maxEngines+1, 1, "late", operators.EngineServing)
	require.True(t, c.knows(maxEngines+1))
}

func TestNobodyMakesRoomWhenAllSpokeTwiceUntilTheyFallSilent(t *testing.T) {
	c := newCrowd()
	for range 2 {
		c.say(1, maxEngines, "", operators.EngineServing)
		c.now.Advance(time.Second)
	}
	c.say(maxEngines+1, 1, "late", operators.EngineServing)
	require.False(t, c.knows(maxEngines+1))
	require.Len(t, c.Heard(), maxEngines)
	c.now.Advance(operators.EngineLife)
	c.say(maxEngines+1, 1, "late", operators.EngineServing)
	require.True(t, c.knows(maxEngines+1))
	require.Len(t, c.Heard(), 1)
	require.Equal(t, 1, c.once.Len())
}

func TestSilentEnginesAreLookedForOnceASecond(t *testing.T) {
	c := newCrowd()
	c.say(1, 1, "", operators.EngineServing)
	c.now.Advance(operators.EngineLife + time.Millisecond)
	c.forgot = c.now.Now()
	c.say(2, 1, "", operators.EngineServing)
	require.Len(t, c.heard, 2, "not with each word")
	c.now.Advance(time.Second)
	c.say(3, 1, "", operators.EngineServing)
	require.Len(t, c.heard, 2)
	require.False(t, c.knows(1))
}

func TestEnginesThatRefuseComeFirst(t *testing.T) {
	c := newCrowd()
	c.say(1, 2, "a", operators.EngineServing)
	c.say(3, 1, "z", operators.EngineRefused)
	c.say(4, 1, "b", operators.EngineRefused)
	c.say(5, 1, "", operators.EnginePrepared)
	var hosts []string
	for _, w := range c.Heard() {
		hosts = append(hosts, w.Host)
	}
	require.Equal(t, []string{"b", "z", "", "a", "a"}, hosts)
}
