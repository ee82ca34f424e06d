package client

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// A TLS says how a grpcs:// server is trusted and how we show who we are. The
// fields are names of PEM files, each optional; Cert and Key go together. The
// client's certificate is read anew for each connection, so that it can be
// renewed under a running server.
type TLS struct {
	CA         string // signs the server's certificate; else the system's roots
	Cert, Key  string
	ServerName string // in the server's certificate, if it is not the address's host
}

var errPair = errors.New("a certificate needs a key, and a key a certificate")

func (t TLS) credentials(a Address) (credentials.TransportCredentials, error) {
	if !a.secure {
		return insecure.NewCredentials(), nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("read certificates: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read certificates: %s holds none", t.CA)
		}
	}
	if (t.Cert == "") != (t.Key == "") {
		return nil, errPair
	}
	if t.Cert != "" {
		if _, err := t.load(nil); err != nil {
			return nil, err
		}
		cfg.GetClientCertificate = t.load
	}
	return credentials.NewTLS(cfg), nil
}

func (t TLS) load(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
	if err != nil {
		return nil, fmt.Errorf("read certificate %s: %w", t.Cert, err)
	}
	return &pair, nil
}
