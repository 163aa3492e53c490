package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"memberradius/member"
	"memberradius/store"
)

// A memberView is a member as the verbs print her: without her secrets.
type memberView struct {
	Backend    string      `json:"backend"`
	Login      string      `json:"login"`
	Name       string      `json:"name,omitempty"`
	Email      string      `json:"email,omitempty"`
	ID         string      `json:"id,omitempty"`
	Plans      []string    `json:"plans,omitempty"`
	Team       string      `json:"team,omitempty"`
	VLAN       member.VLAN `json:"vlan,omitempty"`
	ValidFrom  *time.Time  `json:"valid_from,omitempty"`
	ValidUntil *time.Time  `json:"valid_until,omitempty"`
	Devices    int         `json:"devices,omitempty"`
	Disabled   bool        `json:"disabled"`
	// Lapsed is when her member system last had her as a member.
	Lapsed *time.Time `json:"lapsed,omitempty"`
	// State is what would be said to her now, if she proved who she is.
	State   string    `json:"state"`
	Secret  string    `json:"secret"` // password, nt_hash, password_hash or none
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
}

func viewOf(e *store.Entry) memberView {
	m := &e.Member
	v := memberView{
		Backend: m.Backend, Login: m.Login, Name: m.Name, Plans: m.Plans, Team: m.Team, VLAN: m.VLAN,
		Devices: m.Devices, Disabled: m.Disabled, State: "active", Secret: "none", Created: e.Created, Updated: e.Updated,
	}
	if !m.ValidFrom.IsZero() {
		v.ValidFrom = &m.ValidFrom
	}
	if !m.ValidUntil.IsZero() {
		v.ValidUntil = &m.ValidUntil
	}
	v.Email, v.ID, v.Lapsed = e.Email, m.ID, whenSet(e.Lapsed)
	switch verdict, reason := m.Judge(time.Now()); {
	case v.Lapsed != nil:
		v.State = "lapsed"
	case verdict != member.Allow:
		v.State = reason.String()
	}
	switch c := &e.Credential; {
	case c.Password != "":
		v.Secret = "password"
	case c.NTHash != nil:
		v.Secret = "nt_hash"
	case c.Argon2id != "":
		v.Secret = "password_hash"
	}
	return v
}

type memberListCmd struct {
	memberOf
	Plan string `placeholder:"PLAN" help:"Only members with this plan, as their records spell it."`
}

// Help implements kong.HelpProvider.
func (memberListCmd) Help() string { return example("memberradius member list --plan hot-desk") }

// Run lists the members.
func (c memberListCmd) Run(p *program) error {
	r, err := c.openAny(p)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	views := []memberView{} // JSON: an empty list, never null
	err = r.Each(p.ctx, r.backend, func(e *store.Entry) error {
		if c.Plan == "" || slices.ContainsFunc(e.Member.Plans, func(plan string) bool { return strings.EqualFold(plan, c.Plan) }) {
			views = append(views, viewOf(e))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if p.JSON {
		return p.printJSON(views)
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "LOGIN\tNAME\tPLAN\tTEAM\tVLAN\tUNTIL\tSTATE\tSECRET")
	for i := range views {
		v := &views[i]
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.Login, dash(v.Name), dash(strings.Join(v.Plans, "; ")),
			dash(v.Team), dash(string(v.VLAN)), when(v.ValidUntil), v.State, v.Secret)
	}
	return w.Flush()
}

type memberShowCmd struct {
	memberOf
	Login string `arg:"" help:"Whom."`
}

// Help implements kong.HelpProvider.
func (memberShowCmd) Help() string { return example("memberradius member show bob@example.com") }

// Run shows one member.
func (c memberShowCmd) Run(p *program) error {
	r, err := c.openAny(p)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	e, err := r.Get(p.ctx, r.backend, c.Login)
	if err != nil {
		return r.explain(c.Login, err)
	}
	v := viewOf(e)
	if p.JSON {
		return p.printJSON(v)
	}
	devices := "as the plan says"
	if v.Devices > 0 {
		devices = fmt.Sprint(v.Devices)
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, line := range [...][2]string{
		{"login", v.Login}, {"backend", v.Backend}, {"state", v.State}, {"name", dash(v.Name)},
		{"plan", dash(strings.Join(v.Plans, "; "))}, {"team", dash(v.Team)}, {"vlan", dash(string(v.VLAN))},
		{"valid from", when(v.ValidFrom)}, {"valid until", when(v.ValidUntil)}, {"devices", devices},
		{"email", dash(v.Email)}, {"id", dash(v.ID)}, {"lapsed", when(v.Lapsed)}, {"terms", dash(termsOf(&e.Member))},
		{"secret", v.Secret}, {"created", when(&v.Created)}, {"updated", when(&v.Updated)},
	} {
		_, err = fmt.Fprintf(w, "%s:\t%s\n", line[0], line[1])
	}
	return errors.Join(err, w.Flush())
}

// termsOf says since when and until when she holds each plan.
func termsOf(m *member.Member) string {
	var all []string
	for i, t := range m.Terms {
		if i < len(m.Plans) && (!t.From.IsZero() || !t.Until.IsZero()) {
			all = append(all, fmt.Sprintf("%s from %s to %s", m.Plans[i], when(whenSet(t.From)), when(whenSet(t.Until))))
		}
	}
	return strings.Join(all, "; ")
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// when prints a time on the clock of this machine.
func when(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04 MST")
}
