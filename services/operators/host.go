package operators

import (
	"net/netip"
	"strings"
)

const (
	maxHost  = 253 // RFC 1035 section 2.3.4, without the trailing dot
	maxLabel = 63
)

// canonicalHost writes a host in the one form in which it is stored: names in
// lower case, IP addresses as RFC 5952 writes them. What is neither is returned
// in lower case for checkHost to refuse.
func canonicalHost(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.String()
	}
	return strings.ToLower(host)
}

// checkHost returns what is wrong with a canonical host, or "".
func checkHost(host string) string {
	switch {
	case host == "":
		return "must be a host name or an IP address"
	case len(host) > maxHost:
		return "must have at most 253 characters"
	case strings.Contains(host, "://"):
		return "must be a host name or an IP address without a scheme such as smpp://"
	case strings.ContainsAny(host, "/ \t"):
		return "must be a host name or an IP address alone, without path or spaces"
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		switch {
		case ip.Zone() != "":
			return "must be an IP address without a zone"
		case ip.IsUnspecified() || ip.IsMulticast():
			return "must be an address that one machine can have"
		case ip.String() != host:
			return "must be written as " + ip.String()
		}
		return ""
	}
	if strings.Contains(host, ":") || strings.HasPrefix(host, "[") {
		return "must be a host name or an IP address; the port has a field of its own"
	}
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if !isLabel(label) {
			return "must be a host name of letters, digits and hyphens between dots, in lower case, or an IP address"
		}
	}
	if strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return "looks like an IPv4 address and is none"
	}
	return ""
}

// isLabel follows RFC 1123 section 2.1, in lower case.
func isLabel(label string) bool {
	if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for i := range len(label) {
		c := label[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
