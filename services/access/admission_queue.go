package access

// verdict is what becomes of a waiter.
type verdict uint8

const (
	undecided verdict = iota // still in the queue, or left it by itself
	letIn                    // has a place
	pushedOut                // is refused
)

// waiter is a call in the queue. The mutex of the admission guards it, until decided is closed.
type waiter struct {
	queue        *queue
	older, newer *waiter
	verdict      verdict
	decided      chan struct{}
}

// decide tells the waiter its verdict. It is out of the queue by then.
func (w *waiter) decide(v verdict) {
	w.verdict = v
	close(w.decided)
}

// queue is a list of waiters from which any can be removed.
type queue struct {
	oldest, newest *waiter
	length         int
}

func (q *queue) push(w *waiter) {
	w.older = q.newest
	if w.older != nil {
		w.older.newer = w
	} else {
		q.oldest = w
	}
	q.newest = w
	q.length++
}

// remove takes w out of its queue, in which it must be.
func (w *waiter) remove() *waiter {
	if w.older != nil {
		w.older.newer = w.newer
	} else {
		w.queue.oldest = w.newer
	}
	if w.newer != nil {
		w.newer.older = w.older
	} else {
		w.queue.newest = w.older
	}
	w.older, w.newer = nil, nil
	w.queue.length--
	return w
}
