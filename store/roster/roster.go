// Package roster reads and writes the members of a store as CSV, the form in
// which clubs and spreadsheets hand them around.
//
// The first line names the columns, in any order: login, password, nt_hash,
// password_hash, name, plan, team, vlan, valid_from, valid_until, devices,
// disabled. Only login must be there. What a file has no column for stays as it
// is stored; an empty field clears what is stored, except that without any of
// the three secrets the credential stays.
//
// It does not own any file, any database and any hash function.
package roster

import (
	"memberradius/store"
)

// Columns are the names of all columns, in the order in which they are written.
func Columns() []string {
	names := make([]string, len(columns))
	for i := range columns {
		names[i] = columns[i].name
	}
	return names
}

// A column is one that the header can name.
type column struct {
	name  string
	field store.Fields
	// secret columns are written only where that is asked for, and never guarded.
	secret bool
}

var columns = [...]column{
	{"login", store.FieldLogin, false},
	{"password", store.FieldCredential, true},
	{"nt_hash", store.FieldCredential, true},
	{"password_hash", store.FieldCredential, true},
	{"name", store.FieldName, false},
	{"plan", store.FieldPlans, false},
	{"team", store.FieldTeam, false},
	{"vlan", store.FieldVLAN, false},
	{"valid_from", store.FieldValidFrom, false},
	{"valid_until", store.FieldValidUntil, false},
	{"devices", store.FieldDevices, false},
	{"disabled", store.FieldDisabled, false},
}

// Spreadsheets take a field that begins with one of these for a formula, and a
// member may have chosen her own name: "=cmd|..." would run on the desk of
// whoever opens the export. An apostrophe in front makes it text.
const formulaStart = "=+-@\t\r"

// guard puts an apostrophe before what a spreadsheet would run. Apostrophes
// that stand there already get one more, so that unguard finds its way back.
func guard(s string) string {
	if startsFormula(s) {
		return "'" + s
	}
	return s
}

// unguard takes back what guard did.
func unguard(s string) string {
	if s != "" && s[0] == '\'' && startsFormula(s[1:]) {
		return s[1:]
	}
	return s
}

// startsFormula says whether s begins with a formula's character, behind
// apostrophes or not.
func startsFormula(s string) bool {
	for i := range len(s) {
		if s[i] == '\'' {
			continue
		}
		for j := range len(formulaStart) {
			if s[i] == formulaStart[j] {
				return true
			}
		}
		return false
	}
	return false
}
