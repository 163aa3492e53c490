package dictionary

import (
	"fmt"
	"maps"
	"strings"
)

// A Dictionary is read-only once built, and may be used by many goroutines.
type Dictionary struct {
	byName        map[string]*Attribute // by lower-case name
	byNumber      map[uint64]*Attribute // by key; not those inside others
	vendorsByName map[string]*vendor    // by lower-case name
	vendors       map[uint32]*vendor
}

// An Attribute is one RADIUS attribute. It is read-only.
type Attribute struct {
	// Name is as the dictionary spells it; it is compared without regard to case.
	Name string
	// Vendor is the vendor's enterprise number; 0 is the attributes of the RFCs.
	Vendor uint32
	// Number is the attribute's own, in its vendor's space.
	Number uint32
	Type   Type
	// Tagged attributes may begin with a tag (RFC 2868 §3); they are written without one.
	Tagged bool
	// Encrypted attributes travel encrypted (RFC 2865 §5.2, RFC 2868 §3.5); they are never written from text.
	Encrypted bool
	// Secret attributes carry what nobody may read: Text shows "[redacted]".
	// Every encrypted attribute is one.
	Secret bool

	size      int     // octets[n]: the one length, 0 for any
	within    string  // its path where it lies inside another attribute: "241.1"
	forbidden string  // why it can't be written; empty: it can
	vendor    *vendor // nil for the attributes of the RFCs
	values    []value
	place     place
}

// A value is a number that has a name.
type value struct {
	name   string
	number uint64
	place  place
}

// A vendor is an enterprise number and the form of its attributes' headers.
type vendor struct {
	name   string
	number uint32
	// typeSize is 1, 2 or 4 octets, lengthSize 0, 1 or 2. RFC 2865 §5.26 asks for 1 and 1.
	typeSize, lengthSize int
	// continued is a third field in the header (WiMAX).
	continued bool
	place     place
}

// A place is where something was defined.
type place struct {
	file string
	line int
}

func (p place) String() string {
	if p.line == 0 {
		return p.file
	}
	return fmt.Sprintf("%s:%d", p.file, p.line)
}

// vendorSpecific is the attribute that holds the vendors' own (RFC 2865 §5.26).
const vendorSpecific = 26

func key(vendor, number uint32) uint64 { return uint64(vendor)<<32 | uint64(number) }

// ByName returns the attribute of that name, compared without regard to case.
// It does not allocate.
func (d *Dictionary) ByName(name string) (*Attribute, bool) {
	var b [maxName]byte
	if len(name) > len(b) {
		return nil, false
	}
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b[i] = c
	}
	a, ok := d.byName[string(b[:len(name)])]
	return a, ok
}

// ByNumber returns the attribute of that number; vendor 0 is the RFCs'. Where
// several names share a number, it is the one that was defined last.
func (d *Dictionary) ByNumber(vendor, number uint32) (*Attribute, bool) {
	a, ok := d.byNumber[key(vendor, number)]
	return a, ok
}

// Vendor returns the vendor's name as a dictionary spells it.
func (d *Dictionary) Vendor(number uint32) (string, bool) {
	v, ok := d.vendors[number]
	if !ok {
		return "", false
	}
	return v.name, true
}

func newDictionary() *Dictionary {
	return &Dictionary{
		byName:        map[string]*Attribute{},
		byNumber:      map[uint64]*Attribute{},
		vendorsByName: map[string]*vendor{},
		vendors:       map[uint32]*vendor{},
	}
}

// clone copies the tables; attributes and vendors are shared, and replaced
// where they change.
func (d *Dictionary) clone() *Dictionary {
	return &Dictionary{
		byName:        maps.Clone(d.byName),
		byNumber:      maps.Clone(d.byNumber),
		vendorsByName: maps.Clone(d.vendorsByName),
		vendors:       maps.Clone(d.vendors),
	}
}

// define adds a. As in FreeRADIUS, a name keeps its number, a second name for
// a number is an alias, and type and flags are those of the last definition;
// what was secret once stays so, under every name.
func (d *Dictionary) define(a *Attribute) error {
	name := strings.ToLower(a.Name)
	if old, ok := d.byName[name]; ok {
		if old.Vendor != a.Vendor || old.Number != a.Number || old.within != a.within {
			return fmt.Errorf("attribute %s is %s here, but %s at %s: one name can't have two numbers; rename one of them",
				a.Name, d.numberText(a), d.numberText(old), old.place)
		}
		a.values = old.values[:len(old.values):len(old.values)]
		a.inherit(old)
	}
	if a.within == "" {
		k := key(a.Vendor, a.Number)
		if old, ok := d.byNumber[k]; ok {
			a.inherit(old)
			if a.values == nil && a.Type == old.Type {
				a.values = old.values[:len(old.values):len(old.values)]
			}
		}
		d.byNumber[k] = a
	}
	d.byName[name] = a
	return nil
}

// inherit keeps a new definition from unveiling a secret.
func (a *Attribute) inherit(old *Attribute) {
	a.Secret = a.Secret || old.Secret
	if old.Encrypted && !a.Encrypted {
		a.Encrypted, a.forbidden = true, encrypted
	}
}

// numberText is an attribute's number as errors show it.
func (d *Dictionary) numberText(a *Attribute) string {
	n := fmt.Sprint(a.Number)
	if a.within != "" {
		n = a.within
	}
	if a.Vendor == 0 {
		return "number " + n
	}
	return fmt.Sprintf("number %s of vendor %d", n, a.Vendor)
}

// defineVendor adds v. A second name for a number is an alias.
func (d *Dictionary) defineVendor(v *vendor) error {
	name := strings.ToLower(v.name)
	if old, ok := d.vendorsByName[name]; ok && old.number != v.number {
		return fmt.Errorf("vendor %s is %d here, but %d at %s: rename one of them", v.name, v.number, old.number, old.place)
	}
	if old, ok := d.vendors[v.number]; ok {
		if old.typeSize != v.typeSize || old.lengthSize != v.lengthSize || old.continued != v.continued {
			return fmt.Errorf("vendor %s (%d) has another format here than at %s: give both the same format=", v.name, v.number, old.place)
		}
		d.vendorsByName[name] = old
		return nil
	}
	d.vendorsByName[name] = v
	d.vendors[v.number] = v
	return nil
}
