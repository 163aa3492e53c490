package nexudus

import (
	"fmt"
	"strconv"
	"strings"
)

// A field is where a login or a password stands in a coworker.
type field uint8

// Fields from fieldCustom on are custom fields: fieldCustom+1 is Custom1.
const (
	fieldNone field = iota
	fieldEmail
	fieldID
	fieldPincode
	fieldCustom
)

// of returns what stands there.
func (f field) of(r *coworkerRow) string {
	switch f {
	case fieldNone:
		return ""
	case fieldEmail:
		return strings.TrimSpace(string(r.Email))
	case fieldID:
		return string(r.ID)
	case fieldPincode:
		return strings.TrimSpace(string(r.AccessPincode))
	}
	return strings.TrimSpace(string(r.custom(int(f - fieldCustom))))
}

// customField reads "custom1" to "custom30".
func customField(text string) (field, error) {
	digits, ok := strings.CutPrefix(text, "custom")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 1 || n > customs || strconv.Itoa(n) != digits {
		return fieldNone, fmt.Errorf("%q is not known; a custom field is written custom1 to custom%d", text, customs)
	}
	return fieldCustom + field(n), nil
}

// name returns how Nexudus spells the field: Email, Custom1.
func (f field) name() string {
	switch f {
	case fieldNone:
		return ""
	case fieldEmail:
		return "Email"
	case fieldID:
		return "Id"
	case fieldPincode:
		return "AccessPincode"
	}
	return "Custom" + strconv.Itoa(int(f-fieldCustom))
}
