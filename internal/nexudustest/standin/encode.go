package standin

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// fields is a record as JSON shows it. Field by field, since Nexudus' own order
// and completeness matter: what a list leaves out is missing, not null.
type fields struct {
	b    []byte
	text bool // ids are written as text
}

func (s *Server) fields() *fields { return &fields{b: []byte{'{'}, text: s.TextIDs} }

func (f *fields) name(name string) {
	if len(f.b) > 1 {
		f.b = append(f.b, ',')
	}
	f.b = strconv.AppendQuote(f.b, name)
	f.b = append(f.b, ':')
}

func (f *fields) raw(name, value string) *fields {
	f.name(name)
	f.b = append(f.b, value...)
	return f
}

func (f *fields) str(name, value string) *fields {
	if value == "" {
		return f.raw(name, "null")
	}
	quoted, _ := json.Marshal(value) // a string can always be written
	return f.raw(name, string(quoted))
}

func (f *fields) id(name string, id int) *fields {
	switch {
	case id == 0:
		return f.raw(name, "null")
	case f.text:
		return f.str(name, strconv.Itoa(id))
	}
	return f.raw(name, strconv.Itoa(id))
}

func (f *fields) bool(name string, v bool) *fields { return f.raw(name, strconv.FormatBool(v)) }

func (f *fields) time(name string, at time.Time) *fields {
	if at.IsZero() {
		return f.raw(name, "null")
	}
	return f.str(name, at.UTC().Format("2006-01-02T15:04:05Z"))
}

func (f *fields) list(name string, ids []int) *fields { return f.raw(name, "["+joined(ids)+"]") }

func (f *fields) end(id int, created, updated time.Time) []byte {
	f.id("Id", id).time("CreatedOn", created).time("UpdatedOn", updated).str("UpdatedBy", "somebody@example.com").bool("IsNew", false)
	return append(f.b, '}')
}

func joined(ids []int) string {
	text := make([]string, len(ids))
	for i, id := range ids {
		text[i] = strconv.Itoa(id)
	}
	return strings.Join(text, ",")
}

func (c *Coworker) encode(s *Server, whole bool) []byte {
	f := s.fields()
	f.raw("CoworkerType", "1").str("FullName", c.Name).str("Email", c.Email).bool("Active", !c.Suspended).bool("Archived", c.Archived)
	f.str("CompanyName", "").str("AccessPincode", c.Pincode).str("AccessCardId", "").bool("IsDefaultProfile", c.Main).str("TeamNames", "")
	for n := 1; n <= 30; n++ {
		f.str("Custom"+strconv.Itoa(n), c.Custom[n])
	}
	if whole {
		f.list("Teams", nil).list("Businesses", []int{s.Business})
	}
	return f.end(c.ID, c.Created, c.Updated)
}

func (c *Contract) encode(s *Server, whole bool) []byte {
	f := s.fields()
	f.id("IssuedById", s.Business).id("CoworkerId", c.Coworker).str("TariffName", c.Plan).raw("TariffPrice", "199.50")
	if who := s.coworkers.get(c.Coworker); who != nil {
		f.str("CoworkerFullName", who.Name).str("CoworkerEmail", who.Email).bool("CoworkerActive", !who.Suspended)
	}
	f.time("StartDate", c.Start).time("CancellationDate", c.End).time("RenewalDate", c.Created.AddDate(0, 1, 0))
	f.bool("Active", c.Active).bool("MainContract", c.Main).bool("Cancelled", c.Cancelled).str("FloorPlanDeskIds", joined(c.Desks))
	if whole {
		f.list("Desks", c.Desks)
	}
	return f.end(c.ID, c.Created, c.Updated)
}

func (t *Team) encode(s *Server, whole bool) []byte {
	f := s.fields()
	f.id("BusinessId", s.Business).str("Name", t.Name).str("TunnelPrivateGroupId", t.VLAN)
	if !s.BareTeams {
		f.str("CoworkerIds", joined(t.Members))
	}
	if whole {
		f.list("TeamMembers", t.Members)
	}
	return f.end(t.ID, t.Created, t.Updated)
}

func (d *Desk) encode(s *Server, _ bool) []byte {
	f := s.fields()
	f.str("Name", d.Name).raw("ItemType", "1").str("TunnelPrivateGroupId", d.VLAN).id("CoworkerId", d.Coworker).str("CoworkerContractIds", joined(d.Contracts))
	return f.end(d.ID, d.Created, d.Updated)
}

func (c *Checkin) encode(s *Server, _ bool) []byte {
	f := s.fields()
	f.id("BusinessId", s.Business).id("CoworkerId", c.Coworker).raw("Source", "1").time("FromTime", c.From).time("ToTime", c.To)
	return f.end(c.ID, c.Created, c.Updated)
}

func (h *Hook) encode(s *Server, _ bool) []byte {
	f := s.fields()
	f.id("BusinessId", h.Business).str("Name", h.Name).raw("Action", strconv.Itoa(h.Action)).str("URL", h.URL).bool("Active", h.Active)
	f.raw("ErrorCount", strconv.Itoa(h.ErrorCount)).str("LastError", h.LastError)
	return f.end(h.ID, h.Created, h.Updated)
}

func (t Tariff) encode(s *Server) []byte {
	f := s.fields()
	return f.str("Name", t.Name).bool("Visible", true).bool("Archived", false).end(t.ID, time.Time{}, time.Time{})
}

// Format of a location, of which there is one.
func (s *Server) encodeBusiness() []byte {
	f := s.fields()
	return f.str("Name", "The space").str("WebAddress", s.Space).end(s.Business, time.Time{}, time.Time{})
}
