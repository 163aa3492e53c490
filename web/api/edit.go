package api

import (
	"net/http"
	"strings"
	"time"

	"memberradius/member"
)

// A memberPatch is what can be changed of a member.
type memberPatch struct {
	Name       optional[string]    `json:"name"`
	Email      optional[string]    `json:"email"`
	Plans      optional[[]string]  `json:"plans"`
	Team       optional[string]    `json:"team"`
	VLAN       optional[string]    `json:"vlan"`
	ValidFrom  optional[time.Time] `json:"valid_from"`
	ValidUntil optional[time.Time] `json:"valid_until"`
	Devices    optional[int]       `json:"devices"`
	Disabled   optional[bool]      `json:"disabled"`
}

// A memberDraft is a new member.
type memberDraft struct {
	Backend string `json:"backend"`
	Login   string `json:"login"`
	memberPatch
	Password string `json:"password"`
}

// edit returns the patch as what shall hold of k.
func (p *memberPatch) edit(k Key) (*Edit, error) {
	e := &Edit{Email: p.Email.Value, Member: member.Member{
		Backend: k.Backend, Login: k.Login, Name: p.Name.Value, Plans: p.Plans.Value, Team: p.Team.Value,
		ValidFrom: p.ValidFrom.Value, ValidUntil: p.ValidUntil.Value, Devices: p.Devices.Value, Disabled: p.Disabled.Value,
	}}
	if p.VLAN.Value != "" {
		vlan, err := member.ParseVLAN(p.VLAN.Value)
		if err != nil {
			return nil, wrongField("vlan", err.Error())
		}
		e.Member.VLAN = vlan
	}
	for _, f := range [...]struct {
		set bool
		is  Fields
	}{
		{p.Name.Set, FieldName}, {p.Email.Set, FieldEmail}, {p.Plans.Set, FieldPlans}, {p.Team.Set, FieldTeam}, {p.VLAN.Set, FieldVLAN},
		{p.ValidFrom.Set, FieldValidFrom}, {p.ValidUntil.Set, FieldValidUntil}, {p.Devices.Set, FieldDevices}, {p.Disabled.Set, FieldDisabled},
	} {
		if f.set {
			e.Fields |= f.is
		}
	}
	return e, nil
}

// addMember answers POST /members.
func (a *api) addMember(w http.ResponseWriter, r *http.Request, by *Token) error {
	var d memberDraft
	if err := readJSON(w, r, &d); err != nil {
		return err
	}
	if d.Login == "" {
		return wrongField("login", "it is what she types as her user name, and must be there")
	}
	e, err := d.edit(Key{d.Backend, d.Login})
	if err != nil {
		return err
	}
	e.Password = member.Secret(d.Password)
	k, made, err := a.Editor.Add(r.Context(), e)
	if err != nil {
		return err
	}
	a.told(r, by, "member added", k)
	kept, err := a.Members.Get(r.Context(), k)
	if err != nil {
		return err
	}
	w.Header().Set("Location", memberPath(k))
	send(w, http.StatusCreated, addedView{Member: viewOf(kept, a.Now()), Password: string(made)})
	return nil
}

// changeMember answers PATCH /members/{backend}/{login}.
func (a *api) changeMember(w http.ResponseWriter, r *http.Request, by *Token) error {
	var p memberPatch
	if err := readJSON(w, r, &p); err != nil {
		return err
	}
	k := pathKey(r)
	e, err := p.edit(k)
	if err != nil {
		return err
	}
	if e.Fields != 0 {
		if err := a.Editor.Change(r.Context(), e); err != nil {
			return err
		}
		a.told(r, by, "member changed", k)
	}
	return a.sendMember(w, r, k)
}

// removeMember answers DELETE /members/{backend}/{login}.
func (a *api) removeMember(w http.ResponseWriter, r *http.Request, by *Token) error {
	if err := readNothing(w, r); err != nil {
		return err
	}
	k := pathKey(r)
	if err := a.Editor.Remove(r.Context(), k); err != nil {
		return err
	}
	a.told(r, by, "member removed", k)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// renewPassword answers POST /members/{backend}/{login}/password.
func (a *api) renewPassword(w http.ResponseWriter, r *http.Request, by *Token) error {
	if err := readNothing(w, r); err != nil {
		return err
	}
	k := pathKey(r)
	made, err := a.Access.Renew(r.Context(), k)
	if err != nil {
		return err
	}
	a.told(r, by, "password made", k)
	send(w, http.StatusOK, passwordView{k.Backend, k.Login, string(made)})
	return nil
}

// makeLink answers POST /members/{backend}/{login}/link.
func (a *api) makeLink(w http.ResponseWriter, r *http.Request, by *Token) error {
	if err := readNothing(w, r); err != nil {
		return err
	}
	k := pathKey(r)
	link, until, err := a.Access.Link(r.Context(), k)
	if err != nil {
		return err
	}
	a.told(r, by, "personal link made", k)
	base := strings.TrimSuffix(a.PublicURL, "/")
	if base == "" {
		base = "http://" + r.Host
		if a.Proxies.Secure(r) {
			base = "https://" + r.Host
		}
	}
	send(w, http.StatusCreated, linkView{base + "/me/" + string(link), until})
	return nil
}
