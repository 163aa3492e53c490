package dictionary

import (
	"fmt"
	"strings"
)

// vendor reads "VENDOR name number [format=t,l[,c]]".
func (p *parser) vendor(s *scope, f []string) error {
	if len(f) != 3 && len(f) != 4 {
		return fmt.Errorf("VENDOR needs a name, a number and perhaps format=")
	}
	if err := checkName(f[1]); err != nil {
		return err
	}
	n, err := parseNumber(f[2], 32)
	if err != nil || n == 0 {
		return fmt.Errorf("vendor %s: %q is no enterprise number", f[1], clip(f[2]))
	}
	v := &vendor{name: f[1], number: uint32(n), typeSize: 1, lengthSize: 1, place: s.place}
	if len(f) == 4 {
		if err := v.parseFormat(f[3]); err != nil {
			return fmt.Errorf("vendor %s: %w", f[1], err)
		}
	}
	return p.d.defineVendor(v)
}

// parseFormat reads "format=t,l" or "format=t,l,c".
func (v *vendor) parseFormat(s string) error {
	format, ok := strings.CutPrefix(strings.ToLower(s), "format=")
	if !ok || len(format) != 3 && len(format) != 5 || format[1] != ',' {
		return fmt.Errorf("%q: format=t,l is needed, with t of 1, 2 or 4 and l of 0, 1 or 2", clip(s))
	}
	v.typeSize, v.lengthSize = int(format[0]-'0'), int(format[2]-'0')
	if v.typeSize != 1 && v.typeSize != 2 && v.typeSize != 4 || v.lengthSize < 0 || v.lengthSize > 2 {
		return fmt.Errorf("%q: t of 1, 2 or 4 and l of 0, 1 or 2 are needed", clip(s))
	}
	if len(format) == 5 {
		if format[3:] != ",c" {
			return fmt.Errorf("%q: only c may follow t,l", clip(s))
		}
		v.continued = true
	}
	return nil
}

// beginVendor reads "BEGIN-VENDOR name [parent=...|format=...]".
func (p *parser) beginVendor(s *scope, f []string) error {
	if len(f) != 2 && len(f) != 3 {
		return fmt.Errorf("BEGIN-VENDOR needs a vendor's name")
	}
	if s.vendor != nil {
		return fmt.Errorf("BEGIN-VENDOR inside that of %s at %s: END-VENDOR is needed first", s.vendor.name, s.began)
	}
	v, ok := p.d.vendorsByName[strings.ToLower(f[1])]
	if !ok {
		return fmt.Errorf("vendor %s is unknown: a VENDOR line is needed before it", clip(f[1]))
	}
	s.vendor, s.began, s.extended = v, s.place, len(f) == 3
	return nil
}

func (p *parser) endVendor(s *scope, f []string) error {
	if s.vendor == nil {
		return fmt.Errorf("END-VENDOR without BEGIN-VENDOR")
	}
	if len(s.tlvs) > 0 {
		return fmt.Errorf("END-VENDOR before the END-TLV of %s", s.tlvs[len(s.tlvs)-1].Name)
	}
	if len(f) != 2 || p.d.vendorsByName[strings.ToLower(f[1])] != s.vendor {
		return fmt.Errorf("END-VENDOR %s is needed, as began at %s", s.vendor.name, s.began)
	}
	s.vendor, s.extended = nil, false
	return nil
}

func (p *parser) beginTLV(s *scope, f []string) error {
	if len(f) != 2 {
		return fmt.Errorf("BEGIN-TLV needs an attribute's name")
	}
	a, ok := p.d.ByName(f[1])
	if !ok {
		return fmt.Errorf("attribute %s is unknown: its ATTRIBUTE line is needed before it", clip(f[1]))
	}
	if a.Type != TLV || a.vendor != s.vendor {
		return fmt.Errorf("attribute %s is no tlv of this vendor", a.Name)
	}
	if len(s.tlvs) >= maxIncludes {
		return fmt.Errorf("BEGIN-TLV %s: more than %d inside one another", a.Name, maxIncludes)
	}
	if len(s.tlvs) == 0 && s.vendor == nil {
		s.began = s.place
	}
	s.tlvs = append(s.tlvs, a)
	return nil
}

func (p *parser) endTLV(s *scope, f []string) error {
	n := len(s.tlvs)
	if n == 0 {
		return fmt.Errorf("END-TLV without BEGIN-TLV")
	}
	if len(f) != 2 || !strings.EqualFold(f[1], s.tlvs[n-1].Name) {
		return fmt.Errorf("END-TLV %s is needed", s.tlvs[n-1].Name)
	}
	s.tlvs = s.tlvs[:n-1]
	return nil
}
