package pki

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/ocsp"
)

// maxOCSP bounds an OCSP response; with a responder's certificate it is 2 KiB.
const maxOCSP = 64 << 10

// readStaple reads the response to staple (RFC 6066 section 8, RFC 9190 section
// 5.4). A device that gets one that says nothing good may break off, so what is
// not good is not stapled.
func readStaple(path string, leaf, issuer *x509.Certificate, now time.Time) ([]byte, error) {
	der, err := readFile(path, maxOCSP)
	if err != nil {
		return nil, err
	}
	if issuer == nil {
		return nil, errors.New("it can't be checked without the certificate's issuer: put that into the file of certificate, behind the server's own")
	}
	if err := checkStaple(der, leaf, issuer, now); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return der, nil
}

func checkStaple(der []byte, leaf, issuer *x509.Certificate, now time.Time) error {
	r, err := ocsp.ParseResponseForCert(der, leaf, issuer)
	switch {
	case err != nil:
		return err
	case r.Certificate != nil && !mayAnswer(r.Certificate, issuer, now):
		return errors.New("it is signed by a certificate that may not sign such answers (RFC 6960 section 4.2.2.2)")
	case r.Status == ocsp.Revoked:
		return fmt.Errorf("it says that the certificate was revoked on %s", day(r.RevokedAt))
	case r.Status != ocsp.Good:
		return errors.New("it says that the certificate is unknown")
	case now.Add(skew).Before(r.ThisUpdate):
		return fmt.Errorf("it begins on %s", r.ThisUpdate.UTC().Format(time.RFC3339))
	case !r.NextUpdate.IsZero() && now.After(r.NextUpdate):
		return fmt.Errorf("it ended on %s", r.NextUpdate.UTC().Format(time.RFC3339))
	}
	return nil
}

// mayAnswer says whether a responder's certificate, which issuer signed, may
// sign OCSP responses: else any certificate of that CA could (CVE-2011-2701).
func mayAnswer(responder, issuer *x509.Certificate, now time.Time) bool {
	if bytes.Equal(responder.RawSubjectPublicKeyInfo, issuer.RawSubjectPublicKeyInfo) {
		return true
	}
	return slices.Contains(responder.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) && !now.After(responder.NotAfter)
}
