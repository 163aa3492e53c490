package policy

import (
	"encoding/binary"
	"errors"
	"fmt"

	"memberradius/dictionary"
	"memberradius/member"
)

// A vendor is what its access points and controllers read of a reply besides
// what the RFCs say. Attributes are by name; empty is none.
type vendor struct {
	name string
	// rates are the attributes for down and up.
	rates []rate
	// pair takes "up/down" as configured, where both are set; rates serve where one is.
	pair string
	// vlanNumber and vlanName are the vendor's own for a VLAN that is a number
	// or a name; they come besides Tunnel-Private-Group-Id.
	vlanNumber, vlanName string
	// vlanFixed comes with vlanNumber, always with the same value.
	vlanFixed, vlanFixedValue string
	// redirect takes the URL that a member's browser is to go to.
	redirect string
	// source is where the vendor says so.
	source string
	// session is what names one of its sessions to it (RFC 5176 §3), in the
	// order of the wire. sessionSource is where it says so.
	session       []identity
	sessionSource string
	// reauthenticate is the Cisco-AVPair by which a CoA-Request asks it to
	// authenticate a session's device again; empty is none.
	reauthenticate string
	// limits are what its operators must know, each a sentence for `check`.
	limits []string
}

// A rate is an attribute that limits one direction; down is to the member.
type rate struct {
	attribute string
	down      bool
	// unit is how many bits per second the attribute's 1 stands for.
	unit uint64
}

// wisprRates are the attributes of "WISPr Best Current Practices" 1.0, annex C: bits per second.
var wisprRates = []rate{
	{attribute: "WISPr-Bandwidth-Max-Down", down: true, unit: 1},
	{attribute: "WISPr-Bandwidth-Max-Up", unit: 1},
}

const wisprRedirect = "WISPr-Redirection-URL"

// vendors is the one list of them; the first is the default.
var vendors = []*vendor{
	&generic, &unifi, &meraki, &aruba, &cisco, &ruckus, &mikrotik, &cambium, &omada, &fortinet, &mist,
}

// Vendors returns the names that a client's vendor may have.
func Vendors() []string {
	names := make([]string, len(vendors))
	for i, v := range vendors {
		names[i] = v.name
	}
	return names
}

// KnownVendor says whether a client's vendor may have this name; empty is generic.
func KnownVendor(name string) bool { return name == "" || find(name) != nil }

// Limits returns what an operator must know of a vendor, in sentences: what a
// plan says and its access points are not told, or do not heed.
func Limits(name string) []string {
	if name == "" {
		name = vendors[0].name
	}
	if v := find(name); v != nil {
		return v.limits
	}
	return nil
}

func find(name string) *vendor {
	for _, v := range vendors {
		if v.name == name {
			return v
		}
	}
	return nil
}

// A compiledVendor is a vendor with its attributes found.
type compiledVendor struct {
	name                 string
	rates                []compiledRate
	pair                 *dictionary.Attribute
	vlanNumber, vlanName vlanAttribute
	vlanFixed            []byte // a whole attribute
	vlanFixedKey         uint64
	redirect             *dictionary.Attribute
}

// A vlanAttribute is a vendor's own attribute for a VLAN; the zero value is none.
type vlanAttribute struct {
	a   *dictionary.Attribute
	key uint64
	// header is what stands before a number of 4 octets; nil for other types.
	header []byte
}

// append appends the attribute for a VLAN that is valid.
func (w *vlanAttribute) append(dst []byte, vlan string) []byte {
	if w.a == nil {
		return dst
	}
	if w.header != nil {
		n, _ := member.VLAN(vlan).Number()
		return binary.BigEndian.AppendUint32(append(dst, w.header...), uint32(n))
	}
	// A VLAN of 1 to 32 printable characters is always a text.
	dst, _ = w.a.Append(dst, vlan)
	return dst
}

func compileVLAN(a *dictionary.Attribute) (w vlanAttribute, err error) {
	if a == nil {
		return w, nil
	}
	w = vlanAttribute{a: a, key: keyOf(a)}
	whole, err := a.Append(nil, "1")
	if err == nil && a.Type == dictionary.Integer {
		w.header = whole[:len(whole)-4]
	}
	return w, err
}

type compiledRate struct {
	a    *dictionary.Attribute
	down bool
	unit uint64
}

func compileVendor(d *dictionary.Dictionary, v *vendor) (*compiledVendor, error) {
	c := &compiledVendor{name: v.name}
	var err error
	attribute := func(name string) *dictionary.Attribute {
		if name == "" {
			return nil
		}
		a, ok := d.ByName(name)
		if !ok {
			err = errors.Join(err, fmt.Errorf("vendor %s: the dictionary has no attribute %s", v.name, name))
		}
		return a
	}
	for _, r := range v.rates {
		c.rates = append(c.rates, compiledRate{a: attribute(r.attribute), down: r.down, unit: r.unit})
	}
	c.pair, c.redirect = attribute(v.pair), attribute(v.redirect)
	var number, name, fixed error
	c.vlanNumber, number = compileVLAN(attribute(v.vlanNumber))
	c.vlanName, name = compileVLAN(attribute(v.vlanName))
	if a := attribute(v.vlanFixed); a != nil {
		c.vlanFixedKey = keyOf(a)
		c.vlanFixed, fixed = a.Append(nil, v.vlanFixedValue)
	}
	return c, errors.Join(err, number, name, fixed)
}
