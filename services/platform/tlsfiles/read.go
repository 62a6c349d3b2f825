package tlsfiles

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"
)

type contents struct {
	cert, key, ca []byte
	digest        [sha256.Size]byte
}

// read returns the contents. On an error the digest still identifies the
// failure, so that it is reported once.
func (f Files) read() (contents, error) {
	var c contents
	var errs []error
	sum := sha256.New()
	for _, part := range []struct {
		name string
		into *[]byte
	}{{f.Cert, &c.cert}, {f.Key, &c.key}, {f.CA, &c.ca}} {
		if part.name == "" {
			continue
		}
		data, err := os.ReadFile(part.name)
		if err != nil {
			errs = append(errs, fmt.Errorf("read a TLS file: %w", err))
			fmt.Fprintf(sum, "%s\x00", err)
		}
		*part.into = data
		fmt.Fprintf(sum, "%d\x00", len(data))
		sum.Write(data)
	}
	sum.Sum(c.digest[:0])
	return c, errors.Join(errs...)
}

func (c contents) parse(f Files) (Material, error) {
	pair, err := tls.X509KeyPair(c.cert, c.key)
	if err != nil {
		return Material{}, fmt.Errorf("the certificate %s and the key %s do not fit: %w", f.Cert, f.Key, err)
	}
	m := Material{Certificate: pair, notAfter: pair.Leaf.NotAfter}
	if f.CA == "" {
		return m, nil
	}
	certs, err := parseBundle(c.ca)
	if err != nil {
		return Material{}, fmt.Errorf("the certificate authorities of %s: %w", f.CA, err)
	}
	m.Authorities = x509.NewCertPool()
	m.authoritiesNotAfter = earliestEnd(certs)
	for _, cert := range certs {
		m.Authorities.AddCert(cert)
	}
	return m, nil
}

func earliestEnd(certs []*x509.Certificate) time.Time {
	first := certs[0].NotAfter
	for _, cert := range certs {
		if cert.NotAfter.Before(first) {
			first = cert.NotAfter
		}
	}
	return first
}

func parseBundle(bundle []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for len(bundle) > 0 {
		var block *pem.Block
		if block, bundle = pem.Decode(bundle); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("parse a certificate: %w", err)
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, errors.New("the file holds no PEM certificate")
	}
	return certs, nil
}
