package rest

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"memberradius/member"
)

// maxAttributes is far more than a RADIUS packet holds.
const maxAttributes = 256

// A reply is the body of a 2xx, as the contract has it.
type reply struct {
	returnURL             string
	validFrom, validUntil time.Time
	ntKey                 string
	id, membershipID      string
	memberName, memberID  string // of membership
	attributes            []member.Attribute
	refused               bool // errors stood in it
}

var (
	errTrailing = errors.New("something follows the JSON object")
	errObject   = errors.New("the body is not a JSON object")
)

// decodeReply reads a body. Dates without a zone are in zone. What the contract
// does not know is ignored; what it knows must have its type, since a body with
// a wrong one comes from another program than the one that was set up.
func decodeReply(body []byte, zone *time.Location) (reply, error) {
	d := &replyDecoder{parser: parser{b: body}, zone: zone}
	if d.space() != '{' {
		return reply{}, errObject
	}
	if err := d.object(d.field); err != nil {
		return reply{}, err
	}
	if !d.end() {
		return reply{}, errTrailing
	}
	return d.reply, nil
}

type replyDecoder struct {
	parser
	reply
	zone *time.Location
	seen uint
}

// fields are those of a reply, in the order of their bits in seen.
var fields = [...]string{
	"return_url", "valid_from", "valid_until", "nt_key", "id", "membership_id", "membership", "attributes", "errors",
}

// once refuses a field that comes twice: which of the two holds, each reader
// would decide for itself.
func (d *replyDecoder) once(key []byte) error {
	for i, f := range fields {
		if string(key) == f {
			if d.seen&(1<<i) != 0 {
				return fmt.Errorf("%s comes twice", f)
			}
			d.seen |= 1 << i
		}
	}
	return nil
}

func (d *replyDecoder) field(key []byte) error {
	err := d.once(key)
	if err != nil {
		return err
	}
	switch string(key) {
	case "return_url":
		d.returnURL, err = d.textField("return_url")
	case "valid_from":
		d.validFrom, err = d.date("valid_from")
	case "valid_until":
		d.validUntil, err = d.date("valid_until")
	case "nt_key":
		// Only MS-CHAP needs it, and what it must be is said where it is used.
		if d.space() != '"' {
			return d.skip(1)
		}
		d.ntKey, err = d.textField("nt_key")
	case "id":
		d.id, err = d.wordField("id")
	case "membership_id":
		d.membershipID, err = d.wordField("membership_id")
	case "membership":
		err = d.membership()
	case "attributes":
		err = d.attributeList()
	case "errors":
		err = d.errors()
	default:
		err = d.skip(1)
	}
	return err
}

func (d *replyDecoder) membership() error {
	if d.null() {
		return nil
	}
	if d.space() != '{' {
		return wrongType("membership", "an object")
	}
	return d.object(func(key []byte) (err error) {
		switch string(key) {
		case "name":
			d.memberName, err = d.textField("membership.name")
		case "id":
			d.memberID, err = d.wordField("membership.id")
		default:
			err = d.skip(2)
		}
		return err
	})
}

func (d *replyDecoder) attributeList() error {
	if d.null() {
		return nil
	}
	if d.space() != '[' {
		return wrongType("attributes", "a list")
	}
	return d.array(func() error {
		if len(d.attributes) == maxAttributes {
			return fmt.Errorf("attributes holds more than %d", maxAttributes)
		}
		a, err := d.attribute()
		d.attributes = append(d.attributes, a)
		return err
	})
}

func (d *replyDecoder) attribute() (a member.Attribute, err error) {
	if d.space() != '{' {
		return a, wrongType("attributes", "a list of objects")
	}
	var op string
	valued := false
	err = d.object(func(key []byte) (err error) {
		switch string(key) {
		case "name":
			a.Name, err = d.textField("attributes.name")
		case "value":
			valued = !d.null()
			if valued {
				a.Value, err = d.wordField("attributes.value")
			}
		case "op":
			op, err = d.textField("attributes.op")
		default:
			err = d.skip(3)
		}
		return err
	})
	if err != nil {
		return a, err
	}
	if a.Name == "" || !valued {
		return a, errors.New("attributes holds one without a name or a value")
	}
	var ok bool
	if a.Op, ok = member.ParseOp(op); !ok {
		return a, errors.New(`attributes.op must be ":=", "=" or "+="`)
	}
	return a, nil
}

// errors notes whether a body has errors. With a 2xx they contradict it.
func (d *replyDecoder) errors() error {
	_, n, err := d.errorList()
	d.refused = n > 0
	return err
}

// errorList reads a list of strings and returns the first that is not empty.
func (p *parser) errorList() (first string, n int, err error) {
	if p.null() {
		return "", 0, nil
	}
	if p.space() != '[' {
		return "", 0, wrongType("errors", "a list of strings")
	}
	err = p.array(func() error {
		if p.space() != '"' {
			return wrongType("errors", "a list of strings")
		}
		s, err := p.text()
		if n++; first == "" {
			first = string(s)
		}
		return err
	})
	return first, n, err
}

// decodeErrors reads the body of a 4xx and returns the first error, and whether
// there is a list of them at all.
func decodeErrors(body []byte) (first string, listed bool, err error) {
	p := &parser{b: body}
	if p.space() != '{' {
		return "", false, errObject
	}
	err = p.object(func(key []byte) error {
		if string(key) != "errors" {
			return p.skip(1)
		}
		if listed {
			return errors.New("errors comes twice")
		}
		listed = p.space() == '['
		var err error
		first, _, err = p.errorList()
		return err
	})
	if err == nil && !p.end() {
		err = errTrailing
	}
	return first, listed, err
}

// dates are the forms of the contract's two samples, and RFC 3339, which is
// what most systems write by themselves.
var dates = [...]string{"2006/01/02 15:04:05 -0700", time.RFC3339, "2006-01-02T15:04:05"}

// date reads a date or null, which is none.
func (d *replyDecoder) date(field string) (time.Time, error) {
	if d.null() {
		return time.Time{}, nil
	}
	need := wrongType(field, `a date as "2017/01/10 01:59:59 +0000", "2017-01-10T01:59:59Z" or "2017-01-10T01:59:59"`)
	if d.space() != '"' {
		return time.Time{}, need
	}
	s, err := d.text()
	if err != nil {
		return time.Time{}, err
	}
	for _, form := range dates {
		if at, err := time.ParseInLocation(form, string(s), d.zone); err == nil && !at.IsZero() {
			return at, nil
		}
	}
	return time.Time{}, need
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
