package pki

import (
	"crypto/x509"
	"encoding/asn1"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// maxLogin is the most that a User-Name can carry (RFC 2865 section 5.1).
const maxLogin = 253

// Login returns whom a certificate is for: its first SAN rfc822Name, else its
// first User Principal Name, else its subject's common name; "" where it has
// none. A name that no User-Name could carry, or that holds control characters,
// is "" too, and nothing further is tried: whoever reads the certificate might
// see somebody else in it.
func Login(c *x509.Certificate) string {
	if c == nil {
		return ""
	}
	login := c.Subject.CommonName
	if upn := upnOf(c); upn != "" {
		login = upn
	}
	if len(c.EmailAddresses) > 0 {
		login = c.EmailAddresses[0]
	}
	if !plainLogin(login) {
		return ""
	}
	return login
}

// plainLogin says whether a login can travel as a User-Name and be shown.
func plainLogin(s string) bool {
	return s != "" && len(s) <= maxLogin && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) && strings.TrimSpace(s) == s
}

// oidSAN is subjectAltName (RFC 5280 section 4.2.1.6).
func oidSAN() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 5, 29, 17} }

// oidUPN is Microsoft's User Principal Name, an otherName of subjectAltName.
func oidUPN() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3}
}

// otherName is the context tag of otherName in GeneralName, and of its value.
const otherName = 0

func upnOf(c *x509.Certificate) string {
	for _, e := range c.Extensions {
		if e.Id.Equal(oidSAN()) {
			return decodeUPN(e.Value)
		}
	}
	return ""
}

// decodeUPN returns the first User Principal Name of a subjectAltName in DER,
// "" where there is none or the whole can't be read.
func decodeUPN(der []byte) string {
	in := cryptobyte.String(der)
	var list cryptobyte.String
	if !in.ReadASN1(&list, tag.SEQUENCE) || !in.Empty() {
		return ""
	}
	found := ""
	for !list.Empty() {
		var name cryptobyte.String
		var t tag.Tag
		if !list.ReadAnyASN1(&name, &t) {
			return ""
		}
		if t != tag.Tag(otherName).Constructed().ContextSpecific() || found != "" {
			continue
		}
		var id asn1.ObjectIdentifier
		var value, text cryptobyte.String
		if !name.ReadASN1ObjectIdentifier(&id) || !id.Equal(oidUPN()) {
			continue
		}
		if !name.ReadASN1(&value, tag.Tag(otherName).Constructed().ContextSpecific()) || !name.Empty() ||
			!value.ReadASN1(&text, tag.UTF8String) || !value.Empty() || !utf8.Valid(text) {
			return ""
		}
		found = string(text)
	}
	return found
}

// encodeUPN writes a subjectAltName with one User Principal Name.
func encodeUPN(login string) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tag.Tag(otherName).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidUPN())
			b.AddASN1(tag.Tag(otherName).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) {
				b.AddASN1(tag.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(login)) })
			})
		})
	})
	return b.Bytes()
}

// isEmail says whether a login can be an rfc822Name: printable ASCII without
// spaces, and one "@" with something on either side (RFC 5280 section 4.2.1.6).
func isEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && domain != "" && !strings.Contains(domain, "@") &&
		!strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"<>(),;:\[]`, r) })
}
