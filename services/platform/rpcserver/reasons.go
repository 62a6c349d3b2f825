package rpcserver

// Reasons of the faults that the server itself answers. They are part of the
// API and listed in the documentation.
const (
	// ReasonMalformedMessage: the bytes are not a message of the expected type.
	ReasonMalformedMessage = "MALFORMED_MESSAGE"
	// ReasonMessageTooLarge: a message exceeds the limit of its procedure.
	ReasonMessageTooLarge = "MESSAGE_TOO_LARGE"
	// ReasonUnknownMethod: no such service or procedure here.
	ReasonUnknownMethod = "UNKNOWN_METHOD"
	// ReasonValidationFailed: the message breaks rules of the schema.
	ReasonValidationFailed = "VALIDATION_FAILED"
	// ReasonUnsupportedContentType: the content type names no codec for this procedure.
	ReasonUnsupportedContentType = "UNSUPPORTED_CONTENT_TYPE"
	// ReasonUnsupportedEncoding: the message is compressed in a way the server does not know.
	ReasonUnsupportedEncoding = "UNSUPPORTED_ENCODING"
	// ReasonInvalidHeader: a protocol header or query parameter has no valid value.
	ReasonInvalidHeader = "INVALID_HEADER"
	// ReasonMethodNotAllowed: the HTTP method does not fit the procedure.
	ReasonMethodNotAllowed = "METHOD_NOT_ALLOWED"
	// ReasonTooManyStreams: too many streams of health watches or reflection are open, or too many calls in flight of a
	// procedure with Limits.MaxCalls.
	ReasonTooManyStreams = "TOO_MANY_STREAMS"
	// ReasonHTTP2Required: a bidirectional stream was tried over HTTP/1.
	ReasonHTTP2Required = "HTTP2_REQUIRED"
	// ReasonUnknownService: the gRPC health check asked for a service that is not here.
	ReasonUnknownService = "UNKNOWN_SERVICE"
	// ReasonIdentityNotAllowed: the client certificate is good, and its identity may not call this procedure.
	ReasonIdentityNotAllowed = "IDENTITY_NOT_ALLOWED"
	// ReasonCertificateExpired: the client certificate ended while its connection stayed open.
	ReasonCertificateExpired = "CLIENT_CERTIFICATE_EXPIRED"
	// ReasonCertificateRequired: an internal procedure was called without a verified client certificate.
	ReasonCertificateRequired = "CLIENT_CERTIFICATE_REQUIRED"
	// ReasonCredentialRequired: a public procedure was called without token or API key.
	ReasonCredentialRequired = "CREDENTIAL_REQUIRED" //nolint:gosec // a reason, no credential
	// ReasonRoleTooLow: the credential is good, and the procedure needs a higher role.
	ReasonRoleTooLow = "ROLE_TOO_LOW"
	// ReasonAccountNotAllowed: the credential is bound to an account, and the procedure is not limited to one.
	ReasonAccountNotAllowed = "ACCOUNT_NOT_ALLOWED"
	// ReasonCredentialInURL: a query parameter is named like a credential.
	ReasonCredentialInURL = "CREDENTIAL_IN_URL" //nolint:gosec // a reason, no credential
	// ReasonOriginNotAllowed: a web page of an origin that is not allowed tried to change something.
	ReasonOriginNotAllowed = "ORIGIN_NOT_ALLOWED"
	// ReasonHostNotAllowed: a server that asks for no credential was called by a name that is not this machine's.
	ReasonHostNotAllowed = "HOST_NOT_ALLOWED"
)

// errorDomain is the domain of every google.rpc.ErrorInfo.
const errorDomain = "trunkline"
