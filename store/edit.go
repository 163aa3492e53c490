package store

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"memberradius/member"
)

// ErrExists says that a login is taken already, in this or in another spelling
// that folds alike.
var ErrExists = errors.New("there is such a member already")

// Fields are parts of a record. They say which of them an Edit sets.
type Fields uint32

// The fields that can be set one by one.
const (
	// FieldLogin is the spelling of the login; by its folded form she is found.
	FieldLogin Fields = 1 << iota
	FieldName
	FieldPlans
	FieldTeam
	FieldVLAN
	FieldValidFrom
	FieldValidUntil
	FieldDevices
	FieldDisabled
	// FieldCredential replaces the whole credential.
	FieldCredential
	// FieldID and FieldMembership are Member.ID and Member.MembershipID.
	FieldID
	FieldMembership
	// FieldEmail is Record.Email.
	FieldEmail
	// FieldTerms are the terms of the plans. Plans that change without it have none.
	FieldTerms
	FieldOfficeVLAN
	FieldTeamVLAN
	FieldCheckedOut
	// FieldLapsed is Edit.Lapsed.
	FieldLapsed

	// AllFields are all of them.
	AllFields = FieldLapsed<<1 - 1
)

// MaxText is the longest name, plan list or team in octets.
const MaxText = 1024

// MaxDevices is the largest device limit that a member can have.
const MaxDevices = 10000

// An Edit is what shall hold of the member Record.Member.Login. Fields that it
// does not set stay as they are; for a new member they stay empty.
type Edit struct {
	Fields Fields
	Record member.Record
	// Lapsed is when her membership ended; zero: she is a member. One who has
	// lapsed is refused as expired, and kept with her credential, so that what is
	// set up on her devices works again when she comes back.
	Lapsed time.Time
}

// An Entry is a member as she is stored.
type Entry struct {
	member.Record
	// Lapsed is when her membership ended; zero: she is a member. The record's
	// ValidUntil is her own, whatever it says.
	Lapsed time.Time
	// Created and Updated are when she was added and last written.
	Created, Updated time.Time
}

// Imported is what an import did.
type Imported struct{ Added, Updated, Unchanged, Forgotten int }

// Check says what is wrong with a field of r that is to be stored, and what is
// needed instead. It never quotes a credential.
func Check(field Fields, r *member.Record) error {
	m := &r.Member
	switch field {
	case FieldLogin:
		return checkLogin(m.Login)
	case FieldName:
		return checkText(m.Name)
	case FieldTeam:
		return checkText(m.Team)
	case FieldPlans:
		return checkPlans(m.Plans)
	case FieldVLAN:
		return checkVLAN(m.VLAN)
	case FieldValidFrom:
		return checkTime(m.ValidFrom)
	case FieldValidUntil:
		if err := checkTime(m.ValidUntil); err != nil {
			return err
		}
		if !m.ValidFrom.IsZero() && !m.ValidUntil.IsZero() && !m.ValidUntil.After(m.ValidFrom) {
			return fmt.Errorf("it is not after valid_from (%s), so she would never be let in", m.ValidFrom.UTC().Format(time.RFC3339))
		}
	case FieldDevices:
		if m.Devices < 0 || m.Devices > MaxDevices {
			return fmt.Errorf("%d devices: a number from 0 (the plan decides) to %d is needed", m.Devices, MaxDevices)
		}
	case FieldCredential:
		return checkCredential(&r.Credential)
	default:
		return checkSynced(field, r)
	}
	return nil
}

// checkSynced is Check for what only member systems bring.
func checkSynced(field Fields, r *member.Record) error {
	switch field {
	case FieldID:
		return checkText(r.Member.ID)
	case FieldMembership:
		return checkText(r.Member.MembershipID)
	case FieldEmail:
		return checkText(r.Email)
	case FieldTerms:
		return checkTerms(r.Member.Terms)
	case FieldOfficeVLAN:
		return checkVLAN(r.Member.OfficeVLAN)
	case FieldTeamVLAN:
		return checkVLAN(r.Member.TeamVLAN)
	}
	return nil
}

// check checks every field that e sets.
func (e *Edit) check() error {
	if err := checkLogin(e.Record.Member.Login); err != nil {
		return fmt.Errorf("login: %w", err)
	}
	for f := FieldLogin; f < AllFields; f <<= 1 {
		if e.Fields&f == 0 {
			continue
		}
		if err := Check(f, &e.Record); err != nil {
			return fmt.Errorf("member %q: %s: %w", e.Record.Member.Login, f, err)
		}
	}
	if e.Fields&FieldLapsed != 0 {
		if err := checkTime(e.Lapsed); err != nil {
			return fmt.Errorf("member %q: %s: %w", e.Record.Member.Login, FieldLapsed, err)
		}
	}
	return nil
}

var fieldNames = [...]string{"login", "name", "plan", "team", "vlan", "valid_from", "valid_until", "devices", "disabled", "credential",
	"id", "membership", "email", "terms", "office_vlan", "team_vlan", "checked_out", "lapsed"}

// String returns the name of the first field of f, as a CSV file spells it
// where it has a column for it.
func (f Fields) String() string {
	for i, name := range fieldNames {
		if f&(1<<i) != 0 {
			return name
		}
	}
	return "none"
}

// checkLogin takes what a User-Name can hold and a person can tell apart from
// another: an invisible character, as spreadsheets and chats leave behind,
// would make a login that nobody can type.
func checkLogin(s string) error {
	switch {
	case s == "":
		return errors.New("it is empty: who is she?")
	case len(s) > member.MaxLogin:
		return fmt.Errorf("it has %d octets: a User-Name holds at most %d (RFC 2865 §5.1)", len(s), member.MaxLogin)
	}
	if err := checkText(s); err != nil {
		return err
	}
	for _, r := range s {
		if unicode.Is(unicode.Cf, r) {
			return fmt.Errorf("%q holds the invisible character %U: remove it", s, r)
		}
	}
	return nil
}

func checkText(s string) error {
	if len(s) > MaxText {
		return fmt.Errorf("it has %d octets: at most %d are taken", len(s), MaxText)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("%q is not UTF-8: save the file as UTF-8", s)
	}
	if strings.TrimSpace(s) != s {
		return fmt.Errorf("%q begins or ends with a space: remove it", s)
	}
	for _, r := range s {
		if unicode.IsControl(r) || turnsText(r) {
			return fmt.Errorf("%q holds the control character %U: remove it", s, r)
		}
	}
	return nil
}

// turnsText says whether r changes the direction of the text that follows, by
// which one name can be made to look like another. The marks that Arabic and
// Hebrew need are none of these.
func turnsText(r rune) bool { return '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069' }

// checkVLAN takes a VLAN as it is spelled once it is parsed, or none.
func checkVLAN(v member.VLAN) error {
	if v == "" {
		return nil
	}
	parsed, err := member.ParseVLAN(string(v))
	if err != nil {
		return err
	}
	if parsed != v || strings.TrimSpace(string(v)) != string(v) {
		return fmt.Errorf("VLAN %q: write it without spaces around it and without leading zeros", string(v))
	}
	return nil
}

// checkTime takes the years that a date in RFC 3339 can say and that no clock
// takes for "never".
func checkTime(t time.Time) error {
	if y := t.UTC().Year(); !t.IsZero() && (y < 1970 || y > 9999) {
		return fmt.Errorf("the year %d: one from 1970 to 9999 is needed", y)
	}
	return nil
}

func checkPlans(plans []string) error {
	for _, p := range plans {
		switch {
		case p == "" || strings.TrimSpace(p) != p:
			return fmt.Errorf("plan %q: a name without spaces around it is needed", p)
		case strings.Contains(p, planSeparator):
			return fmt.Errorf("plan %q: a plan's name can't hold %q, which stands between several", p, planSeparator)
		}
	}
	return checkText(strings.Join(plans, planSeparator))
}

// checkCredential takes one kind of proof: a password, with its NT hash or
// without, an NT hash alone, or an argon2id hash alone.
func checkCredential(c *member.Credential) error {
	switch {
	case c.Argon2id != "" && (c.Password != "" || c.NTHash != nil):
		return errors.New("it holds an argon2id hash and a password or NT hash: give one of them")
	case c.Argon2id != "":
		if _, err := member.ParseArgon2id(c.Argon2id); err != nil {
			return fmt.Errorf("argon2id hash: it %w; make one with \"memberradius hash --method argon2id\"", err)
		}
		return nil
	case c.Password != "" && !utf8.ValidString(string(c.Password)):
		return errors.New("the password is not UTF-8: save the file as UTF-8")
	case strings.ContainsAny(string(c.Password), "\x00\r\n"):
		// User-Password is padded with NUL (RFC 2865 §5.2), so one at the end is lost.
		return errors.New("the password holds a line break or NUL: remove it")
	case len(c.Password) > maxPassword:
		return fmt.Errorf("the password has %d octets: User-Password holds at most %d (RFC 2865 §5.2)", len(c.Password), maxPassword)
	}
	return nil
}

const maxPassword = 128
