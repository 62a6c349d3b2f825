package rpc

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
	"trunkline/services/routing"
)

// batchWorkers bounds how many questions of one batch are asked at once. It matters when each asks a
// database; in memory the machine's cores are the limit.
const batchWorkers = 8

// BatchSelectOperators decides for many messages, in order, all of them for one moment and, in memory, by one table. Only
// the end of the call's time fails the call as a whole.
func (h *Handler) BatchSelectOperators(ctx context.Context, req *routingv1.BatchSelectOperatorsRequest) (*routingv1.BatchSelectOperatorsResponse, error) {
	ctx, span := h.span(ctx, "routing-engine.batch_select_operators")
	defer span.End()
	span.SetAttributes(attribute.Int("routing.batch", len(req.GetRequests())))
	results := make([]*routingv1.BatchResult, len(req.GetRequests()))
	every := routing.Query{At: h.clock.Now(), Batch: new(routing.Batch)}
	part := (len(results) + batchWorkers - 1) / batchWorkers
	var wg sync.WaitGroup
	var panicked atomic.Value
	for lo := 0; lo < len(results); lo += part {
		hi := min(lo+part, len(results))
		wg.Go(func() {
			// A panic must reach the call's own goroutine, where the server turns it into an answer; here
			// it would end the process.
			defer func() {
				if p := recover(); p != nil {
					panicked.CompareAndSwap(nil, fmt.Sprint(p))
				}
			}()
			h.batchPart(ctx, every, req.GetRequests()[lo:hi], results[lo:hi])
		})
	}
	wg.Wait()
	if p := panicked.Load(); p != nil {
		panic(p)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &routingv1.BatchSelectOperatorsResponse{Results: results}, nil
}

// batchPart answers some questions one after the other. q is what all have in common.
func (h *Handler) batchPart(ctx context.Context, q routing.Query, questions []*routingv1.SelectOperatorRequest, results []*routingv1.BatchResult) {
	d := h.decisions.Get().(*routing.Decision)
	defer h.decisions.Put(d)
	read := reader{q: q}
	write := writer{left: len(questions), ids: map[*routing.Operator]string{}}
	for i, question := range questions {
		if ctx.Err() != nil {
			return
		}
		err := read.next(ctx, question)
		if err == nil {
			err = h.decider.Explain(ctx, &read.q, d, nil)
		}
		if err != nil {
			results[i] = &routingv1.BatchResult{Result: &routingv1.BatchResult_Error{Error: failure(err)}}
			write.left--
			continue
		}
		results[i] = write.result(question, d)
	}
}

// reader reads one question after the other into q. An account that was read before, and so was found to be the caller's,
// is not read again.
type reader struct {
	q       routing.Query
	account string
}

func (r *reader) next(ctx context.Context, req *routingv1.SelectOperatorRequest) error {
	if r.account != "" && r.account == req.GetAccountId() && len(req.GetMessageId()) <= routing.MaxMessageID && len(req.GetExcludeOperatorIds()) == 0 {
		kind, known := messageTypes[req.GetMessageType()]
		to, err := e164.Parse(req.GetTo())
		if known && err == nil {
			r.q.To, r.q.Type, r.q.MessageID, r.q.Exclude = to, kind, req.GetMessageId(), nil
			return nil
		}
	}
	q, err := query(ctx, req)
	if err != nil {
		return err
	}
	q.At, q.Batch = r.q.At, r.q.Batch
	r.q, r.account = q, req.GetAccountId()
	return nil
}

// slabSize is how many results are made at once: few enough for the allocator's small sizes.
const slabSize = 32

// slab is memory of many equal parts. Answers of a batch live and die together, so that they may share it.
type slab[T any] struct{ free []T }

// take gives n parts that were never used; size is how many are made at once.
func (s *slab[T]) take(n, size int) []T {
	if len(s.free) < n {
		s.free = make([]T, max(n, size))
	}
	taken := s.free[:n:n]
	s.free = s.free[n:]
	return taken
}

// item is one result with all that every answer has.
type item struct {
	result routingv1.BatchResult
	wrap   routingv1.BatchResult_Response
	answer answer
}

// writer makes results.
type writer struct {
	// left is how many results are still to come.
	left     int
	items    slab[item]
	others   slab[other]
	pointers slab[*routingv1.Alternate]
	texts    texts

	ids      map[*routing.Operator]string
	currency money.Currency
	code     string
}

// result copies a decision that has a winner.
func (w *writer) result(req *routingv1.SelectOperatorRequest, d *routing.Decision) *routingv1.BatchResult {
	size := min(w.left, slabSize)
	if w.texts.Cap()-w.texts.Len() < uuidLength {
		w.texts = texts{}
		w.texts.Grow(size * uuidLength)
	}
	it := &w.items.take(1, size)[0]
	winner, others := &d.Choices[0], d.Choices[1:]
	res := &it.answer.response
	res.OperatorId, res.OperatorName = w.id(winner.Operator), winner.Name
	res.Host, res.Port, res.SystemId, res.TpsLimit = winner.Host, winner.Port, winner.SystemID, winner.TPSLimit
	res.Strategy, res.MatchedPrefix = strategies[d.Strategy], req.GetTo()[:1+len(d.Prefix)]
	res.UnitPrice, res.Meta = w.price(&it.answer.price, winner.Price), fillMeta(&it.answer.meta, d, w.texts.uuid(d.ID))
	if len(others) > 0 {
		whole := w.others.take(len(others), size*len(others))
		res.Alternates = w.pointers.take(len(others), size*len(others))
		for i := range others {
			c, o := &others[i], &whole[i].alternate
			o.OperatorId, o.OperatorName, o.UnitPrice = w.id(c.Operator), c.Name, w.price(&whole[i].price, c.Price)
			o.Host, o.Port, o.SystemId, o.TpsLimit = c.Host, c.Port, c.SystemID, c.TPSLimit
			res.Alternates[i] = o
		}
	}
	w.left--
	it.wrap.Response = res
	it.result.Result = &it.wrap
	return &it.result
}

func (w *writer) id(o *routing.Operator) string {
	text, ok := w.ids[o]
	if !ok {
		text = o.ID.String()
		w.ids[o] = text
	}
	return text
}

func (w *writer) price(into *routingv1.Money, m money.Money) *routingv1.Money {
	if m.IsZero() {
		return nil
	}
	if w.currency != m.Currency {
		w.currency, w.code = m.Currency, m.Currency.String()
	}
	into.CurrencyCode, into.Nanos = w.code, m.Nanos
	return into
}
