package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/spf13/pflag"

	"trunkline/services/platform/secret"
)

// Options names the sources of Load. The zero value uses the defaults alone.
type Options struct {
	// File is the path of a YAML file; "" means none. A named file must exist.
	File string
	// Shared says that the file is that of another process too: keys that no setting has are left alone.
	Shared bool
	// Environ lists NAME=value pairs, usually os.Environ(); nil means none.
	Environ []string
	// Flags holds the parsed command line; nil means none. Only flags that were
	// given count, so a flag's own default never hides the file.
	Flags *pflag.FlagSet
	// FlagKeys maps a flag name to a key, for flags not named like their key.
	FlagKeys map[string]string
}

// Setting is one effective key, for printing. Value is redacted where Secret is
// true: "[redacted]" when set, empty when not.
type Setting struct {
	Key    string
	Env    string
	Value  string
	Origin Origin
	Doc    string
	Secret bool
}

// Loaded is a valid configuration and where each value came from.
type Loaded[T any] struct {
	// Value holds the effective settings.
	Value T
	// IgnoredEnv lists the variables that start with EnvPrefix and name no key,
	// sorted. Log them as a warning: one may be a typing mistake.
	IgnoredEnv []string

	schema   *schema
	settings []Setting
}

// Origins returns every key in declaration order with its value and origin.
func (l *Loaded[T]) Origins() []Setting {
	return append([]Setting(nil), l.settings...)
}

// Load reads the sources in order of precedence over defaults, converts every
// value strictly and calls Validate on each nested struct. T must follow the
// rules in the package comment.
//
// The error is an *Error that lists all problems; only a defect of T itself
// gives another type. On error no settings are returned.
func Load[T any](defaults T, opts Options) (*Loaded[T], error) {
	s, err := newSchema(reflect.TypeFor[T]())
	if err != nil {
		return nil, fmt.Errorf("settings type %s: %w", reflect.TypeFor[T](), err)
	}
	fromFile, problems := s.fileLayer(opts.File, opts.Shared)
	fromEnv, ignored, more := s.envLayer(opts.Environ)
	problems = append(problems, more...)
	fromFlags, more := s.flagLayer(opts.Flags, opts.FlagKeys)
	problems = append(problems, more...)

	loaded := &Loaded[T]{Value: defaults, IgnoredEnv: ignored, schema: s}
	root := reflect.ValueOf(&loaded.Value).Elem()
	origins := make(map[string]Origin, len(s.fields))
	for i := range s.fields {
		f := &s.fields[i]
		origins[f.key] = OriginDefault
		for _, l := range []*layer{fromFlags, fromEnv, fromFile} {
			origin, found := l.origins[f.key]
			if !found {
				continue
			}
			origins[f.key] = origin
			if err := assign(root.FieldByIndex(f.index), l.values[f.key]); err != nil {
				problems = append(problems, conversionProblem(f, l.values[f.key], origin, err))
			}
			break
		}
	}
	// A value that could not be converted still holds its default, so checks on it would mislead.
	if len(problems) == 0 {
		problems = s.validate(root, origins)
	}
	if len(problems) > 0 {
		return nil, &Error{Problems: problems}
	}
	for _, f := range s.fields {
		loaded.settings = append(loaded.settings, Setting{
			Key: f.key, Env: f.env, Value: display(root.FieldByIndex(f.index)),
			Origin: origins[f.key], Doc: f.doc, Secret: f.secret,
		})
	}
	return loaded, nil
}

func conversionProblem(f *field, raw any, origin Origin, err error) *Problem {
	p := &Problem{Key: f.key, Value: shorten(hideCredentials(fmt.Sprint(raw))), HasValue: true, Origin: origin, Fix: err.Error()}
	if f.secret {
		p.Value = secret.Redacted
	}
	return p
}

// maxShown bounds a value in an error, in bytes.
const maxShown = 200

func shorten(value string) string {
	if len(value) <= maxShown {
		return value
	}
	return strings.ToValidUTF8(value[:maxShown], "") + "…"
}

// validate calls Validate of every section, children before parents, and turns
// relative keys into full ones.
func (s *schema) validate(root reflect.Value, origins map[string]Origin) []*Problem {
	var problems []*Problem
	for i := len(s.sections) - 1; i >= 0; i-- {
		one := s.sections[i]
		v, ok := root.FieldByIndex(one.index).Addr().Interface().(interface{ Validate() error })
		if !ok {
			continue
		}
		for _, p := range flatten(v.Validate()) {
			p.Key = join(one.key, p.Key)
			if f, _ := s.lookup(p.Key); f != nil {
				p.Value, p.HasValue = shorten(display(root.FieldByIndex(f.index))), true
				p.Origin = origins[f.key]
			}
			problems = append(problems, p)
		}
	}
	return problems
}
