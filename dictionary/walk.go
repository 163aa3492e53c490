package dictionary

import (
	"encoding/binary"
	"fmt"
)

// Each calls f for every attribute of an encoded packet's body, in the order
// of the wire: those within a Vendor-Specific by their own name, one that no
// dictionary knows as "Attr-250" or "Vendor-9-Attr-1". A value aliases
// attributes. The Vendor-Specific of a vendor that is unknown and does not hold
// attributes as RFC 2865 §5.26 proposes is one attribute, "Vendor-9". Wrong
// lengths are an error; what came before has been called.
func (d *Dictionary) Each(attributes []byte, f func(a *Attribute, value []byte)) error {
	for at := 0; at < len(attributes); {
		rest := attributes[at:]
		if len(rest) < headerSize || int(rest[1]) < headerSize || int(rest[1]) > len(rest) {
			return fmt.Errorf("dictionary: attribute at octet %d: its length does not fit", at)
		}
		number, value := rest[0], rest[headerSize:rest[1]]
		if number != vendorSpecific {
			f(d.attribute(0, uint32(number)), value)
		} else if err := d.eachVendor(value, f); err != nil {
			return fmt.Errorf("dictionary: Vendor-Specific at octet %d: %w", at, err)
		}
		at += int(rest[1])
	}
	return nil
}

// eachVendor walks one Vendor-Specific.
func (d *Dictionary) eachVendor(value []byte, f func(a *Attribute, value []byte)) error {
	if len(value) < vendorSize {
		return fmt.Errorf("%d octets: at least %d are needed", len(value), vendorSize)
	}
	number, body := binary.BigEndian.Uint32(value), value[vendorSize:]
	v, known := d.vendors[number]
	if !known {
		v = &vendor{number: number, typeSize: 1, lengthSize: 1}
	}
	if v.continued || !known && !v.fits(body) {
		f(&Attribute{Name: fmt.Sprintf("Vendor-%d", number), Vendor: number, Type: Octets}, body)
		return nil
	}
	if !v.fits(body) {
		return fmt.Errorf("vendor %s: lengths do not fit", v.name)
	}
	for len(body) > 0 {
		n, size := v.next(body)
		f(d.attribute(number, n), body[v.typeSize+v.lengthSize:size])
		body = body[size:]
	}
	return nil
}

// fits says whether body is attributes in the vendor's format, and at least one.
func (v *vendor) fits(body []byte) bool {
	if len(body) == 0 {
		return false
	}
	for len(body) > 0 {
		if len(body) < v.typeSize+v.lengthSize {
			return false
		}
		_, size := v.next(body)
		if size < v.typeSize+v.lengthSize || size > len(body) {
			return false
		}
		body = body[size:]
	}
	return true
}

// next returns the number and the size, header included, of the attribute that
// body begins with; body holds at least a header.
func (v *vendor) next(body []byte) (number uint32, size int) {
	for _, b := range body[:v.typeSize] {
		number = number<<8 | uint32(b)
	}
	if v.lengthSize == 0 {
		return number, len(body)
	}
	for _, b := range body[v.typeSize : v.typeSize+v.lengthSize] {
		size = size<<8 | int(b)
	}
	return number, size
}

// attribute returns the attribute of that number, made up where it is unknown.
func (d *Dictionary) attribute(vendor, number uint32) *Attribute {
	if a, ok := d.byNumber[key(vendor, number)]; ok {
		return a
	}
	name := fmt.Sprintf("Attr-%d", number)
	if vendor != 0 {
		name = fmt.Sprintf("Vendor-%d-Attr-%d", vendor, number)
	}
	return &Attribute{Name: name, Vendor: vendor, Number: number, Type: Octets}
}
