package rpcserver

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"trunkline/services/platform/fault"
)

// prepareValidation compiles the rules of every request type now. Otherwise the
// first caller of each method would wait for it, and a rule that does not
// compile would show up as a failed call instead of a failed start.
func (s *Server) prepareValidation() error {
	var inputs []protoreflect.MessageDescriptor
	for _, p := range s.procedures {
		if p.input != nil && !p.infra {
			inputs = append(inputs, p.input)
		}
	}
	v, err := protovalidate.New(protovalidate.WithMessageDescriptors(inputs...))
	if err != nil {
		return fmt.Errorf("create the validator: %w", err)
	}
	for _, input := range inputs {
		err := v.Validate(dynamicpb.NewMessage(input))
		var compilation *protovalidate.CompilationError
		if errors.As(err, &compilation) {
			return fmt.Errorf("the validation rules of %s do not compile: %w", input.FullName(), err)
		}
	}
	s.validator = v
	return nil
}

// validate checks one received message against the rules of its schema.
func (s *Server) validate(p *procedure, message any) error {
	m, ok := message.(proto.Message)
	if !ok || p.valid != nil && p.valid(message) {
		return nil
	}
	err := s.validator.Validate(m)
	if err == nil {
		return nil
	}
	var invalid *protovalidate.ValidationError
	if !errors.As(err, &invalid) {
		return fault.New(fault.Internal, fault.ReasonInternal, hiddenText).Wrap(err)
	}
	return validationFault(m, invalid.Violations)
}

// validationFault reports each field once, at most maxViolations fields.
func validationFault(m proto.Message, found []*protovalidate.Violation) *fault.Fault {
	var out []fault.Violation
	index := make(map[string]int)
	left := 0
	for _, v := range found {
		field := fieldPath(m.ProtoReflect().Descriptor(), v.Proto.GetField())
		text := ruleText(m, v)
		switch i, seen := index[field]; {
		case seen && !strings.Contains(out[i].Description, text):
			out[i].Description += "; " + text
		case seen:
		case len(out) == maxViolations:
			left++
		default:
			index[field] = len(out)
			out = append(out, fault.Violation{Field: field, Description: text})
		}
	}
	f := fault.Invalid(ReasonValidationFailed, out...)
	if left > 0 {
		f = f.With("violations_left_out", strconv.Itoa(left))
	}
	return f
}

// fieldPath writes a path in JSON names: requests[3].messageType. Keys of maps
// with text keys are the caller's text and are shown as *.
func fieldPath(d protoreflect.MessageDescriptor, path *validate.FieldPath) string {
	var b strings.Builder
	for _, e := range path.GetElements() {
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		name := e.GetFieldName()
		var fd protoreflect.FieldDescriptor
		if d != nil {
			fd = d.Fields().ByNumber(protoreflect.FieldNumber(e.GetFieldNumber()))
			d = nil
		}
		if fd != nil {
			name = fd.JSONName()
			d = fd.Message()
			if fd.IsMap() {
				d = fd.MapValue().Message()
			}
		}
		b.WriteString(name)
		switch {
		case e.HasIndex():
			fmt.Fprintf(&b, "[%d]", e.GetIndex())
		case e.HasSubscript():
			b.WriteString("[*]")
		}
	}
	return b.String()
}

// shortValue is the length up to which a value may appear in a text by chance,
// as 3 does in "at least 3 characters".
const shortValue = 3

// maxRuleText bounds the description of one violation, in bytes.
const maxRuleText = 300

// ruleText is the message of the rule. Standard rules speak of their limits
// only, but an expression of the schema may build a text from the value; such a
// text is replaced.
func ruleText(m proto.Message, v *protovalidate.Violation) string {
	text := v.Proto.GetMessage()
	rule := v.Proto.GetRuleId()
	if text == "" || len(text) > maxRuleText || quotes(text, v, m) {
		return "does not satisfy the rule " + rule
	}
	return text
}

// quotes reports whether text repeats a value of the field, or of any field
// when the rule belongs to a whole message.
func quotes(text string, v *protovalidate.Violation, m proto.Message) bool {
	if v.RuleDescriptor != nil && v.RuleValue.IsValid() {
		return false // a standard rule
	}
	if !v.FieldValue.IsValid() {
		return quotesMessage(text, m.ProtoReflect())
	}
	return quotesValue(text, v.FieldValue.Interface())
}

func quotesMessage(text string, m protoreflect.Message) bool {
	found := false
	m.Range(func(_ protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		found = quotesValue(text, v.Interface())
		return !found
	})
	return found
}

func quotesValue(text string, value any) bool {
	switch v := value.(type) {
	case protoreflect.Message:
		return quotesMessage(text, v)
	case protoreflect.List:
		for i := range v.Len() {
			if quotesValue(text, v.Get(i).Interface()) {
				return true
			}
		}
	case protoreflect.Map:
		found := false
		v.Range(func(k protoreflect.MapKey, e protoreflect.Value) bool {
			found = quotesValue(text, k.Interface()) || quotesValue(text, e.Interface())
			return !found
		})
		return found
	case []byte:
		return len(v) > shortValue && strings.Contains(text, string(v))
	case string:
		return len(v) > shortValue && strings.Contains(text, v)
	case int32, int64, uint32, uint64, float32, float64:
		shown := fmt.Sprint(v)
		return len(shown) > shortValue && strings.Contains(text, shown)
	}
	return false
}
