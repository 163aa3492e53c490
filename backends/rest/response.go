package rest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"memberradius/member"
)

// maxAttributes is far more than a RADIUS packet holds.
const maxAttributes = 256

var (
	errJSON       = errors.New("the body is not valid JSON")
	errObject     = errors.New("the body is not a JSON object")
	errAttributes = fmt.Errorf(`attributes must be a list of up to %d objects, each with a name, a value and an op (":=", "=", "+=" or none)`, maxAttributes)
)

// decode reads a body, which must be an object. Of what encoding/json says of a
// fault only the field's name gets out: the rest is about Go, and may quote a value.
func decode(body []byte, to any) error {
	var wrong *json.UnmarshalTypeError
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case !utf8.Valid(body): // where encoding/json would read U+FFFD
		return errJSON
	case len(trimmed) == 0 || trimmed[0] != '{': // it would take null
		return errObject
	}
	err := json.Unmarshal(body, to)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		return fmt.Errorf("%s is of another type than the contract says", wrong.Field)
	default:
		return errJSON
	}
}

// A reply is the body of a 2xx, as the contract has it. All of it may be left
// out or null.
type reply struct {
	ReturnURL    string  `json:"return_url"`
	ValidFrom    *string `json:"valid_from"`
	ValidUntil   *string `json:"valid_until"`
	NTKey        any     `json:"nt_key"` // only MS-CHAP needs it, and says there what it must be
	ID           word    `json:"id"`
	MembershipID word    `json:"membership_id"`
	Membership   struct {
		Name string `json:"name"`
		ID   word   `json:"id"`
	} `json:"membership"`
	Attributes []struct {
		Name  string `json:"name"`
		Value *word  `json:"value"`
		Op    string `json:"op"`
	} `json:"attributes"`
	Errors []string `json:"errors"` // which a success can't have

	// What the above comes to.
	validFrom, validUntil time.Time
	attributes            []member.Attribute
}

// A word is a string, or a number as it is written.
type word string

// UnmarshalJSON implements json.Unmarshaler.
func (w *word) UnmarshalJSON(b []byte) error {
	if b[0] == '-' || '0' <= b[0] && b[0] <= '9' {
		*w = word(b)
		return nil
	}
	return json.Unmarshal(b, (*string)(w))
}

// decodeReply reads the body of a 2xx. Dates without a zone are in zone. What
// the contract does not know is ignored; what it knows must have its type,
// since a body with a wrong one comes from another program than the one that
// was set up.
func decodeReply(body []byte, zone *time.Location) (r reply, err error) {
	if err = decode(body, &r); err != nil {
		return r, err
	}
	if r.validFrom, err = parseDate("valid_from", r.ValidFrom, zone); err != nil {
		return r, err
	}
	if r.validUntil, err = parseDate("valid_until", r.ValidUntil, zone); err != nil {
		return r, err
	}
	for _, a := range r.Attributes {
		op, ok := member.ParseOp(a.Op)
		if !ok || a.Name == "" || a.Value == nil || len(r.attributes) == maxAttributes {
			return r, errAttributes
		}
		r.attributes = append(r.attributes, member.Attribute{Name: a.Name, Value: string(*a.Value), Op: op})
	}
	return r, nil
}

// decodeErrors reads the body of a 4xx and returns the first error that is not
// empty, and whether there is a list of them at all.
func decodeErrors(body []byte) (first string, listed bool, err error) {
	var r struct {
		Errors []string `json:"errors"`
	}
	err = decode(body, &r)
	for _, s := range r.Errors {
		if first == "" {
			first = s
		}
	}
	return first, r.Errors != nil, err
}

// parseDate reads a date; nil is none. The forms are those of the contract's
// two samples, and RFC 3339, which is what most systems write by themselves.
func parseDate(field string, s *string, zone *time.Location) (time.Time, error) {
	if s == nil {
		return time.Time{}, nil
	}
	for _, form := range [...]string{"2006/01/02 15:04:05 -0700", time.RFC3339, "2006-01-02T15:04:05"} {
		if at, err := time.ParseInLocation(form, *s, zone); err == nil && !at.IsZero() {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf(`%s must be a date as "2017/01/10 01:59:59 +0000", "2017-01-10T01:59:59Z" or "2017-01-10T01:59:59"`, field)
}

var errNTKey = errors.New("nt_key must be 32 hexadecimal digits: MD4 of the NT hash")

// parseNTKey reads what ntlm_auth prints: perhaps "NT_KEY: ", then 32
// hexadecimal digits of either case. The NT_KEY is MD4 of the NT hash, not the
// NT hash itself.
func parseNTKey(s string) (*member.Hash, error) {
	if rest, ok := strings.CutPrefix(s, "NT_KEY:"); ok {
		s = strings.TrimLeft(rest, " ")
	}
	var key member.Hash
	if len(s) != 2*len(key) {
		return nil, errNTKey
	}
	if _, err := hex.Decode(key[:], []byte(s)); err != nil {
		return nil, errNTKey // the cause would quote a digit of it
	}
	return &key, nil
}
