package nexudus

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// What Nexudus sends is read with patience: fields that are unknown are
// ignored, those that are missing or null are empty, numbers may come as text
// and text as numbers. What decides about access and can't be read is an error,
// and never a guess.

var (
	errWord   = errors.New("text or a number is needed")
	errFlag   = errors.New("true or false is needed")
	errMoment = errors.New(`a date as "2026-01-31T15:13:58Z" is needed`)
	errIDs    = errors.New("a list of ids is needed")
)

// A word is text, or a number or a truth as it is written; null is empty.
type word string

// UnmarshalJSON implements json.Unmarshaler.
func (w *word) UnmarshalJSON(b []byte) error {
	switch {
	case b[0] == '"' && bytes.IndexByte(b, '\\') < 0:
		*w = word(b[1 : len(b)-1])
		return nil
	case b[0] == '"':
		return json.Unmarshal(b, (*string)(w))
	case b[0] == 'n':
		*w = ""
		return nil
	case b[0] == '{' || b[0] == '[':
		return errWord
	}
	*w = word(b)
	return nil
}

// A flag is a truth that may not have been said.
type flag uint8

const (
	unsaid flag = iota
	yes
	no
)

// UnmarshalJSON implements json.Unmarshaler.
func (f *flag) UnmarshalJSON(b []byte) error {
	switch strings.ToLower(strings.Trim(string(b), `"`)) {
	case "true", "1":
		*f = yes
	case "false", "0":
		*f = no
	case "null", "":
		*f = unsaid
	default:
		return errFlag
	}
	return nil
}

// A moment is a point in time. One without a zone is UTC, as Nexudus' samples
// are; its "...Local" twins are not read.
type moment struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (m *moment) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	*m = moment{}
	if text == "" || text == "null" {
		return nil
	}
	for _, form := range [...]string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if at, err := time.Parse(form, text); err == nil { // fractions of a second are taken after any of them
			if at.Year() > 1 { // .NET's DateTime.MinValue stands for none
				m.Time = at.UTC()
			}
			return nil
		}
	}
	return errMoment
}

// ids are references: a list of numbers, of texts or of objects with an Id, or
// one text with commas.
type ids struct {
	said bool
	list []word
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *ids) UnmarshalJSON(b []byte) error {
	*l = ids{}
	if b[0] == 'n' {
		return nil
	}
	l.said = true
	if b[0] != '[' {
		var w word
		if err := w.UnmarshalJSON(b); err != nil {
			return errIDs
		}
		for part := range strings.SplitSeq(strings.Trim(string(w), "[] "), ",") {
			if part = strings.TrimSpace(part); part != "" {
				l.list = append(l.list, word(part))
			}
		}
		return nil
	}
	var items []ref
	if err := json.Unmarshal(b, &items); err != nil {
		return errIDs
	}
	for _, item := range items {
		if item.id != "" {
			l.list = append(l.list, item.id)
		}
	}
	return nil
}

// A ref is one reference: an id, or an object that has one.
type ref struct{ id word }

// UnmarshalJSON implements json.Unmarshaler.
func (r *ref) UnmarshalJSON(b []byte) error {
	if b[0] != '{' {
		return r.id.UnmarshalJSON(b)
	}
	var o struct{ ID word }
	err := json.Unmarshal(b, &o)
	r.id = o.ID
	return err
}

// An envelope is one page of a list.
type envelope[R any] struct {
	Records       *[]R
	CurrentPage   *int
	TotalItems    *int
	TotalPages    *int
	HasNextPage   flag
	WasSuccessful flag
}

// A result is what a command answers, often with status 200 when it failed.
type result struct {
	WasSuccessful flag
	Value         json.RawMessage
}

// A coworkerRow is a customer. Custom fields stand in it by number.
type coworkerRow struct {
	ID                           word
	FullName, Email              word
	Active, Archived             flag
	IsDefaultProfile             flag
	AccessPincode                word
	UpdatedOn                    moment
	Custom1, Custom2, Custom3    word
	Custom4, Custom5, Custom6    word
	Custom7, Custom8, Custom9    word
	Custom10, Custom11, Custom12 word
	Custom13, Custom14, Custom15 word
	Custom16, Custom17, Custom18 word
	Custom19, Custom20, Custom21 word
	Custom22, Custom23, Custom24 word
	Custom25, Custom26, Custom27 word
	Custom28, Custom29, Custom30 word
}

// customs is how many custom fields a coworker has.
const customs = 30

// custom returns a custom field, from 1.
func (r *coworkerRow) custom(n int) word {
	return [customs]word{
		r.Custom1, r.Custom2, r.Custom3, r.Custom4, r.Custom5, r.Custom6, r.Custom7, r.Custom8, r.Custom9, r.Custom10,
		r.Custom11, r.Custom12, r.Custom13, r.Custom14, r.Custom15, r.Custom16, r.Custom17, r.Custom18, r.Custom19, r.Custom20,
		r.Custom21, r.Custom22, r.Custom23, r.Custom24, r.Custom25, r.Custom26, r.Custom27, r.Custom28, r.Custom29, r.Custom30,
	}[n-1]
}

func (r *coworkerRow) id() word { return r.ID }

// A contractRow ties a coworker to a plan, which Nexudus calls a tariff.
type contractRow struct {
	ID, CoworkerID, TariffName           word
	Active, Cancelled, MainContract      flag
	StartDate, CancellationDate, EndDate moment
	CreatedOn, UpdatedOn                 moment
	Desks, FloorPlanDeskIDs              ids
}

func (r *contractRow) id() word { return r.ID }

// A teamRow is a team; its VLAN is Nexudus' "VLAN Identifier".
type teamRow struct {
	ID, Name                 word
	TunnelPrivateGroupID     word
	TeamMembers, CoworkerIDs ids
}

func (r *teamRow) id() word { return r.ID }

// A deskRow is a desk or an office on the floor plan.
type deskRow struct {
	ID, Name, TunnelPrivateGroupID word
	CoworkerID                     word
	CoworkerContractIDs            ids
}

func (r *deskRow) id() word { return r.ID }

// A checkinRow says who was or is in. Without ToTime it is open.
type checkinRow struct {
	ID, CoworkerID   word
	FromTime, ToTime moment
}

func (r *checkinRow) id() word { return r.ID }

// A businessRow is a location.
type businessRow struct{ ID, Name, WebAddress word }

func (r *businessRow) id() word { return r.ID }

// A hookRow is a webhook as Nexudus keeps it.
type hookRow struct {
	ID, BusinessID, Name word
	Action               word
	URL                  word
	Active               flag
	ErrorCount           word
	LastError            word
}

func (r *hookRow) id() word { return r.ID }
