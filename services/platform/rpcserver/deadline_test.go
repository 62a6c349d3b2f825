package rpcserver

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

type ending struct {
	context.Context
	cancel context.CancelFunc
}

// TestADeadlineIsThatOfTheLibrary lets the library's own deadline take every case too.
func TestADeadlineIsThatOfTheLibrary(t *testing.T) {
	makers := map[string]func(parent context.Context) ending{
		"of the library": func(parent context.Context) ending {
			ctx, cancel := context.WithDeadline(parent, time.Now().Add(time.Second))
			return ending{ctx, cancel}
		},
		"of the server": func(parent context.Context) ending {
			d := withDeadline(parent, time.Now().Add(time.Second))
			return ending{d, d.cancel}
		},
	}
	type key struct{}
	errGone := context.DeadlineExceeded
	cases := map[string]func(t *testing.T, parent context.CancelCauseFunc, b ending){
		"it runs until its end": func(t *testing.T, _ context.CancelCauseFunc, b ending) {
			end, ok := b.Deadline()
			require.True(t, ok)
			require.Equal(t, time.Now().Add(time.Second), end)
			time.Sleep(time.Second - 1)
			require.NoError(t, b.Err())
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			require.ErrorIs(t, b.Err(), context.DeadlineExceeded)
			<-b.Done()
		},
		"who waits is woken": func(t *testing.T, _ context.CancelCauseFunc, b ending) {
			<-b.Done()
			require.ErrorIs(t, b.Err(), context.DeadlineExceeded)
			require.ErrorIs(t, context.Cause(b), context.DeadlineExceeded)
		},
		"a child ends with it": func(t *testing.T, _ context.CancelCauseFunc, b ending) {
			child, cancel := context.WithTimeout(context.WithValue(b, key{}, 2), time.Hour)
			defer cancel()
			<-child.Done()
			require.ErrorIs(t, child.Err(), context.DeadlineExceeded)
			require.ErrorIs(t, b.Err(), context.DeadlineExceeded)
		},
		"its end of call is final, waited for or not": func(t *testing.T, _ context.CancelCauseFunc, b ending) {
			b.cancel()
			require.ErrorIs(t, b.Err(), context.Canceled)
			<-b.Done()
			time.Sleep(time.Minute)
			require.ErrorIs(t, b.Err(), context.Canceled)
		},
		"its end of call wakes who waits": func(t *testing.T, _ context.CancelCauseFunc, b ending) {
			woken := context.AfterFunc(b, func() {})
			b.cancel()
			synctest.Wait()
			require.False(t, woken(), "it has run")
		},
		"it ends with its parent": func(t *testing.T, parent context.CancelCauseFunc, b ending) {
			parent(errGone)
			require.ErrorIs(t, b.Err(), context.Canceled)
			<-b.Done()
			require.ErrorIs(t, context.Cause(b), errGone)
		},
		"it shows the values of its parent before and after somebody waits": func(t *testing.T, _ context.CancelCauseFunc, b ending) {
			require.Equal(t, 1, b.Value(key{}))
			_ = b.Done()
			require.Equal(t, 1, b.Value(key{}))
		},
	}
	for name, try := range cases {
		for of, made := range makers {
			t.Run(name+" "+of, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					parent, cancel := context.WithCancelCause(context.WithValue(t.Context(), key{}, 1))
					defer cancel(nil)
					b := made(parent)
					defer b.cancel()
					try(t, cancel, b)
				})
			})
		}
	}
}

func TestADeadlineThatNobodyWaitsForIsOneAllocation(t *testing.T) {
	parent, cancel := context.WithCancel(t.Context())
	defer cancel()
	end := time.Now().Add(time.Hour)
	var seen error
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		d := withDeadline(parent, end)
		ctx := context.Context(d)
		seen = ctx.Err()
		d.cancel()
	}), 1.0)
	require.NoError(t, seen)
}
