package webhook

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"memberradius/member"
)

const (
	// maxPassword is what User-Password holds (RFC 2865 §5.2).
	maxPassword = 128
	// maxDevices is far more than one member can carry.
	maxDevices = 10000
	// planSeparator stands between the plans of a member where they are kept.
	planSeparator = ";"
)

// recordFields are those of a member.
var recordFields = [...]string{
	"login", "id", "membership_id", "name", "email", "plan", "plans", "team", "vlan", "office_vlan", "team_vlan",
	"valid_from", "valid_until", "devices", "disabled", "password", "nt_hash", "password_hash",
}

// record reads a member. It is all of her: what is left out she does not have.
// Of one who has ended only the keys are read.
func (d *decoder) record(raw json.RawMessage, ended bool) (member.Record, error) {
	var r member.Record
	o, err := readObject(raw, recordFields[:])
	if err != nil {
		return r, err
	}
	m := &r.Member
	m.Backend = d.backend
	m.Login, m.ID = o.login(), o.word("id")
	if ended {
		r.Gone = true
		if m.Login == "" && m.ID == "" {
			o.wrong("login", "is missing, and id as well; write who has ended")
		}
		return r, o.err
	}
	if m.Login == "" {
		o.wrong("login", `is missing; write "login": "bob@example.com"`)
	}
	m.MembershipID = o.word("membership_id")
	m.Name, m.Team = o.text("name"), o.text("team")
	r.Email = o.email(m.Login)
	m.Plans = o.plans()
	m.VLAN, m.OfficeVLAN, m.TeamVLAN = o.vlan("vlan"), o.vlan("office_vlan"), o.vlan("team_vlan")
	// Whole seconds, as they are kept: else each push would change her.
	m.ValidFrom, m.ValidUntil = o.when("valid_from").Truncate(time.Second), o.when("valid_until").Truncate(time.Second)
	if !m.ValidUntil.IsZero() && !m.ValidUntil.After(m.ValidFrom) {
		o.wrong("valid_until", "is not after valid_from, so that she could never come in; correct one of the two")
	}
	m.Devices = o.number("devices", maxDevices)
	m.Disabled = o.flag("disabled")
	r.Credential = d.credential(o)
	if o.err != nil && m.Login != "" {
		return r, fmt.Errorf("member %.80q: %w", m.Login, o.err)
	}
	return r, o.err
}

// login returns the login, empty where there is none.
func (o *object) login() string {
	s := o.word("login")
	switch err := checkVisible(s); {
	case o.err != nil:
		return ""
	case s == "" && o.has("login"):
		o.wrong("login", "is empty; who is it?")
	case len(s) > member.MaxLogin:
		o.wrong("login", "has %d octets; a User-Name holds %d (RFC 2865 §5.1)", len(s), member.MaxLogin)
	case err != nil:
		o.wrong("login", "%w", err)
	}
	return s
}

// email returns where she is written to: the login, where that is an address
// and nothing else is said.
func (o *object) email(login string) string {
	s := o.text("email")
	if s == "" {
		if _, said := o.fields["email"]; said || !address(login) {
			return "" // null says that there is none
		}
		return login
	}
	if !address(s) {
		o.wrong("email", "is no mail address; write it as bob@example.com, without a name")
	}
	return s
}

// address says whether s is a bare mail address.
func address(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s
}

// plans reads plan or plans.
func (o *object) plans() []string {
	var names []string
	switch {
	case o.has("plan") && o.has("plans"):
		o.wrong("plans", "stands beside plan; write one of the two")
	case o.has("plan"):
		names = []string{o.text("plan")}
	case o.has("plans"):
		if json.Unmarshal(o.fields["plans"], &names) != nil {
			o.wrong("plans", `must be a list of names: ["Hot Desk", "Office"]`)
		}
	}
	for i, name := range names {
		names[i] = strings.TrimSpace(name)
		switch {
		case names[i] == "":
			o.wrong("plan", "%w", errEmptyText)
		case strings.Contains(name, planSeparator):
			o.wrong("plan", "can't hold %q; write several as a list in plans", planSeparator)
		}
	}
	if err := checkText(strings.Join(names, planSeparator)); err != nil {
		o.wrong("plan", "%w", err)
	}
	return names
}

func (o *object) vlan(name string) member.VLAN {
	s := o.word(name)
	if !o.has(name) {
		return ""
	}
	v, err := member.ParseVLAN(s)
	if err != nil {
		o.wrong(name, "%w", err)
	}
	return v
}

var credentialFields = [...]string{"password", "nt_hash", "password_hash"}

// credential reads what her proof is checked against.
func (d *decoder) credential(o *object) (c member.Credential) {
	var have []string
	for _, name := range credentialFields {
		if o.has(name) {
			have = append(have, name)
		}
	}
	switch {
	case !d.given && len(have) > 0:
		o.wrong(have[0], `is not taken, since her password is made here; leave it out, or write secret = "given" into the [[backend]]`)
		return c
	case !d.given:
		return c
	case len(have) != 1:
		o.wrong("password", "is needed, or nt_hash, or password_hash: one of them in every push, which is all of her")
		return c
	}
	s := o.raw(have[0])
	if o.err != nil {
		return c
	}
	switch have[0] {
	case "password":
		if err := checkPassword(s); err != nil {
			o.wrong("password", "%w", err)
			return c
		}
		c.Password = member.Secret(s)
		if d.ntHash != nil {
			hash := d.ntHash(s)
			c.NTHash = &hash
		}
	case "nt_hash":
		var hash member.Hash
		if len(s) != 2*len(hash) || !hexadecimal(hash[:], s) {
			o.wrong("nt_hash", "must be 32 hexadecimal digits, as memberradius hash prints them")
			return c
		}
		c.NTHash = &hash
	default:
		if _, err := member.ParseArgon2id(member.Secret(s)); err != nil {
			o.wrong("password_hash", "%w; make it with: memberradius hash --method argon2id", err)
			return c
		}
		c.Argon2id = member.Secret(s)
	}
	return c
}

func hexadecimal(to []byte, s string) bool {
	_, err := hex.Decode(to, []byte(s))
	return err == nil
}

// checkPassword takes what a User-Password can bring. No error quotes it.
func checkPassword(s string) error {
	switch {
	case s == "":
		return errors.New("is empty; nothing may be proved by it")
	case len(s) > maxPassword:
		return fmt.Errorf("has %d octets; a User-Password holds %d (RFC 2865 §5.2)", len(s), maxPassword)
	case strings.ContainsAny(s, "\x00\r\n"):
		// User-Password is padded with NUL (RFC 2865 §5.2), so one at the end is lost.
		return errors.New("holds a line break or NUL; remove it")
	case strings.ContainsRune(s, utf8.RuneError):
		return errors.New("holds a character that is none; write it in UTF-8")
	}
	return nil
}
