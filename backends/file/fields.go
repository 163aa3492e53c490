package file

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"memberradius/member"
)

const (
	// maxPassword is what User-Password holds (RFC 2865 §5.2).
	maxPassword = 128
	// maxDevices is far more than one member can carry.
	maxDevices = 1000
)

// keys are what a [[member]] may have.
var keys = [...]string{
	"login", "password", "nt_hash", "password_hash", "name", "plan", "team", "vlan",
	"valid_from", "valid_until", "devices", "disabled",
}

// A reader reads one [[member]]. The first fault of a key is said, and the
// rest of the table is read all the same.
type reader struct {
	*decoder
	at     place
	table  map[string]any
	failed bool
}

func (t *reader) wrong(key, format string, args ...any) {
	t.failed = true
	t.fault(t.at.line(key), key, fmt.Sprintf(format, args...))
}

func (t *reader) record() *member.Record {
	r := &member.Record{}
	m := &r.Member
	m.Backend = t.backend
	m.Login = t.login()
	m.Name, _ = t.text("name")
	m.Team, _ = t.text("team")
	m.Plans = t.plans()
	m.VLAN = t.vlan()
	m.ValidFrom, m.ValidUntil = t.time("valid_from"), t.time("valid_until")
	if !m.ValidFrom.IsZero() && !m.ValidUntil.IsZero() && !m.ValidFrom.Before(m.ValidUntil) {
		t.wrong("valid_until", "is not after valid_from, so that she could never come in; correct one of the two")
	}
	m.Devices = t.devices()
	if v, ok := t.table["disabled"]; ok {
		if m.Disabled, ok = v.(bool); !ok {
			t.wrong("disabled", "must be true or false, without quotes")
		}
	}
	r.Credential = t.credential()
	return r
}

func (t *reader) login() string {
	if _, ok := t.table["login"]; !ok {
		t.wrong("login", `is missing; write login = "bob@example.com"`)
		return ""
	}
	login, ok := t.text("login")
	switch {
	case !ok:
	case login == "":
		t.wrong("login", `is empty; write login = "bob@example.com"`)
	case len(login) > member.MaxLogin:
		t.wrong("login", "has %d octets; a User-Name holds %d (RFC 2865 §5.1)", len(login), member.MaxLogin)
	}
	return login
}

// text returns the text of key, empty where there is none.
func (t *reader) text(key string) (s string, ok bool) {
	v, ok := t.table[key]
	if !ok {
		return "", true
	}
	if s, ok = v.(string); !ok {
		t.wrong(key, "must be text in double quotes")
	}
	return s, ok
}

func (t *reader) plans() []string {
	const need = `must be a plan's name or a list of names: plan = "hot-desk" or plan = ["hot-desk", "office"]`
	switch v := t.table["plan"].(type) {
	case nil:
		return nil
	case string:
		if v != "" {
			return []string{v}
		}
	case []any:
		var names []string
		for _, e := range v {
			if s, ok := e.(string); ok && s != "" {
				names = append(names, s)
			}
		}
		if len(names) == len(v) {
			return names
		}
	}
	t.wrong("plan", need)
	return nil
}

func (t *reader) vlan() member.VLAN {
	var s string
	switch v := t.table["vlan"].(type) {
	case nil:
		return ""
	case int64:
		s = strconv.FormatInt(v, 10)
	case string:
		s = v
	default:
		t.wrong("vlan", "must be a number from 1 to 4094 or the name of a VLAN in double quotes")
		return ""
	}
	vlan, err := member.ParseVLAN(s)
	if err != nil {
		t.wrong("vlan", "%v", err)
	}
	return vlan
}

// time returns the moment of key. TOML also has times without an offset, which
// would mean another moment on a server in another zone.
func (t *reader) time(key string) time.Time {
	v, ok := t.table[key]
	if !ok {
		return time.Time{}
	}
	at, ok := v.(time.Time)
	if !ok || strings.HasSuffix(at.Location().String(), "-local") {
		t.wrong(key, "must be a date, a time and an offset without quotes, as 2026-01-01T00:00:00Z or 2026-01-01T00:00:00+01:00")
		return time.Time{}
	}
	return at
}

func (t *reader) devices() int {
	v, ok := t.table["devices"]
	if !ok {
		return 0
	}
	n, ok := v.(int64)
	if !ok || n < 0 || n > maxDevices {
		t.wrong("devices", "must be a number from 0 (what the plan says) to %d, without quotes", maxDevices)
		return 0
	}
	return int(n)
}

// credential returns what her proof is checked against. None at all is allowed:
// some prove themselves by a certificate.
func (t *reader) credential() (c member.Credential) {
	var have []string
	for _, key := range [...]string{"password", "nt_hash", "password_hash"} {
		if _, ok := t.table[key]; ok {
			have = append(have, key)
		}
	}
	if len(have) == 0 {
		return c
	}
	key := have[0]
	if len(have) > 1 {
		t.wrong(have[1], "stands beside %s; a member has at most one of password, nt_hash and password_hash, so that it is clear which one holds", key)
		return c
	}
	s, ok := t.text(key)
	switch {
	case !ok:
	case s == "":
		t.wrong(key, "is empty; leave the line out for a member without a password")
	case key == "password" && len(s) > maxPassword:
		t.wrong(key, "has %d octets; a User-Password holds %d (RFC 2865 §5.2)", len(s), maxPassword)
	case key == "password":
		c.Password = member.Secret(s)
	case key == "nt_hash":
		var hash member.Hash
		if n, err := hex.Decode(hash[:], []byte(s[:min(len(s), 2*len(hash))])); err != nil || len(s) != 2*len(hash) || n != len(hash) {
			t.wrong(key, "must be 32 hexadecimal digits, as `memberradius hash` prints them")
			break
		}
		c.NTHash = &hash
	default:
		if _, err := member.ParseArgon2id(member.Secret(s)); err != nil {
			t.wrong(key, "%v; make it with `memberradius hash`", err)
			break
		}
		c.Argon2id = member.Secret(s)
	}
	return c
}

// leftovers says which keys nobody reads.
func (t *reader) leftovers() {
	for _, key := range slices.Sorted(maps.Keys(t.table)) {
		if !slices.Contains(keys[:], key) {
			t.wrong(key, "is not known here; a member may have %s", strings.Join(keys[:], ", "))
		}
	}
}
