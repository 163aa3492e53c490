package onboard

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// The object identifiers of a signed profile: content types and attributes of
// RFC 5652 §4, §5.1, §11.1 and §11.2, algorithms of RFC 5754 §2.2, §3.2 and §3.3.
func oidData() asn1.ObjectIdentifier        { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1} }
func oidSignedData() asn1.ObjectIdentifier  { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2} }
func oidContentType() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3} }
func oidMessageDigest() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
}
func oidSHA256() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1} }
func oidRSA() asn1.ObjectIdentifier    { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1} }
func oidECDSA() asn1.ObjectIdentifier  { return asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2} }

// contentInfo is ContentInfo (RFC 5652 §3) with SignedData in it.
type contentInfo struct {
	ContentType asn1.ObjectIdentifier
	Content     signedData `asn1:"explicit,tag:0"`
}

// signedData is SignedData (RFC 5652 §5.1). Version 1 holds, since the content
// is data and all certificates are X.509.
type signedData struct {
	Version          int
	DigestAlgorithms []pkix.AlgorithmIdentifier `asn1:"set"`
	EncapContentInfo encapsulated
	Certificates     []asn1.RawValue `asn1:"set,tag:0"`
	SignerInfos      []signerInfo    `asn1:"set"`
}

// encapsulated is EncapsulatedContentInfo (RFC 5652 §5.2).
type encapsulated struct {
	Type    asn1.ObjectIdentifier
	Content []byte `asn1:"explicit,tag:0"`
}

// signerInfo is SignerInfo (RFC 5652 §5.3), whose signer is named by issuer and serial number.
type signerInfo struct {
	Version            int
	Signer             issuerAndSerialNumber
	DigestAlgorithm    pkix.AlgorithmIdentifier
	SignedAttributes   []attribute `asn1:"set,tag:0"`
	SignatureAlgorithm pkix.AlgorithmIdentifier
	Signature          []byte
}

type issuerAndSerialNumber struct {
	Issuer       asn1.RawValue
	SerialNumber *big.Int
}

// attribute is Attribute (RFC 5652 §5.3).
type attribute struct {
	Type   asn1.ObjectIdentifier
	Values []any `asn1:"set"`
}

// signCMS returns content inside a SignedData (RFC 5652 §5) in DER, signed with
// SHA-256 by the certificate's key, with the chain beside it.
func signCMS(content []byte, c *tls.Certificate) ([]byte, error) {
	if len(c.Certificate) == 0 {
		return nil, errors.New("signing: there is no certificate")
	}
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		return nil, fmt.Errorf("signing: certificate: %w", err)
	}
	algorithm, err := signatureAlgorithm(leaf, c.PrivateKey)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(content)
	attributes := []attribute{
		{Type: oidContentType(), Values: []any{oidData()}},
		{Type: oidMessageDigest(), Values: []any{digest[:]}},
	}
	// What is signed is the SET itself, under its own tag (RFC 5652 §5.4).
	toSign, err := asn1.MarshalWithParams(attributes, "set")
	if err != nil {
		return nil, fmt.Errorf("signing: attributes: %w", err)
	}
	signed := sha256.Sum256(toSign)
	signature, err := c.PrivateKey.(crypto.Signer).Sign(rand.Reader, signed[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	sha := pkix.AlgorithmIdentifier{Algorithm: oidSHA256()}
	der, err := asn1.Marshal(contentInfo{ContentType: oidSignedData(), Content: signedData{
		Version:          1,
		DigestAlgorithms: []pkix.AlgorithmIdentifier{sha},
		EncapContentInfo: encapsulated{Type: oidData(), Content: content},
		Certificates:     certificates(c.Certificate),
		SignerInfos: []signerInfo{{
			Version:            1,
			Signer:             issuerAndSerialNumber{asn1.RawValue{FullBytes: leaf.RawIssuer}, leaf.SerialNumber},
			DigestAlgorithm:    sha,
			SignedAttributes:   attributes,
			SignatureAlgorithm: algorithm,
			Signature:          signature,
		}},
	}})
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return der, nil
}

// signatureAlgorithm says how a key signs. Apple's devices know no EdDSA here.
func signatureAlgorithm(leaf *x509.Certificate, key crypto.PrivateKey) (pkix.AlgorithmIdentifier, error) {
	signer, ok := key.(crypto.Signer)
	if !ok {
		return pkix.AlgorithmIdentifier{}, errors.New("signing: the certificate has no private key")
	}
	public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(leaf.PublicKey) {
		return pkix.AlgorithmIdentifier{}, errors.New("signing: the private key is not the certificate's")
	}
	switch leaf.PublicKey.(type) {
	case *rsa.PublicKey:
		return pkix.AlgorithmIdentifier{Algorithm: oidRSA(), Parameters: asn1.NullRawValue}, nil
	case *ecdsa.PublicKey:
		return pkix.AlgorithmIdentifier{Algorithm: oidECDSA()}, nil
	}
	return pkix.AlgorithmIdentifier{}, fmt.Errorf("signing: a key of type %s: it must be RSA or ECDSA", leaf.PublicKeyAlgorithm)
}

// certificates returns the chain as the CertificateSet it goes into, in DER's order.
func certificates(chain [][]byte) []asn1.RawValue {
	sorted := slices.SortedFunc(slices.Values(chain), bytes.Compare)
	set := make([]asn1.RawValue, len(sorted))
	for i, der := range sorted {
		set[i] = asn1.RawValue{FullBytes: der}
	}
	return set
}
