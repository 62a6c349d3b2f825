package difference

import (
	"context"
	"iter"
)

// merge walks two sorted streams side by side, and gives rows that are the same by compare together: those of the first
// stream and those of the second, of which one may have none. give must not keep the slices. The error is the first of a
// stream.
func merge[R any](first, second iter.Seq2[*R, error], compare func(a, b *R) int, give func(before, after []R)) error {
	a, b := groupsOf(first, compare), groupsOf(second, compare)
	defer a.stop()
	defer b.stop()
	if err := a.start(); err != nil {
		return err
	}
	if err := b.start(); err != nil {
		return err
	}
	for len(a.rows) > 0 || len(b.rows) > 0 {
		var order int
		switch {
		case len(a.rows) == 0:
			order = 1
		case len(b.rows) == 0:
			order = -1
		default:
			order = compare(&a.rows[0], &b.rows[0])
		}
		switch {
		case order < 0:
			give(a.rows, nil)
		case order > 0:
			give(nil, b.rows)
		default:
			give(a.rows, b.rows)
		}
		if order <= 0 {
			if err := a.next(); err != nil {
				return err
			}
		}
		if order >= 0 {
			if err := b.next(); err != nil {
				return err
			}
		}
	}
	return nil
}

// groups reads a stream by rows that are the same.
type groups[R any] struct {
	pull    func() (*R, error, bool)
	stop    func()
	compare func(a, b *R) int
	// ahead is the row behind the group; a stream uses the memory of its rows again.
	ahead R
	more  bool
	rows  []R
}

func groupsOf[R any](stream iter.Seq2[*R, error], compare func(a, b *R) int) *groups[R] {
	g := &groups[R]{compare: compare}
	g.pull, g.stop = iter.Pull2(stream)
	return g
}

func (g *groups[R]) start() error {
	if err := g.read(); err != nil {
		return err
	}
	return g.next()
}

// next reads the next group; it has no rows at the end.
func (g *groups[R]) next() error {
	g.rows = g.rows[:0]
	for g.more && (len(g.rows) == 0 || g.compare(&g.rows[0], &g.ahead) == 0) {
		g.rows = append(g.rows, g.ahead)
		if err := g.read(); err != nil {
			return err
		}
	}
	return nil
}

func (g *groups[R]) read() error {
	row, err, ok := g.pull()
	if g.more = ok && err == nil; g.more {
		g.ahead = *row
	}
	return err
}

// each gives the rows of a list as a stream.
func each[R any](list []R) iter.Seq2[*R, error] {
	return func(yield func(*R, error) bool) {
		for i := range list {
			if !yield(&list[i], nil) {
				return
			}
		}
	}
}

// within ends a stream with ctx.
func within[R any](ctx context.Context, stream iter.Seq2[*R, error]) iter.Seq2[*R, error] {
	return func(yield func(*R, error) bool) {
		for row, err := range stream {
			if err == nil {
				err = ctx.Err()
			}
			if !yield(row, err) {
				return
			}
		}
	}
}
