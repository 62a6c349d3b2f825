package config

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// EnvPrefix starts the name of every environment variable that Load reads.
const EnvPrefix = "TRUNKLINE_"

const fileSuffix = "_FILE"

var (
	segment         = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	durationType    = reflect.TypeFor[time.Duration]()
	secretType      = reflect.TypeFor[Secret]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// field is one key: a leaf of the settings struct.
type field struct {
	key    string
	env    string
	doc    string
	typ    reflect.Type
	index  []int
	secret bool
}

// section is one nested struct, the root included (key "").
type section struct {
	key   string
	index []int
}

type schema struct {
	fields   []field
	sections []section
	byKey    map[string]*field
	byEnv    map[string]*field
}

// newSchema walks t. Its errors are defects of the settings struct, not of the
// configuration: a missing tag, an unsupported type, two keys with one variable.
func newSchema(t reflect.Type) (*schema, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("settings must be a struct, not %s", t)
	}
	s := &schema{byKey: map[string]*field{}, byEnv: map[string]*field{}}
	if err := s.walk(t, "", nil); err != nil {
		return nil, err
	}
	for i := range s.fields {
		f := &s.fields[i]
		if _, twice := s.byKey[f.key]; twice {
			return nil, fmt.Errorf("the key %s is declared twice", f.key)
		}
		if other, twice := s.byEnv[f.env]; twice {
			return nil, fmt.Errorf("the keys %s and %s share the variable %s", other.key, f.key, f.env)
		}
		s.byKey[f.key], s.byEnv[f.env] = f, f
	}
	for _, f := range s.fields {
		if other, clash := s.byEnv[f.env+fileSuffix]; clash {
			return nil, fmt.Errorf("the variable %s would mean both the key %s and the file of %s", other.env, other.key, f.key)
		}
	}
	return s, nil
}

func (s *schema) walk(t reflect.Type, prefix string, index []int) error {
	s.sections = append(s.sections, section{key: prefix, index: index})
	var defects []error
	for i := range t.NumField() {
		sf := t.Field(i)
		tag, tagged := sf.Tag.Lookup("koanf")
		if tag == "-" || !sf.IsExported() {
			continue
		}
		at := fmt.Sprintf("field %s of %s", sf.Name, t)
		if !tagged || !segment.MatchString(tag) {
			defects = append(defects, fmt.Errorf(`%s needs a tag koanf:"name" of small letters, digits and _, or koanf:"-"`, at))
			continue
		}
		key := join(prefix, tag)
		path := append(append([]int(nil), index...), i)
		if !isLeaf(sf.Type) {
			if sf.Type.Kind() != reflect.Struct {
				defects = append(defects, fmt.Errorf("%s has the type %s, which cannot be configured", at, sf.Type))
			} else if err := s.walk(sf.Type, key, path); err != nil {
				defects = append(defects, err)
			}
			continue
		}
		doc := sf.Tag.Get("doc")
		if doc == "" {
			defects = append(defects, fmt.Errorf(`%s needs a tag doc:"..." that explains it`, at))
		}
		s.fields = append(s.fields, field{
			key: key, env: envName(key), doc: doc, typ: sf.Type, index: path, secret: isSecret(sf.Type),
		})
	}
	return errors.Join(defects...)
}

func join(prefix, name string) string {
	switch {
	case prefix == "":
		return name
	case name == "":
		return prefix
	}
	return prefix + "." + name
}

func envName(key string) string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

func isSecret(t reflect.Type) bool {
	if t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	return t == secretType
}

func isLeaf(t reflect.Type) bool {
	if isScalar(t) {
		return true
	}
	switch t.Kind() {
	case reflect.Slice:
		return isScalar(t.Elem())
	case reflect.Map:
		return t.Key().Kind() == reflect.String && isScalar(t.Elem())
	}
	return false
}

func isScalar(t reflect.Type) bool {
	if reflect.PointerTo(t).Implements(textUnmarshaler) {
		return true
	}
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return true
	}
	return false
}

// lookup finds the field for a flattened key. For a map field the rest of the
// key below it is the map key.
func (s *schema) lookup(key string) (f *field, mapKey string) {
	if f := s.byKey[key]; f != nil {
		return f, ""
	}
	for cut := strings.LastIndexByte(key, '.'); cut > 0; cut = strings.LastIndexByte(key[:cut], '.') {
		if f := s.byKey[key[:cut]]; f != nil && f.typ.Kind() == reflect.Map {
			return f, key[cut+1:]
		}
	}
	return nil, ""
}

func (s *schema) isSection(key string) bool {
	for _, one := range s.sections {
		if one.key == key {
			return true
		}
	}
	return false
}

// closest returns the known key that needs the fewest edits to become key; the
// alphabetically first one of equals.
func (s *schema) closest(key string) string {
	best, least := "", -1
	for _, known := range slices.Sorted(maps.Keys(s.byKey)) {
		if d := editDistance(strings.ToLower(key), known); least < 0 || d < least {
			best, least = known, d
		}
	}
	return best
}

// editDistance is the Levenshtein distance in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
