package standin

import (
	"slices"
	"strconv"
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
	is(filter, value string) (match, known bool)
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

func (c *Coworker) is(filter, value string) (bool, bool) {
	switch filter {
	case "Coworker_Email":
		return c.Email == value, true
	case "Coworker_Active":
		return !c.Suspended == truth(value), true
	case "Coworker_Archived":
		return c.Archived == truth(value), true
	}
	return c.stamps().within("Coworker", filter, value)
}

func (c *Contract) is(filter, value string) (bool, bool) {
	switch filter {
	case "CoworkerContract_Active":
		return c.Active == truth(value), true
	case "CoworkerContract_Coworker":
		return strconv.Itoa(c.Coworker) == value, true
	}
	return c.stamps().within("CoworkerContract", filter, value)
}

func (t *Team) is(filter, value string) (bool, bool) {
	if filter == "Team_Name" {
		return t.Name == value, true
	}
	return t.stamps().within("Team", filter, value)
}

func (d *Desk) is(filter, value string) (bool, bool) {
	return d.stamps().within("FloorPlanDesk", filter, value)
}

func (c *Checkin) is(filter, value string) (bool, bool) {
	switch filter {
	case "Checkin_Coworker":
		return strconv.Itoa(c.Coworker) == value, true
	case "from_Checkin_FromTime":
		return !c.From.Before(moment(value)), true
	}
	return c.stamps().within("Checkin", filter, value)
}

func (h *Hook) is(filter, value string) (bool, bool) {
	return h.stamps().within("WebHook", filter, value)
}

// within answers the filters by date that every entity has.
func (s stamps) within(noun, filter, value string) (match, known bool) {
	switch filter {
	case "from_" + noun + "_UpdatedOn":
		return !s.updated.Before(moment(value)), true
	case "to_" + noun + "_UpdatedOn":
		return !s.updated.After(moment(value)), true
	case "from_" + noun + "_CreatedOn":
		return !s.created.Before(moment(value)), true
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
