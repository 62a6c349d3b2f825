package rpcserver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"trunkline/services/platform/fault"
)

// errorClass names a failure without its text: texts of drivers hold addresses,
// user names and sometimes whole connection strings.
func errorClass(err error) string {
	var (
		f         *fault.Fault
		dns       *net.DNSError
		timeout   net.Error
		unknownCA x509.UnknownAuthorityError
		hostname  x509.HostnameError
		expired   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		alert     tls.AlertError
	)
	switch {
	case errors.As(err, &f) && f.Kind != fault.Internal:
		return f.Reason
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	case errors.As(err, &dns):
		return "name not resolved"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return "connection closed"
	case errors.As(err, &unknownCA), errors.As(err, &hostname), errors.As(err, &expired), errors.As(err, &verify), errors.As(err, &alert):
		return "certificate refused"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	}
	return "error"
}
