package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Snapshot is a valid configuration of a process, for those who do not know its type. Only snapshots of one type
// can be compared. It does not change.
type Snapshot struct {
	schema *schema
	root   reflect.Value
}

// Snapshot returns the values as they are now.
func (l *Loaded[T]) Snapshot() Snapshot {
	return Snapshot{schema: l.schema, root: reflect.ValueOf(l.Value)}
}

// Get returns the setting or the section of a key, such as log.level or log. The type must be that of its field.
func Get[C any](s Snapshot, key string) (C, error) {
	var zero C
	index, found := s.index(key)
	if !found {
		return zero, fmt.Errorf("%s is neither a setting nor a section of this process", key)
	}
	value := s.root.FieldByIndex(index).Interface()
	typed, ok := value.(C)
	if !ok {
		return zero, fmt.Errorf("%s is a %T, not a %T", key, value, zero)
	}
	return typed, nil
}

func (s Snapshot) index(key string) ([]int, bool) {
	if f := s.schema.byKey[key]; f != nil {
		return f.index, true
	}
	for _, one := range s.schema.sections {
		if one.key == key && key != "" {
			return one.index, true
		}
	}
	return nil, false
}

// Changed returns the keys whose values differ in next, secrets included, in the order of their declaration.
func (s Snapshot) Changed(next Snapshot) []string {
	var keys []string
	for _, f := range s.schema.fields {
		if !reflect.DeepEqual(s.root.FieldByIndex(f.index).Interface(), next.root.FieldByIndex(f.index).Interface()) {
			keys = append(keys, f.key)
		}
	}
	return keys
}

// Within returns those of keys that are key or lie below it.
func Within(keys []string, key string) []string {
	return slices.Collect(func(yield func(string) bool) {
		for _, k := range keys {
			if (k == key || strings.HasPrefix(k, key+".")) && !yield(k) {
				return
			}
		}
	})
}
