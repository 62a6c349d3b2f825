package operators_test

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/secret"
)

// vault is a secret store in memory.
type vault struct {
	now func() time.Time
	mu  sync.Mutex
	// entries holds passwords; a removed operator starts anew.
	entries map[uuid.UUID]*vaultEntry
	// on runs an operation in its own way, when set.
	on func(operation string, do func()) error
	// puts counts what was askedAs for.
	puts int
}

type vaultEntry struct {
	newest  int64
	updated time.Time
	values  map[int64]vaultValue
}

type vaultValue struct {
	text string
	at   time.Time
}

var errVault = fault.New(fault.Unavailable, operators.ReasonVault, "The secret store is not available.")

func (v *vault) do(operation string, do func()) error {
	v.mu.Lock()
	on := v.on
	v.mu.Unlock()
	locked := func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		do()
	}
	if on != nil {
		return on(operation, locked)
	}
	locked()
	return nil
}

// breakOn replaces what an operation does; the others go on.
func (v *vault) breakOn(operation string, broken func(do func()) error) {
	v.on = func(op string, do func()) error {
		if op == operation {
			return broken(do)
		}
		do()
		return nil
	}
}

func (v *vault) Put(ctx context.Context, id uuid.UUID, password secret.Text) (version int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	err = v.do("put", func() {
		v.puts++
		e := v.entries[id]
		if e == nil {
			e = &vaultEntry{values: map[int64]vaultValue{}}
			v.entries[id] = e
		}
		e.newest++
		e.updated = v.now()
		e.values[e.newest] = vaultValue{password.Reveal(), v.now()}
		version = e.newest
	})
	if err != nil {
		return 0, err
	}
	return version, nil
}

func (v *vault) Get(_ context.Context, id uuid.UUID, version int64) (password secret.Text, err error) {
	found := false
	err = v.do("get", func() {
		if e := v.entries[id]; e != nil {
			var one vaultValue
			one, found = e.values[version]
			password = secret.New(one.text)
		}
	})
	if err == nil && !found {
		err = fault.New(fault.NotFound, "SECRET_NOT_FOUND", "There is no such secret.")
	}
	return password, err
}

func (v *vault) Drop(ctx context.Context, id uuid.UUID, version int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return v.do("drop", func() {
		if e := v.entries[id]; e != nil {
			delete(e.values, version)
		}
	})
}

func (v *vault) Remove(ctx context.Context, id uuid.UUID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return v.do("remove", func() { delete(v.entries, id) })
}

func (v *vault) List(context.Context) (all []operators.StoredCredentials, err error) {
	err = v.do("list", func() {
		for id, e := range v.entries {
			s := operators.StoredCredentials{OperatorID: id, UpdatedAt: e.updated}
			for number, one := range e.values {
				s.Versions = append(s.Versions, operators.CredentialsVersion{Number: number, CreatedAt: one.at})
			}
			all = append(all, s)
		}
	})
	return all, err
}

// passwords gives what is stored of an operator by version.
func (v *vault) passwords(id uuid.UUID) map[int64]string {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := map[int64]string{}
	if e := v.entries[id]; e != nil {
		for number, one := range e.values {
			all[number] = one.text
		}
	}
	return all
}

// holders gives the operators that have an entry.
func (v *vault) holders() []uuid.UUID {
	v.mu.Lock()
	defer v.mu.Unlock()
	var all []uuid.UUID
	for id := range v.entries {
		all = append(all, id)
	}
	return all
}
