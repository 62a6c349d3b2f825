package config

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"trunkline/services/platform/secret"
)

// Bounds on what is read from disk.
const (
	maxFileBytes   = 1 << 20
	maxSecretBytes = 64 << 10
)

// quoted finds the text of the file in an error of the YAML reader: it may be a
// secret, such as a password that starts with * and was not put in quotes.
var quoted = regexp.MustCompile("(?s)`.*`|'.*'")

// Origin says where a value came from: "default", "file PATH", "env NAME" or
// "flag --NAME".
type Origin string

// OriginDefault marks a value that no source set.
const OriginDefault Origin = "default"

// layer is what one source sets: raw values by known key.
type layer struct {
	values  map[string]any
	origins map[string]Origin
}

func newLayer() *layer {
	return &layer{values: map[string]any{}, origins: map[string]Origin{}}
}

func (l *layer) set(key string, value any, origin Origin) {
	l.values[key], l.origins[key] = value, origin
}

func (s *schema) fileLayer(path string, shared bool) (*layer, []*Problem) {
	l := newLayer()
	if path == "" {
		return l, nil
	}
	origin := Origin("file " + path)
	fail := func(fix string) (*layer, []*Problem) {
		return l, []*Problem{{Origin: origin, Fix: fix}}
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fail("cannot be read (" + pathError(err) + "); check the path and its permissions")
	case !info.Mode().IsRegular():
		return fail("is not a regular file; name a YAML file")
	case info.Size() > maxFileBytes:
		return fail(fmt.Sprintf("is larger than %d bytes; a settings file never needs that", maxFileBytes))
	}
	k := koanf.New(".")
	if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
		return fail("is not valid YAML: " + quoted.ReplaceAllString(err.Error(), secret.Redacted))
	}
	var problems []*Problem
	flat := k.All()
	for _, key := range slices.Sorted(maps.Keys(flat)) {
		if shared && !s.concerns(key) {
			continue
		}
		if p := s.addFromFile(l, key, flat[key], origin); p != nil {
			problems = append(problems, p)
		}
	}
	return l, problems
}

// concerns reports whether a key of a file is a setting or a section, or lies below a secret.
func (s *schema) concerns(key string) bool {
	f, _ := s.lookup(key)
	return f != nil || s.isSection(key) || s.secretAbove(key) != ""
}

// addFromFile puts one flattened YAML key into l. A key or section without a
// value (all its lines commented out) leaves the defaults in force.
func (s *schema) addFromFile(l *layer, key string, raw any, origin Origin) *Problem {
	f, mapKey := s.lookup(key)
	switch {
	case f == nil && s.isSection(key):
		if m, isMap := raw.(map[string]any); raw == nil || (isMap && len(m) == 0) {
			return nil
		}
		return &Problem{Key: key, Origin: origin, Fix: "is a section, not a value; write its keys indented below it"}
	case f == nil && s.secretAbove(key) != "":
		// Its name may be the secret: {hunter2} without quotes is a section with one key.
		return &Problem{Key: s.secretAbove(key), Origin: origin, Fix: "is a list or a section; write a single value, in quotes"}
	case f == nil:
		fix := "is not a known key; remove it"
		if near := s.closest(key); near != "" {
			fix += ", or did you mean " + near + "?"
		}
		return &Problem{Key: key, Origin: origin, Fix: fix}
	case raw == nil:
		return nil
	case mapKey == "":
		l.set(f.key, raw, origin)
	default:
		entries, ok := l.values[f.key].(map[string]any)
		if !ok {
			entries = map[string]any{}
		}
		entries[mapKey] = raw
		l.set(f.key, entries, origin)
	}
	return nil
}

// secretAbove returns the secret setting that key lies below, or "".
func (s *schema) secretAbove(key string) string {
	for cut := strings.LastIndexByte(key, '.'); cut > 0; cut = strings.LastIndexByte(key[:cut], '.') {
		if f := s.byKey[key[:cut]]; f != nil && f.secret {
			return f.key
		}
	}
	return ""
}

// envLayer reads the variables that belong to a key. It also returns the names
// that start with the prefix and belong to none: they are no error, because
// Kubernetes adds such names for a service called trunkline.
func (s *schema) envLayer(environ []string) (l *layer, ignored []string, problems []*Problem) {
	l = newLayer()
	transform := func(name, value string) (string, any) {
		f, origin := s.byEnv[name], Origin("env "+name)
		if f == nil {
			f = s.byEnv[strings.TrimSuffix(name, fileSuffix)]
			if f == nil || !strings.HasSuffix(name, fileSuffix) {
				ignored = append(ignored, name)
				return "", nil
			}
			content, err := readSecretFile(value)
			if err == nil && content == "" && f.secret {
				err = errors.New("names an empty file; write the secret to it")
			}
			if err != nil {
				problems = append(problems, fileProblem(f, value, origin, err))
				return "", nil
			}
			value = content
		}
		if other, twice := l.origins[f.key]; twice {
			problems = append(problems, &Problem{
				Key: f.key, Origin: origin, Fix: fmt.Sprintf("is also set by %s; keep one of the two", other),
			})
			return "", nil
		}
		l.origins[f.key] = origin
		return f.key, value
	}
	k := koanf.New(".")
	provider := env.Provider(".", env.Opt{
		Prefix:        EnvPrefix,
		TransformFunc: transform,
		EnvironFunc:   func() []string { return environ },
	})
	if err := k.Load(provider, nil); err != nil {
		problems = append(problems, &Problem{Fix: "the environment cannot be read: " + err.Error()})
	}
	for key := range l.origins {
		l.values[key] = k.Get(key)
	}
	slices.Sort(ignored)
	return l, ignored, problems
}

// fileProblem shows the path, unless the variable may hold the secret itself by
// mistake.
func fileProblem(f *field, path string, origin Origin, err error) *Problem {
	p := &Problem{Key: f.key, Value: shorten(path), HasValue: true, Origin: origin, Fix: err.Error()}
	if f.secret && !filepath.IsAbs(path) {
		p.Value = secret.Redacted
		p.Fix += "; write an absolute path to see it here, and never the secret itself"
	}
	return p
}

func readSecretFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("names a file that cannot be read (%s); check the path and its permissions", pathError(err))
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxSecretBytes+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("names a file that cannot be read (%s); name a regular file", pathError(err))
	case len(content) > maxSecretBytes:
		return "", fmt.Errorf("names a file larger than %d bytes; a secret never needs that", maxSecretBytes)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r"), nil
}

// pathError drops the path from an error of package os: the origin or the value
// of the problem names it already.
func pathError(err error) string {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// flagLayer reads the flags that were given on the command line. A flag belongs
// to the key that keys maps it to, else to the key of its own name, else to none.
func (s *schema) flagLayer(flags *pflag.FlagSet, keys map[string]string) (*layer, []*Problem) {
	l := newLayer()
	if flags == nil {
		return l, nil
	}
	var problems []*Problem
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		if key := keys[name]; s.byKey[key] == nil {
			problems = append(problems, &Problem{
				Key: key, Origin: Origin("flag --" + name), Fix: "is not a known key; did you mean " + s.closest(key) + "?",
			})
		}
	}
	pick := func(f *pflag.Flag) (string, any) {
		key, mapped := keys[f.Name]
		if !mapped {
			key = f.Name
		}
		if !f.Changed || s.byKey[key] == nil {
			return "", nil
		}
		origin := Origin("flag --" + f.Name)
		if other, twice := l.origins[key]; twice {
			problems = append(problems, &Problem{
				Key: key, Origin: origin, Fix: fmt.Sprintf("is also set by %s; keep one of the two", other),
			})
			return "", nil
		}
		l.origins[key] = origin
		return key, posflag.FlagVal(flags, f)
	}
	k := koanf.New(".")
	if err := k.Load(posflag.ProviderWithFlag(flags, ".", nil, pick), nil); err != nil {
		problems = append(problems, &Problem{Fix: "the flags cannot be read: " + err.Error()})
	}
	for key := range l.origins {
		l.values[key] = k.Get(key)
	}
	return l, problems
}
