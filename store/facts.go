package store

import (
	"crypto/subtle"
	"database/sql"
	"fmt"
	"strings"

	"memberradius/member"
)

// apply writes the fields that e sets into r, and says whether that changed anything.
func (r *row) apply(e *Edit) bool {
	before, m := r.facts, &e.Record.Member
	for _, f := range [...]struct {
		field Fields
		to    *string
		from  string
	}{
		{FieldLogin, &r.login, m.Login},
		{FieldName, &r.name, m.Name},
		{FieldPlans, &r.plans, strings.Join(m.Plans, planSeparator)},
		{FieldTeam, &r.team, m.Team},
		{FieldVLAN, &r.vlan, string(m.VLAN)},
		{FieldID, &r.ref, m.ID},
		{FieldMembership, &r.membership, m.MembershipID},
		{FieldEmail, &r.email, e.Record.Email},
		{FieldOfficeVLAN, &r.officeVLAN, string(m.OfficeVLAN)},
		{FieldTeamVLAN, &r.teamVLAN, string(m.TeamVLAN)},
	} {
		if e.Fields&f.field != 0 {
			*f.to = f.from
		}
	}
	for _, f := range [...]struct {
		field Fields
		to    *sql.NullInt64
		from  sql.NullInt64
	}{
		{FieldValidFrom, &r.from, seconds(m.ValidFrom)},
		{FieldValidUntil, &r.until, seconds(m.ValidUntil)},
		{FieldLapsed, &r.lapsed, seconds(e.Lapsed)},
	} {
		if e.Fields&f.field != 0 {
			*f.to = f.from
		}
	}
	if e.Fields&FieldDevices != 0 {
		r.devices = m.Devices
	}
	if e.Fields&FieldDisabled != 0 {
		r.disabled = m.Disabled
	}
	if e.Fields&FieldCheckedOut != 0 {
		r.checkedOut = m.CheckedOut
	}
	r.applyTerms(e, before.plans)
	return r.facts != before
}

// applyTerms sets the terms. Those of other plans than the member has now say nothing.
func (r *row) applyTerms(e *Edit, plans string) {
	switch {
	case e.Fields&FieldTerms != 0:
		r.termsOf = joinTerms(e.Record.Member.Terms)
	case r.plans != plans:
		r.termsOf = ""
	}
}

// check says what is wrong with the row as a whole.
func (r *row) check() error {
	if r.from.Valid && r.until.Valid && r.until.Int64 <= r.from.Int64 {
		return fmt.Errorf("member %q: valid_until is not after valid_from, so she would never be let in", r.login)
	}
	if r.termsOf == "" {
		return nil
	}
	terms, plans := 1+strings.Count(r.termsOf, planSeparator), len(splitPlans(r.plans))
	if terms != plans {
		return fmt.Errorf("member %q: %d terms for %d plans: each plan needs one, or none has one", r.login, terms, plans)
	}
	return nil
}

// columns are the values of the statements that add and change a member.
func (r *row) columns() []any {
	return append(make([]any, 0, 24), r.login, r.name, r.plans, r.team, r.vlan, r.from, r.until, r.devices, smallint(r.disabled),
		r.ref, r.membership, r.email, r.officeVLAN, r.teamVLAN, r.termsOf, smallint(r.checkedOut), r.lapsed)
}

// sameCredential says whether r holds c already. What does not open is not the same.
func (r *row) sameCredential(s *sealer, c *member.Credential) bool {
	var have member.Credential
	if _, err := r.open(s, &have, new(member.Hash), nil); err != nil {
		return false
	}
	if (have.NTHash == nil) != (c.NTHash == nil) {
		return false
	}
	if have.NTHash != nil && subtle.ConstantTimeCompare(have.NTHash[:], c.NTHash[:]) == 0 {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(have.Password), []byte(c.Password)) == 1 &&
		subtle.ConstantTimeCompare([]byte(have.Argon2id), []byte(c.Argon2id)) == 1
}

// seal puts the credential into r, sealed.
func (r *row) seal(s *sealer, c *member.Credential) error {
	var nt []byte
	if c.NTHash != nil {
		nt = c.NTHash[:]
	}
	for _, v := range [...]struct {
		to     *sql.RawBytes
		column string
		value  []byte
	}{{&r.password, "password", []byte(c.Password)}, {&r.ntHash, "nt_hash", nt}, {&r.argon2id, "argon2id", []byte(c.Argon2id)}} {
		*v.to = nil
		if len(v.value) == 0 {
			continue
		}
		at := r.place(v.column)
		sealed, err := s.seal(v.value, &at)
		if err != nil {
			return err
		}
		*v.to = sealed
	}
	return nil
}
