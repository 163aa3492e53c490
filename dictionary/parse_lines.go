package dictionary

import (
	"fmt"
	"strconv"
	"strings"
)

// encrypted is why an attribute that travels encrypted is not written.
const encrypted = "it travels encrypted, and is never written from text"

// attribute reads "ATTRIBUTE name number type [flags]".
func (p *parser) attribute(s *scope, f []string) error {
	if len(f) < 4 {
		return fmt.Errorf("ATTRIBUTE needs a name, a number and a type")
	}
	if err := checkName(f[1]); err != nil {
		return err
	}
	path, err := parsePath(f[2])
	if err != nil {
		return fmt.Errorf("attribute %s: %w", f[1], err)
	}
	a := &Attribute{Name: f[1], place: s.place, vendor: s.vendor}
	if err := a.parseType(f[3]); err != nil {
		return err
	}
	for _, flag := range strings.Split(strings.Join(f[4:], ","), ",") {
		p.flag(a, flag)
	}
	if err := p.locate(s, a, path); err != nil {
		return err
	}
	a.settle()
	p.own[a] = true
	return p.d.define(a)
}

func (a *Attribute) parseType(s string) error {
	name, size, sized := strings.Cut(s, "[")
	t, ok := parseType(name)
	if !ok {
		return fmt.Errorf("attribute %s: type %q is unknown; string, octets, integer, ipaddr, ipv6addr, ipv6prefix, ipv4prefix, ifid, date, byte, short, signed, integer64, ether, tlv and vsa are known", a.Name, clip(s))
	}
	a.Type = t
	if t == Unsupported {
		a.forbidden = "type " + strings.ToLower(name) + " is not supported"
	}
	if !sized {
		return nil
	}
	n, err := strconv.ParseUint(strings.TrimSuffix(size, "]"), 10, 8)
	if err != nil || n == 0 || !strings.HasSuffix(size, "]") {
		return fmt.Errorf("attribute %s: type %q: a length of 1 to 255 is needed, as octets[16]", a.Name, clip(s))
	}
	if t == Octets {
		a.size = int(n)
	}
	return nil
}

// flag reads one flag. One that is unknown may change how the value is
// written, so that the attribute is only read from then on.
func (p *parser) flag(a *Attribute, flag string) {
	name, arg, _ := strings.Cut(strings.ToLower(flag), "=")
	switch name {
	case "", "array", "concat", "internal":
	case "has_tag":
		a.Tagged = true
	case "encrypt":
		if arg != "" && arg != "0" {
			a.Encrypted = true
		}
	case "secret":
		a.Secret = true
	case "virtual":
		a.forbidden = "it exists inside a server only"
	default:
		// An old form names the vendor behind the type.
		if v, ok := p.d.vendorsByName[name]; ok && arg == "" {
			a.vendor = v
			return
		}
		a.forbidden = fmt.Sprintf("its flag %q at %s is unknown here", clip(flag), a.place)
	}
}

// locate finds out whose attribute it is, from its number and its scope.
func (p *parser) locate(s *scope, a *Attribute, path []uint32) error {
	a.Number = path[len(path)-1]
	switch {
	case len(s.tlvs) > 0:
		parent := s.tlvs[len(s.tlvs)-1]
		a.vendor, a.within = parent.vendor, parent.path()+"."+pathText(path)
	case a.vendor == nil && len(path) >= 3 && path[0] == vendorSpecific:
		v, ok := p.d.vendors[path[1]]
		if !ok {
			return fmt.Errorf("attribute %s: vendor %d is unknown: a VENDOR line is needed before it", a.Name, path[1])
		}
		a.vendor = v
		if len(path) > 3 {
			a.within = pathText(path[2:])
		}
	case len(path) > 1 || s.extended:
		a.within = pathText(path)
	}
	if s.extended && len(s.tlvs) == 0 {
		a.within = "extended." + a.within
	}
	if a.vendor != nil {
		a.Vendor = a.vendor.number
	}
	return nil
}

// settle decides whether the attribute can be written.
func (a *Attribute) settle() {
	if a.Encrypted {
		a.Secret = true
	}
	if a.forbidden != "" {
		return
	}
	v := a.vendor
	switch {
	case a.within != "":
		a.forbidden = "it lies inside another attribute"
	case a.Encrypted:
		a.forbidden = encrypted
	case a.Type == TLV:
		a.forbidden = "it is of type tlv, which holds other attributes"
	case a.Type == VSA:
		a.forbidden = "a vendor's attribute is written by its own name"
	case v == nil && (a.Number == 0 || a.Number > 255):
		a.forbidden = "its number is not from 1 to 255: it exists inside a server only"
	case v != nil && v.continued:
		a.forbidden = "the format of vendor " + v.name + " is not supported"
	case v != nil && v.typeSize < 4 && a.Number >= 1<<(8*v.typeSize):
		a.forbidden = fmt.Sprintf("its number is over %d, which is all that vendor %s can have", 1<<(8*v.typeSize)-1, v.name)
	}
}

// path is where the attribute lies, from its vendor on.
func (a *Attribute) path() string {
	if a.within != "" {
		return a.within
	}
	return strconv.FormatUint(uint64(a.Number), 10)
}

func pathText(path []uint32) string {
	var b []byte
	for i, n := range path {
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendUint(b, uint64(n), 10)
	}
	return string(b)
}

// parsePath reads "8", "0x1f" or "26.9.1".
func parsePath(s string) ([]uint32, error) {
	var path []uint32
	for part := range strings.SplitSeq(s, ".") {
		n, err := parseNumber(part, 32)
		if err != nil || len(path) == 8 {
			return nil, fmt.Errorf("number %q: a number is needed, or numbers with dots between them, as 26.9.1", clip(s))
		}
		path = append(path, uint32(n))
	}
	return path, nil
}

// parseNumber reads an unsigned number, decimal or 0x and hex digits.
func parseNumber(s string, bits int) (uint64, error) {
	if len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') {
		return strconv.ParseUint(s[2:], 16, bits)
	}
	return strconv.ParseUint(s, 10, bits)
}

// checkName keeps names that reach logs free of all but plain characters.
func checkName(s string) error {
	if len(s) > maxName {
		return fmt.Errorf("name %s is longer than %d characters", clip(s), maxName)
	}
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._/:+()&,=", c) >= 0:
		default:
			return fmt.Errorf("name %q: letters, digits and -._/:+()&,= are needed", s)
		}
	}
	return nil
}

// value reads "VALUE attribute name number".
func (p *parser) value(s *scope, f []string) error {
	if len(f) != 4 {
		return fmt.Errorf("VALUE needs an attribute, a name and a number")
	}
	if err := checkName(f[2]); err != nil {
		return err
	}
	v := value{name: f[2], place: s.place}
	a, ok := p.d.ByName(f[1])
	if !ok {
		p.pending = append(p.pending, pendingValue{attribute: f[1], number: f[3], value: v})
		return nil
	}
	return p.addValue(a, v, f[3])
}

func (p *parser) addValue(a *Attribute, v value, number string) error {
	bits := a.Type.bits()
	if bits == 0 {
		// FreeRADIUS's own files name values of octets, for people to read.
		return nil
	}
	n, err := parseNumber(number, bits)
	if err != nil {
		return fmt.Errorf("VALUE %s of %s: number %q: one of %d bits is needed, decimal or 0x and hex digits", v.name, a.Name, clip(number), bits)
	}
	v.number = n
	if err := p.name(a, v); err != nil {
		return err
	}
	// A number with two names has one set of values.
	if other, ok := p.d.byNumber[key(a.Vendor, a.Number)]; ok && a.within == "" && other.Name != a.Name && other.Type == a.Type {
		return p.name(other, v)
	}
	return nil
}

// name gives a number of a's its name.
func (p *parser) name(a *Attribute, v value) error {
	for i := range a.values {
		old := &a.values[i]
		if !strings.EqualFold(old.name, v.name) {
			continue
		}
		if old.number != v.number {
			return fmt.Errorf("VALUE %s of %s is %d here, but %d at %s: one name can't have two numbers; rename one of them", v.name, a.Name, v.number, old.number, old.place)
		}
		return nil
	}
	if len(a.values) == maxValues {
		return fmt.Errorf("attribute %s has more than %d values", a.Name, maxValues)
	}
	a = p.owned(a)
	a.values = append(a.values, v)
	return nil
}

// owned returns a, or a copy of it in its place where another dictionary shares it.
func (p *parser) owned(a *Attribute) *Attribute {
	if p.own[a] {
		return a
	}
	c := *a
	c.values = a.values[:len(a.values):len(a.values)]
	p.own[&c] = true
	p.d.byName[strings.ToLower(a.Name)] = &c
	if k := key(a.Vendor, a.Number); p.d.byNumber[k] == a {
		p.d.byNumber[k] = &c
	}
	return &c
}
