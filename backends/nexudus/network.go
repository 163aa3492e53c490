package nexudus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"memberradius/backends"
	"memberradius/member"
)

// network reads teams, desks where it is time, and check-ins where they matter,
// and returns what puts them into the replica.
func (u *update) network(ctx context.Context, from time.Time) (func(), error) {
	listed, err := u.listTeams(ctx)
	if err != nil {
		return nil, err
	}
	now := u.s.now()
	var rooms *offices
	if now.Sub(u.r.officesAt) >= officesEvery {
		if rooms, err = u.listOffices(ctx); err != nil {
			return nil, err
		}
	}
	var came []checkinRow
	if u.s.rule.checkinRequired {
		if came, err = u.listVisits(ctx, since(checkins(), from)); err != nil {
			return nil, err
		}
	}
	return func() {
		u.touch(u.r.setTeams(listed), now)
		if rooms != nil {
			u.touch(u.r.setOffices(*rooms, now), now)
		}
		for i := range came {
			u.concern(u.r.visit(&came[i], now))
		}
	}, nil
}

func (u *update) teams(ctx context.Context) error {
	listed, err := u.listTeams(ctx)
	if err != nil {
		return err
	}
	u.touch(u.r.setTeams(listed), u.s.now())
	u.r.assign()
	return nil
}

// touch notes whom a change concerns that no list by UpdatedOn names.
func (u *update) touch(whom map[word]bool, at time.Time) {
	if !u.first {
		u.concern(u.r.touch(whom, at))
	}
}

// listTeams reads the teams. Their members stand in the list as CoworkerIds;
// where they do not, each team that has a VLAN is asked for by its id, since
// lists leave out collections.
func (u *update) listTeams(ctx context.Context) ([]team, error) {
	var listed []team
	var silent []int
	err := read(ctx, u.reading, all(teams()), func() { listed, silent = nil, nil }, func(row *teamRow) error {
		if !row.TeamMembers.said && !row.CoworkerIDs.said && row.TunnelPrivateGroupID != "" {
			silent = append(silent, len(listed))
		}
		listed = append(listed, u.s.team(row))
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, i := range silent {
		var row teamRow
		gone, err := u.one(ctx, teams(), listed[i].id, &row)
		if err != nil {
			return nil, err
		}
		if !gone {
			listed[i] = u.s.team(&row)
		}
	}
	return listed, nil
}

// team takes over what matters of a row.
func (s *Synced) team(row *teamRow) team {
	t := team{id: row.ID, name: strings.TrimSpace(string(row.Name)), vlan: s.vlan("team", row.Name, row.TunnelPrivateGroupID)}
	t.members = append(slices.Clone(row.TeamMembers.list), row.CoworkerIDs.list...)
	slices.Sort(t.members)
	t.members = slices.Compact(t.members)
	return t
}

// vlan reads a "VLAN Identifier". One that can't be used is none, and the operator hears of it.
func (s *Synced) vlan(what string, name, text word) member.VLAN {
	trimmed := strings.TrimSpace(string(text))
	if trimmed == "" {
		return ""
	}
	v, err := member.ParseVLAN(trimmed)
	if err != nil {
		s.say(backends.Finding{
			What:   fmt.Sprintf("the VLAN of %s %.60q at Nexudus can't be used: %v", what, name, err),
			Remedy: "correct it at Nexudus (Integrations, VLAN Identifier); until then its members get their plan's",
		})
		return ""
	}
	return v
}

func (u *update) offices(ctx context.Context) error {
	rooms, err := u.listOffices(ctx)
	if err != nil || rooms == nil {
		return err
	}
	now := u.s.now()
	u.touch(u.r.setOffices(*rooms, now), now)
	return nil
}

// listOffices reads the desks and offices. A user who may not see them is told
// so, and the members go where their team or plan says.
func (u *update) listOffices(ctx context.Context) (*offices, error) {
	var listed []deskRow
	err := read(ctx, u.reading, all(desks()), func() { listed = nil }, func(row *deskRow) error {
		if row.TunnelPrivateGroupID != "" {
			listed = append(listed, *row)
		}
		return nil
	})
	var role *roleError
	switch {
	case errors.As(err, &role) && len(u.r.offices.desk) == 0:
		u.s.say(backends.Finding{
			What:   "the desks at Nexudus can't be read, so that members get no VLAN of an office: the user of the API lacks the role " + role.role,
			Remedy: "give it that role, if desks or offices have a VLAN Identifier",
		})
		return &offices{}, nil
	case err != nil:
		return nil, err
	}
	slices.SortFunc(listed, func(a, b deskRow) int { return byID(a.ID, b.ID) })
	o := &offices{desk: map[word]member.VLAN{}, coworker: map[word]member.VLAN{}, contract: map[word]member.VLAN{}}
	for i := range listed {
		d := &listed[i]
		v := u.s.vlan("desk", d.Name, d.TunnelPrivateGroupID)
		if v == "" {
			continue
		}
		o.desk[d.ID] = v
		if _, taken := o.coworker[d.CoworkerID]; d.CoworkerID != "" && !taken {
			o.coworker[d.CoworkerID] = v
		}
		for _, id := range d.CoworkerContractIDs.list {
			if _, taken := o.contract[id]; !taken {
				o.contract[id] = v
			}
		}
	}
	return o, nil
}

// visits reads who is checked in, where that matters.
func (u *update) visits(ctx context.Context) error {
	if !u.s.rule.checkinRequired {
		return nil
	}
	from := u.s.admin.clock().Add(-openFor).UTC().Format(stamp)
	came, err := u.listVisits(ctx, all(checkins()).only("from_Checkin_FromTime", from))
	if err != nil {
		return err
	}
	for i := range came {
		u.concern(u.r.visit(&came[i], u.s.now()))
	}
	return nil
}

func (u *update) listVisits(ctx context.Context, l list) ([]checkinRow, error) {
	var came []checkinRow
	oldest := u.s.now().Add(-openFor)
	err := read(ctx, u.reading, l, func() { came = nil }, func(row *checkinRow) error {
		if row.FromTime.IsZero() || row.FromTime.After(oldest) { // the filter may have been ignored
			came = append(came, *row)
		}
		return nil
	})
	return came, err
}

// coworkersByID reads some customers. Those who are not there any more are not among them.
func (u *update) coworkersByID(ctx context.Context, wanted []word) ([]*coworker, error) {
	const most = 50 // what an address has room for
	var found []*coworker
	slices.SortFunc(wanted, byID)
	for batch := range slices.Chunk(wanted, most) {
		rows, err := u.batch(ctx, batch)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			found = append(found, u.s.coworker(&rows[i]))
		}
	}
	return found, nil
}

// batch asks for several customers at once, and for each alone where that
// fails: Nexudus answers 500 for one that was deleted.
func (u *update) batch(ctx context.Context, wanted []word) ([]coworkerRow, error) {
	var rows []coworkerRow
	list := make([]string, len(wanted))
	for i, id := range wanted {
		list[i] = string(id)
	}
	query := url.Values{"id": {"[" + strings.Join(list, ",") + "]"}}
	err := u.c.do(ctx, &call{method: http.MethodGet, path: coworkers().path + "/", query: query, role: coworkers().role("Read")}, func(body io.Reader) error {
		rows = nil
		return decodeBody(body, &rows)
	})
	if backends.ClassOf(err) != backends.Faulty {
		return slices.DeleteFunc(rows, func(r coworkerRow) bool { return !slices.Contains(wanted, r.ID) }), err
	}
	rows = nil
	for _, id := range wanted {
		var row coworkerRow
		gone, err := u.one(ctx, coworkers(), id, &row)
		if err != nil {
			return nil, err
		}
		if !gone {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// one reads one record. Nexudus answers 500 for a deleted id and not 404, so
// that it counts as gone where its list can be read at the same time.
func (u *update) one(ctx context.Context, e entity, id word, to any) (gone bool, err error) {
	err = u.c.do(ctx, &call{method: http.MethodGet, path: e.path + "/" + url.PathEscape(string(id)), role: e.role("Read")}, func(body io.Reader) error {
		return decodeBody(body, to)
	})
	if backends.ClassOf(err) != backends.Faulty {
		return false, err
	}
	if _, ill := u.count(ctx, e); ill != nil {
		return false, err
	}
	return true, nil
}

// count asks how many records there are: the smallest question that needs everything to work.
func (u *update) count(ctx context.Context, e entity) (int, error) { return u.s.count(ctx, e) }

func (s *Synced) count(ctx context.Context, e entity) (int, error) {
	var got envelope[json.RawMessage]
	query := url.Values{"page": {"1"}, "size": {"1"}}
	err := s.admin.do(ctx, &call{method: http.MethodGet, path: e.path, query: query, role: e.role("List")}, func(body io.Reader) error {
		if err := decodeBody(body, &got); err != nil {
			return err
		}
		if got.Records == nil {
			return errRecords
		}
		return nil
	})
	return got.total(), err
}

// decodeBody reads a body that is not a page.
func decodeBody(body io.Reader, to any) error {
	b, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	return decode(b, to)
}
