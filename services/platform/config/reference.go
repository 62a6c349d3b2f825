package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Reference renders the Markdown tables of all keys of T: one table per top-level
// section in declaration order, with key, variable, type, default and meaning.
// It panics when T breaks the rules of the package comment, which a test of the
// page finds at once.
func Reference[T any](defaults T) string {
	s, err := newSchema(reflect.TypeFor[T]())
	if err != nil {
		panic(fmt.Sprintf("settings type %s: %v", reflect.TypeFor[T](), err))
	}
	root := reflect.ValueOf(&defaults).Elem()
	var b strings.Builder
	heading, first := "", true
	for _, f := range s.fields {
		top, _, nested := strings.Cut(f.key, ".")
		if !nested {
			top = "general"
		}
		if first || top != heading {
			if !first {
				b.WriteByte('\n')
			}
			fmt.Fprintf(&b, "## %s\n\n| key | variable | type | default | meaning |\n|---|---|---|---|---|\n", top)
			heading, first = top, false
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n",
			code(f.key), code(f.env), typeName(f.typ), code(display(root.FieldByIndex(f.index))), cell(f.doc))
	}
	return b.String()
}

func typeName(t reflect.Type) string {
	switch {
	case t == durationType:
		return "duration"
	case t == secretType:
		return "secret"
	case reflect.PointerTo(t).Implements(textUnmarshaler):
		return "text"
	}
	switch t.Kind() {
	case reflect.Slice:
		return "list of " + typeName(t.Elem())
	case reflect.Map:
		return "map to " + typeName(t.Elem())
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Float32, reflect.Float64:
		return "number"
	}
	return "integer"
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + cell(s) + "`"
}

// cell keeps text inside one table cell.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s)
}
