package standin

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Coworker is a customer. Password is what she signs in with herself.
type Coworker struct {
	ID                        int
	Name, Email               string
	Password, Pincode         string
	Suspended, Archived, Main bool
	// Custom are her custom fields, by number.
	Custom           map[int]string
	Created, Updated time.Time
	// Gone says that she was deleted.
	Gone bool
}

// A Contract ties a coworker to a plan.
type Contract struct {
	ID, Coworker     int
	Plan             string
	Active, Main     bool
	Cancelled        bool
	Start, End       time.Time // End is the CancellationDate
	Desks            []int
	Created, Updated time.Time
	Gone             bool
}

// A Team has a VLAN and members.
type Team struct {
	ID, Business     int
	Name, VLAN       string
	Members          []int
	Created, Updated time.Time
	Gone             bool
}

// A Desk is a desk or an office, which may have a VLAN.
type Desk struct {
	ID, Coworker     int
	Name, VLAN       string
	Contracts        []int
	Created, Updated time.Time
	Gone             bool
}

// A Checkin is open until it has a To.
type Checkin struct {
	ID, Coworker     int
	From, To         time.Time
	Created, Updated time.Time
	Gone             bool
}

// A Hook is a webhook.
type Hook struct {
	ID, Business, Action int
	Name, URL            string
	Active               bool
	ErrorCount           int
	LastError            string
	Created, Updated     time.Time
	Gone                 bool
}

// A record is what all of them have in common for lists.
type record interface {
	stamps() stamps
	// is answers a filter; known is false for one that Nexudus ignores.
	is(f *filter) (match, known bool)
	// encode returns it as lists show it, or with the collections that only a single one has.
	encode(s *Server, whole bool) []byte
}

// stamps are a record's id and dates.
type stamps struct {
	id               int
	created, updated time.Time
	gone             bool
}

func (c *Coworker) stamps() stamps { return stamps{c.ID, c.Created, c.Updated, c.Gone} }
func (c *Contract) stamps() stamps { return stamps{c.ID, c.Created, c.Updated, c.Gone} }
func (t *Team) stamps() stamps     { return stamps{t.ID, t.Created, t.Updated, t.Gone} }
func (d *Desk) stamps() stamps     { return stamps{d.ID, d.Created, d.Updated, d.Gone} }
func (c *Checkin) stamps() stamps  { return stamps{c.ID, c.Created, c.Updated, c.Gone} }
func (h *Hook) stamps() stamps     { return stamps{h.ID, h.Created, h.Updated, h.Gone} }

// marks are where put writes a record's id and dates.
func (c *Coworker) marks() (id *int, created, updated *time.Time) {
	return &c.ID, &c.Created, &c.Updated
}

func (c *Contract) marks() (id *int, created, updated *time.Time) {
	return &c.ID, &c.Created, &c.Updated
}

func (t *Team) marks() (id *int, created, updated *time.Time) {
	return &t.ID, &t.Created, &t.Updated
}

func (d *Desk) marks() (id *int, created, updated *time.Time) {
	return &d.ID, &d.Created, &d.Updated
}

func (c *Checkin) marks() (id *int, created, updated *time.Time) {
	return &c.ID, &c.Created, &c.Updated
}

func (h *Hook) marks() (id *int, created, updated *time.Time) {
	return &h.ID, &h.Created, &h.Updated
}

func (c *Coworker) is(f *filter) (bool, bool) {
	switch f.name {
	case "Coworker_Email":
		return c.Email == f.value, true
	case "Coworker_Active":
		return !c.Suspended == truth(f.value), true
	case "Coworker_Archived":
		return c.Archived == truth(f.value), true
	}
	return c.stamps().within("Coworker", f)
}

func (c *Contract) is(f *filter) (bool, bool) {
	switch f.name {
	case "CoworkerContract_Active":
		return c.Active == truth(f.value), true
	case "CoworkerContract_Coworker":
		return strconv.Itoa(c.Coworker) == f.value, true
	}
	return c.stamps().within("CoworkerContract", f)
}

func (t *Team) is(f *filter) (bool, bool) {
	if f.name == "Team_Name" {
		return t.Name == f.value, true
	}
	return t.stamps().within("Team", f)
}

func (d *Desk) is(f *filter) (bool, bool) {
	return d.stamps().within("FloorPlanDesk", f)
}

func (c *Checkin) is(f *filter) (bool, bool) {
	switch f.name {
	case "Checkin_Coworker":
		return strconv.Itoa(c.Coworker) == f.value, true
	case "from_Checkin_FromTime":
		return !c.From.Before(f.at), true
	}
	return c.stamps().within("Checkin", f)
}

func (h *Hook) is(f *filter) (bool, bool) {
	return h.stamps().within("WebHook", f)
}

// within answers the filters by date that every entity has.
func (s stamps) within(noun string, f *filter) (match, known bool) {
	bound, field, _ := strings.Cut(f.name, "_")
	field, ours := strings.CutPrefix(field, noun+"_")
	at := s.updated
	switch {
	case !ours || field != "UpdatedOn" && field != "CreatedOn":
		return false, false
	case field == "CreatedOn":
		at = s.created
	}
	switch bound {
	case "from":
		return !at.Before(f.at), true
	case "to":
		return !at.After(f.at), true
	}
	return false, false
}

func truth(s string) bool { return s == "true" || s == "True" || s == "1" }

// A Tariff is a plan that is sold.
type Tariff struct {
	ID   int
	Name string
}

// tariffs are the plans of all contracts, in the order of their names.
func (s *Server) tariffs() []Tariff {
	var names []string
	for _, c := range s.contracts.all {
		if !slices.Contains(names, c.Plan) {
			names = append(names, c.Plan)
		}
	}
	slices.Sort(names)
	list := make([]Tariff, len(names))
	for i, name := range names {
		list[i] = Tariff{ID: 900 + i, Name: name}
	}
	return list
}
