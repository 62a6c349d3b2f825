package config

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"trunkline/services/platform/secret"
)

// assign converts raw, as a source delivered it, to the type of dst. The error
// text never contains the value: the caller adds it, redacted where needed.
func assign(dst reflect.Value, raw any) error {
	t := dst.Type()
	switch {
	case isScalar(t):
		return assignScalar(dst, raw)
	case t.Kind() == reflect.Slice:
		return assignList(dst, raw)
	default:
		return assignMap(dst, raw)
	}
}

func assignScalar(dst reflect.Value, raw any) error {
	text, isText, err := scalarText(raw)
	if err != nil {
		return err
	}
	t := dst.Type()
	if u, ok := dst.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if !isText {
			return errors.New("put the value in quotes, so that it is read as text")
		}
		if err := u.UnmarshalText([]byte(text)); err != nil {
			return fmt.Errorf("is not accepted: %w", err)
		}
		return nil
	}
	if t.Kind() == reflect.String && !isText {
		return errors.New("put the value in quotes, so that it is read as text")
	}
	if t == durationType {
		d, err := time.ParseDuration(text)
		if err != nil {
			return errors.New(`is not a duration; write a number with a unit, such as "250ms", "5s" or "1h30m"`)
		}
		dst.SetInt(int64(d))
		return nil
	}
	switch t.Kind() {
	case reflect.String:
		dst.SetString(text)
	case reflect.Bool:
		switch text {
		case "true":
			dst.SetBool(true)
		case "false":
			dst.SetBool(false)
		default:
			return errors.New("is not a boolean; write true or false")
		}
	case reflect.Float32, reflect.Float64:
		n, err := strconv.ParseFloat(text, t.Bits())
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return errors.New("is not a number in range; write a decimal such as 0.25")
		}
		dst.SetFloat(n)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, t.Bits())
		if err != nil {
			return fmt.Errorf("is not a whole number of at most %d bits", t.Bits())
		}
		dst.SetInt(n)
	default:
		n, err := strconv.ParseUint(text, 10, t.Bits())
		if err != nil {
			return fmt.Errorf("is not a whole number from 0 of at most %d bits", t.Bits())
		}
		dst.SetUint(n)
	}
	return nil
}

// scalarText returns raw as text and whether the source wrote it as text. Typed
// flags such as durations and addresses count as text because their form is exact.
func scalarText(raw any) (text string, isText bool, err error) {
	switch v := raw.(type) {
	case string:
		return v, true, nil
	case time.Time:
		// An unquoted YAML date: its original spelling is lost.
		return "", false, nil
	case fmt.Stringer:
		return v.String(), true, nil
	}
	v := reflect.ValueOf(raw)
	switch v.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return fmt.Sprint(raw), false, nil
	case reflect.Float32, reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64), false, nil
	}
	return "", false, errors.New("is a list or a section; write a single value")
}

func assignList(dst reflect.Value, raw any) error {
	var items []any
	switch v := reflect.ValueOf(raw); {
	case v.Kind() == reflect.String:
		for item := range strings.SplitSeq(v.String(), ",") {
			if item = strings.TrimSpace(item); item != "" {
				items = append(items, item)
			}
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			items = append(items, v.Index(i).Interface())
		}
	default:
		return errors.New("is not a list; write [a, b] in the file, or a,b elsewhere")
	}
	list := reflect.MakeSlice(dst.Type(), len(items), len(items))
	for i, item := range items {
		if err := assignScalar(list.Index(i), item); err != nil {
			return fmt.Errorf("item %d %w", i+1, err)
		}
	}
	dst.Set(list)
	return nil
}

func assignMap(dst reflect.Value, raw any) error {
	items := map[string]any{}
	switch v := reflect.ValueOf(raw); {
	case v.Kind() == reflect.String:
		for item := range strings.SplitSeq(v.String(), ",") {
			if item = strings.TrimSpace(item); item == "" {
				continue
			}
			key, value, ok := strings.Cut(item, "=")
			if !ok || key == "" {
				return errors.New("is not a map; write key=value,key=value")
			}
			items[key] = value
		}
	case v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String:
		for it := v.MapRange(); it.Next(); {
			items[it.Key().String()] = it.Value().Interface()
		}
	default:
		return errors.New("is not a map; write one key: value per line below it in the file, or key=value,key=value elsewhere")
	}
	m := reflect.MakeMapWithSize(dst.Type(), len(items))
	for _, key := range slices.Sorted(maps.Keys(items)) {
		item := reflect.New(dst.Type().Elem()).Elem()
		if err := assignScalar(item, items[key]); err != nil {
			return fmt.Errorf("entry %s %w", key, err)
		}
		m.SetMapIndex(reflect.ValueOf(key).Convert(dst.Type().Key()), item)
	}
	dst.Set(m)
	return nil
}

// display returns v in the form that a flag or variable would take. Secrets show
// "[redacted]" when they are set and nothing when they are not; user and password
// of an address are redacted too.
func display(v reflect.Value) string { return hideCredentials(displayFull(v)) }

// hideCredentials redacts what stands before an @ and looks like user:password,
// or token, of an address. In a list it takes everything up to the last one: a
// comma may be part of a password.
func hideCredentials(text string) string {
	end := strings.LastIndexByte(text, '@')
	if end < 0 || !strings.Contains(text[:end], ":") {
		return text
	}
	scheme := ""
	if i := strings.Index(text[:end], "://"); i >= 0 {
		scheme = text[:i+len("://")]
	}
	return scheme + secret.Redacted + text[end:]
}

func displayFull(v reflect.Value) string {
	switch {
	case v.Type() == secretType:
		if v.IsZero() {
			return ""
		}
		return secret.Redacted
	case isScalar(v.Type()):
		return displayScalar(v)
	case v.Kind() == reflect.Slice:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = displayFull(v.Index(i))
		}
		return strings.Join(items, ",")
	}
	items := make([]string, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		items = append(items, it.Key().String()+"="+displayFull(it.Value()))
	}
	sort.Strings(items)
	return strings.Join(items, ",")
}

func displayScalar(v reflect.Value) string {
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		if text, err := m.MarshalText(); err == nil {
			return string(text)
		}
	}
	return fmt.Sprint(v.Interface())
}
