package config

import (
	"reflect"

	"trunkline/services/platform/secret"
)

// WeakSecrets returns a problem for every secret of settings that protects nothing, such as a placeholder or a
// connection string whose password is one. Secrets that are not set are fine. Call it from Validate of the whole
// process where such secrets must not be; keys are relative to settings.
func WeakSecrets[T any](settings T) []error {
	s, err := newSchema(reflect.TypeFor[T]())
	if err != nil {
		return []error{err}
	}
	var found []error
	root := reflect.ValueOf(settings)
	for _, f := range s.fields {
		for _, one := range secretsOf(root.FieldByIndex(f.index)) {
			if weakness := one.Weakness(0); weakness != "" {
				found = append(found, Invalid(f.key, one, weakness+"; make a random one, for example with openssl rand -hex 32"))
				break
			}
		}
	}
	return found
}

// secretsOf returns the secrets in v: a secret, a list or a map of them.
func secretsOf(v reflect.Value) []secret.Text {
	var all []secret.Text
	add := func(v reflect.Value) {
		if text, ok := v.Interface().(secret.Text); ok {
			all = append(all, text)
		}
	}
	switch {
	case !isSecret(v.Type()):
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			add(v.Index(i))
		}
	case v.Kind() == reflect.Map:
		for it := v.MapRange(); it.Next(); {
			add(it.Value())
		}
	default:
		add(v)
	}
	return all
}
