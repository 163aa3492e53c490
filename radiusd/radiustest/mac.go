package radiustest

import (
	"encoding/hex"
	"errors"
	"net"
	"strings"

	"memberradius/member"
)

// A Spelling is how a NAS writes a device's address: Group hexadecimal digits
// (1, 2, 4 or 6), then the Separator. Group 0 or 12 has none. The zero value is
// aabbccddeeff.
type Spelling struct {
	Group     int
	Separator string
	Upper     bool
}

// Spellings returns those that controllers let their operators choose from.
func Spellings() []Spelling {
	all := []Spelling{{}, {Upper: true}}
	for _, group := range []int{1, 2, 4, 6} {
		for _, separator := range []string{"-", ":", "."} {
			all = append(all, Spelling{group, separator, false}, Spelling{group, separator, true})
		}
	}
	return all
}

// Write returns the address in this spelling.
func (s Spelling) Write(a net.HardwareAddr) string {
	digits := hex.EncodeToString(a)
	if s.Upper {
		digits = strings.ToUpper(digits)
	}
	if s.Group == 0 {
		return digits
	}
	var groups []string
	for len(digits) > s.Group {
		groups = append(groups, digits[:s.Group])
		digits = digits[s.Group:]
	}
	return strings.Join(append(groups, digits), s.Separator)
}

// A Formality is what a NAS sends in the place of a password for a device that
// says nothing but its address.
type Formality uint8

const (
	// AddressPassword is the address once more.
	AddressPassword Formality = iota
	// SecretPassword is the shared secret.
	SecretPassword
	// EmptyPassword is a password of no characters.
	EmptyPassword
	// NoPassword is none; Service-Type Call-Check says what is asked.
	NoPassword
)

// A MACForm is how a NAS asks for a device, with method MAC. The zero value is
// aabbccddeeff for User-Name and User-Password.
type MACForm struct {
	// User is the spelling of User-Name, Password that of an AddressPassword;
	// its zero value is User's.
	User, Password Spelling
	Formality      Formality
	// CHAP sends CHAP-Password instead of User-Password.
	CHAP bool
}

// callCheck is a Service-Type (RFC 2865 §5.6).
const callCheck = 10

var errNoStation = errors.New("radiustest: MAC authentication needs AccessPoint.Station, the device's address, or a Login")

// device fills in User-Name and password of MAC authentication, as the form
// says, where the request does not give them itself.
func (c *composer) device(r *Request) (*Request, error) {
	own, form := *r, &r.Form
	if own.Login == "" {
		if r.AccessPoint.Station == nil {
			return nil, errNoStation
		}
		own.Login = form.User.Write(r.AccessPoint.Station)
	}
	switch form.Formality {
	case AddressPassword:
		own.Password = member.Secret(own.Login)
		if form.Password != (Spelling{}) && r.AccessPoint.Station != nil {
			own.Password = member.Secret(form.Password.Write(r.AccessPoint.Station))
		}
	case SecretPassword:
		own.Password = c.secret
	case EmptyPassword, NoPassword:
		own.Password = ""
	}
	return &own, nil
}

// proveDevice adds the password of MAC authentication, or what stands for none.
func (c *composer) proveDevice(p *Packet, r *Request, ident byte) error {
	switch {
	case r.Form.Formality == NoPassword:
		p.Add(typeServiceType, []byte{0, 0, 0, callCheck})
		return nil
	case r.Form.CHAP:
		return c.proveCHAP(p, r, ident)
	}
	p.AddPassword(r.Password)
	return nil
}
