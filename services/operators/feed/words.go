package feed

import (
	"container/list"
	"slices"
	"time"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/services/platform/jetstream"
)

// mostWords bounds how many operators and engines are remembered. Those that were silent for longest make room: real ones
// speak again and again, and made-up ones most often only once.
const mostWords = 10_000

// words are the last word of each subject, in the order in which they came. Each has a number, so a watcher's place is the
// number of the last one that it was told, and what waits for it takes no room of its own.
type words struct {
	last      uint64
	order     *list.List // of *word
	bySubject map[string]*list.Element
}

type word struct {
	number   uint64
	subject  string
	sequence uint64
	// at is when the stream took it in; it is told until it is older than life.
	at       time.Time
	life     time.Duration
	response *operatorsv1.WatchEventsResponse
}

func newWords() words { return words{order: list.New(), bySubject: map[string]*list.Element{}} }

// add takes a word in; false when it is there already, as after an interruption of the stream.
func (s *words) add(m jetstream.Message, life time.Duration, response *operatorsv1.WatchEventsResponse) bool {
	if place, known := s.bySubject[m.Subject]; known {
		if w := place.Value.(*word); w.sequence == m.Sequence && w.at.Equal(m.Time) {
			return false
		}
		s.drop(place)
	} else if s.order.Len() >= mostWords {
		s.drop(s.order.Front())
	}
	s.last++
	s.bySubject[m.Subject] = s.order.PushBack(&word{
		number: s.last, subject: m.Subject, sequence: m.Sequence, at: m.Time, life: life, response: response,
	})
	return true
}

func (s *words) drop(place *list.Element) {
	delete(s.bySubject, place.Value.(*word).subject)
	s.order.Remove(place)
}

// after gives the words behind a number that are not too old, the oldest first.
func (s *words) after(number uint64, now time.Time) (all []*operatorsv1.WatchEventsResponse) {
	for place := s.order.Back(); place != nil; place = place.Prev() {
		w := place.Value.(*word)
		if w.number <= number {
			break
		}
		if now.Sub(w.at) <= w.life {
			all = append(all, w.response)
		}
	}
	slices.Reverse(all)
	return all
}
