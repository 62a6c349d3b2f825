package rpcserver

import (
	"encoding/base64"
	"mime"
	"net/http"
	"slices"
	"strings"

	"connectrpc.com/connect"

	"trunkline/services/platform/fault"
)

// dialect is one of the wire forms of a call.
type dialect struct {
	protocol string // for the log: connect, grpc or grpcweb
	framed   bool
	encoding string // header that names the compression of messages
	timeout  string // header that carries the caller's deadline
	valid    func(timeout string) bool
}

var (
	connectUnary  = &dialect{connect.ProtocolConnect, false, "Content-Encoding", "Connect-Timeout-Ms", validMillis}
	connectStream = &dialect{connect.ProtocolConnect, true, "Connect-Content-Encoding", "Connect-Timeout-Ms", validMillis}
	grpc          = &dialect{connect.ProtocolGRPC, true, "Grpc-Encoding", "Grpc-Timeout", validGRPCTimeout}
	grpcWeb       = &dialect{connect.ProtocolGRPCWeb, true, "Grpc-Encoding", "Grpc-Timeout", validGRPCTimeout}
)

var codecNames = []string{"proto", "json", "json; charset=utf-8"}

func shared(extra map[string]*dialect) map[string]*dialect {
	extra["application/grpc"], extra["application/grpc-web"] = grpc, grpcWeb
	for _, name := range codecNames {
		extra["application/grpc+"+name], extra["application/grpc-web+"+name] = grpc, grpcWeb
	}
	return extra
}

// unaryTypes and streamTypes are the content types of POST requests. A test
// compares them with what the RPC library accepts.
var (
	unaryTypes = shared(map[string]*dialect{
		"application/proto": connectUnary, "application/json": connectUnary,
		"application/json; charset=utf-8": connectUnary,
	})
	streamTypes = shared(map[string]*dialect{
		"application/connect+proto": connectStream, "application/connect+json": connectStream,
		"application/connect+json; charset=utf-8": connectStream,
	})
)

func typesOf(s connect.StreamType) map[string]*dialect {
	if s == connect.StreamTypeUnary {
		return unaryTypes
	}
	return streamTypes
}

// acceptedTypes lists content types for an answer, without the charset variants.
func acceptedTypes(s connect.StreamType) []string {
	var names []string
	for name := range typesOf(s) {
		if !strings.Contains(name, ";") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func dialectOf(types map[string]*dialect, contentType string) *dialect {
	if d, ok := types[contentType]; ok {
		return d
	}
	base, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil
	}
	if charset, ok := params["charset"]; ok {
		params["charset"] = strings.ToLower(charset)
	}
	return types[mime.FormatMediaType(base, params)]
}

// checkHeaders finds protocol headers that the RPC library would refuse in
// words of its own.
func (d *dialect) checkHeaders(h http.Header) *fault.Fault {
	if v := h.Get(d.timeout); v != "" && !d.valid(v) {
		return fault.New(fault.InvalidArgument, ReasonInvalidHeader, "The header %s has no valid value.", d.timeout)
	}
	if !knownEncoding(h.Get(d.encoding)) {
		return unknownEncoding()
	}
	if d.protocol == connect.ProtocolConnect {
		if v := h.Get("Connect-Protocol-Version"); v != "" && v != "1" {
			return fault.New(fault.InvalidArgument, ReasonInvalidHeader, "The header Connect-Protocol-Version must be 1.")
		}
	}
	return nil
}

// checkQuery does the same for a Connect GET request, whose message is in the URL.
func checkQuery(r *http.Request, limit int) *fault.Fault {
	invalid := func(name string) *fault.Fault {
		return fault.New(fault.InvalidArgument, ReasonInvalidHeader, "The query parameter %s is missing or has no valid value.", name)
	}
	q := r.URL.Query()
	message := q.Get("message")
	switch encoding := q.Get("encoding"); {
	case q.Get("connect") != "" && q.Get("connect") != "v1":
		return invalid("connect")
	case encoding != "json" && encoding != "proto":
		return invalid("encoding")
	case !q.Has("message"):
		return invalid("message")
	case q.Get("base64") == "1" && !validBase64(message):
		return fault.New(fault.InvalidArgument, ReasonMalformedMessage, "The query parameter message is not valid base64.")
	case !knownEncoding(q.Get("compression")):
		return unknownEncoding()
	case len(message) > limit*4/3+4:
		return tooLarge(int64(limit))
	}
	return connectUnary.checkHeaders(http.Header{connectUnary.timeout: r.Header[connectUnary.timeout]})
}

func knownEncoding(name string) bool { return name == "" || name == "identity" || name == "gzip" }

func unknownEncoding() *fault.Fault {
	return fault.New(fault.Unimplemented, ReasonUnsupportedEncoding, "The only message encodings are gzip and identity.")
}

// validBase64 accepts what the RPC library reads: the URL alphabet with or without padding.
func validBase64(s string) bool {
	enc := base64.RawURLEncoding
	if len(s)%4 == 0 {
		enc = base64.URLEncoding
	}
	_, err := enc.DecodeString(s)
	return err == nil
}

func validMillis(v string) bool { return len(v) <= 10 && digits(v) }

// validGRPCTimeout follows the gRPC protocol: at most eight digits and a unit.
func validGRPCTimeout(v string) bool {
	n := len(v) - 1
	return n >= 1 && n <= 8 && digits(v[:n]) && strings.IndexByte("HMSmun", v[n]) >= 0
}

func digits(v string) bool {
	for i := range len(v) {
		if v[i] < '0' || v[i] > '9' {
			return false
		}
	}
	return v != ""
}

// procedureShaped reports whether a path looks like /package.Service/Method, so
// that a misspelled call gets an RPC answer and not a page.
func procedureShaped(path string) bool {
	service, method, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return ok && strings.Contains(service, ".") && method != "" && !strings.Contains(method, "/")
}
