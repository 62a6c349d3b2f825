package rpcserver

import (
	"context"
	"errors"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"trunkline/services/platform/fault"
)

// codes maps every fault kind. Kinds outside the list are defects and answer INTERNAL.
var codes = map[fault.Kind]connect.Code{
	fault.InvalidArgument:    connect.CodeInvalidArgument,
	fault.NotFound:           connect.CodeNotFound,
	fault.AlreadyExists:      connect.CodeAlreadyExists,
	fault.Aborted:            connect.CodeAborted,
	fault.FailedPrecondition: connect.CodeFailedPrecondition,
	fault.PermissionDenied:   connect.CodePermissionDenied,
	fault.Unauthenticated:    connect.CodeUnauthenticated,
	fault.ResourceExhausted:  connect.CodeResourceExhausted,
	fault.Unavailable:        connect.CodeUnavailable,
	fault.DeadlineExceeded:   connect.CodeDeadlineExceeded,
	fault.Canceled:           connect.CodeCanceled,
	fault.Unimplemented:      connect.CodeUnimplemented,
	fault.Internal:           connect.CodeInternal,
}

func codeOf(k fault.Kind) connect.Code {
	if c, ok := codes[k]; ok {
		return c
	}
	return connect.CodeInternal
}

// codeName is the canonical name, such as INVALID_ARGUMENT. connect spells
// codes in lower case and CANCELED as "canceled".
func codeName(c connect.Code) string { return strings.ToUpper(c.String()) }

const hiddenText = "An internal error occurred. Quote the request id when you report it."

// outward is the text of a connect error: what the caller reads is the safe
// message, what errors.As finds is the fault with its cause.
type outward struct{ fault *fault.Fault }

func (o outward) Error() string { return o.fault.Message }
func (o outward) Unwrap() error { return o.fault }

// translate turns any error of a handler into the error that is sent. It is the
// only place that chooses codes.
func translate(ctx context.Context, err error, requestID string) *connect.Error {
	var f *fault.Fault
	if errors.As(err, &f) && f != nil {
		return fromFault(fault.From(err), requestID)
	}
	var ce *connect.Error
	if errors.As(err, &ce) {
		if hidden(ce.Code()) && ctx.Err() != nil {
			return fromFault(fault.From(ctx.Err()).Wrap(err), requestID)
		}
		return keepCode(ce, err, requestID)
	}
	f = fault.From(err)
	if f.Kind == fault.Internal && ctx.Err() != nil {
		// A driver often reports the end of its context in words of its own.
		f = fault.From(ctx.Err()).Wrap(err)
	}
	return fromFault(f, requestID)
}

// fromFault builds the error with all its details.
func fromFault(f *fault.Fault, requestID string) *connect.Error {
	if codeOf(f.Kind) == connect.CodeInternal {
		f = hide(f)
	}
	out := connect.NewError(codeOf(f.Kind), outward{f})
	addDetail(out, &errdetails.ErrorInfo{Reason: f.Reason, Domain: errorDomain, Metadata: f.Metadata})
	if len(f.Violations) > 0 {
		addDetail(out, badRequest(f.Violations))
	}
	if f.RetryAfter > 0 {
		addDetail(out, &errdetails.RetryInfo{RetryDelay: durationpb.New(f.RetryAfter)})
	}
	for _, detail := range f.Details {
		if m, ok := detail.(proto.Message); ok {
			addDetail(out, m)
		}
	}
	addRequestInfo(out, requestID)
	return out
}

// hide keeps kind and reason of an internal fault and drops the text: a message
// that a defect produced was not written with the caller in mind.
func hide(f *fault.Fault) *fault.Fault {
	if f.Message == hiddenText {
		return f
	}
	return fault.New(f.Kind, f.Reason, hiddenText).Wrap(f)
}

// keepCode passes on an error that already has a code: one of the library, or
// one from a call this handler made.
func keepCode(ce *connect.Error, cause error, requestID string) *connect.Error {
	f := &fault.Fault{Kind: kindOf(ce.Code()), Reason: codeName(ce.Code()), Message: ce.Message()}
	if hidden(ce.Code()) {
		f.Message = hiddenText
	}
	out := connect.NewError(ce.Code(), outward{f.Wrap(cause)})
	var hasInfo, hasRequest bool
	for _, d := range ce.Details() {
		hasInfo = hasInfo || d.Type() == "google.rpc.ErrorInfo"
		hasRequest = hasRequest || d.Type() == "google.rpc.RequestInfo"
		out.AddDetail(d)
	}
	if !hasInfo {
		addDetail(out, &errdetails.ErrorInfo{Reason: f.Reason, Domain: errorDomain})
	}
	if !hasRequest {
		addRequestInfo(out, requestID)
	}
	return out
}

// hidden reports whether texts of this code are for the log only.
func hidden(c connect.Code) bool {
	return c == connect.CodeInternal || c == connect.CodeUnknown || c == connect.CodeDataLoss
}

func kindOf(c connect.Code) fault.Kind {
	for kind, code := range codes {
		if code == c {
			return kind
		}
	}
	return fault.Internal
}

// maxViolations bounds the details of one error. gRPC sends them in a header,
// and proxies commonly refuse more than 8 KiB of those.
const maxViolations = 20

func badRequest(violations []fault.Violation) *errdetails.BadRequest {
	violations = violations[:min(len(violations), maxViolations)]
	b := &errdetails.BadRequest{FieldViolations: make([]*errdetails.BadRequest_FieldViolation, len(violations))}
	for i, v := range violations {
		b.FieldViolations[i] = &errdetails.BadRequest_FieldViolation{
			Field: jsonPath(v.Field), Description: v.Description,
		}
	}
	return b
}

func addRequestInfo(out *connect.Error, requestID string) {
	if requestID != "" {
		addDetail(out, &errdetails.RequestInfo{RequestId: requestID})
	}
}

func addDetail(out *connect.Error, m proto.Message) {
	// Packing a message of ours cannot fail; an error without details is still an error.
	if d, err := connect.NewErrorDetail(m); err == nil {
		out.AddDetail(d)
	}
}

// jsonPath turns a path of proto field names into JSON names, so that
// violations of the domain and of the schema name fields alike:
// candidates[2].operator_id becomes candidates[2].operatorId.
func jsonPath(path string) string {
	if !strings.Contains(path, "_") {
		return path
	}
	var b strings.Builder
	upper, key := false, false
	for _, r := range path {
		switch {
		case r == '[':
			key = true
		case r == ']':
			key = false
		case r == '_' && !key:
			upper = true
			continue
		}
		if upper && r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		upper = false
		b.WriteRune(r)
	}
	return b.String()
}
