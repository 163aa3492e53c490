package eaptest

import (
	"crypto/tls"
	"crypto/x509"
	"embed"
)

//go:embed testdata/*.pem
var pairs embed.FS

// The certificates in testdata, each with its key (P-256). They are valid from
// 2000 to 2100, so that a clock of any test lies inside.
const (
	// CA signs all of them but Foreign, OtherCA its own.
	CA, OtherCA = "ca", "other-ca"
	// Host is for servers, with the name ServerName.
	Host = "host"
	// Phone is for clients, and names Login.
	Phone = "phone"
	// Expired is the same, but ended in 2001; Foreign is OtherCA's.
	Expired, Foreign = "expired", "foreign"
	// Nameless is for clients and names nobody.
	Nameless = "nameless"
)

// ServerName is the dNSName of Host; Login is whom Phone, Expired and Foreign name.
const (
	ServerName = "radius.example.org"
	Login      = "anna@example.org"
)

// Pair returns a certificate with its key.
func Pair(name string) tls.Certificate {
	text := read(name)
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		panic("eaptest: " + name + ": " + err.Error())
	}
	return pair
}

// Pool returns what trusts this certificate alone.
func Pool(name string) *x509.CertPool {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(read(name)) {
		panic("eaptest: " + name + " holds no certificate")
	}
	return pool
}

func read(name string) []byte {
	text, err := pairs.ReadFile("testdata/" + name + ".pem")
	if err != nil {
		panic("eaptest: " + err.Error())
	}
	return text
}
