package nexudus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"memberradius/backends"
)

// A wanted is a webhook that tells of what matters here.
type wanted struct {
	action int
	about  string
}

// wantedHooks are Nexudus' actions that change who may come in. 61 covers
// most of them; the others arrive also where it is not sent.
func wantedHooks() []wanted {
	return []wanted{
		{61, "AccessControlUpdate"}, {10, "ContractActivate"}, {11, "ContractCancel"},
		{57, "TeamCreated"}, {58, "TeamUpdated"}, {59, "TeamDeleted"},
		{36, "CoworkerCheckin"}, {35, "CoworkerCheckout"},
	}
}

// Hooks implements backends.Hooker.
func (s *Synced) Hooks(ctx context.Context, target string, install bool) ([]backends.Hook, error) {
	rows, err := s.hookRows(ctx)
	if err != nil {
		return nil, err
	}
	if install {
		if err := s.install(ctx, target, rows); err != nil {
			return nil, err
		}
		if rows, err = s.hookRows(ctx); err != nil {
			return nil, err
		}
	}
	var hooks []backends.Hook
	for _, w := range wantedHooks() {
		there := hooksFor(rows, w.action, target)
		if len(there) == 0 {
			hooks = append(hooks, backends.Hook{About: w.about, Target: target, Missing: true})
		}
		for _, row := range there {
			hooks = append(hooks, row.hook(w.about))
		}
	}
	return hooks, nil
}

func (s *Synced) hookRows(ctx context.Context) ([]*hookRow, error) {
	var rows []*hookRow
	err := read(ctx, newReading(s.admin, nil), all(webhooks()), func() { rows = nil }, func(row *hookRow) error {
		rows = append(rows, row)
		return nil
	})
	return rows, err
}

// hooksFor returns those of an action that lead to target; the end of the path
// may have a slash.
func hooksFor(rows []*hookRow, action int, target string) []*hookRow {
	var there []*hookRow
	for _, row := range rows {
		if row.Action == word(strconv.Itoa(action)) && strings.TrimSuffix(string(row.URL), "/") == strings.TrimSuffix(target, "/") {
			there = append(there, row)
		}
	}
	return there
}

func (r *hookRow) hook(about string) backends.Hook {
	errs, _ := strconv.Atoi(string(r.ErrorCount)) // what can't be read is none
	return backends.Hook{
		ID: string(r.ID), About: about, Target: string(r.URL), Active: r.Active == yes, Errors: errs,
		LastError: oneLine(string(r.LastError)),
	}
}

// install makes the hooks that are missing and wakes those that Nexudus has
// disabled, which it does after ten failures without telling anybody.
func (s *Synced) install(ctx context.Context, target string, rows []*hookRow) error {
	var business word
	for _, w := range wantedHooks() {
		there := hooksFor(rows, w.action, target)
		for _, row := range there {
			if row.Active == yes {
				continue
			}
			if err := s.wake(ctx, row); err != nil {
				return err
			}
		}
		if len(there) > 0 {
			continue
		}
		if business == "" {
			var err error
			if business, err = s.business(ctx); err != nil {
				return err
			}
		}
		hook := map[string]any{
			"BusinessId": number(business), "Name": "memberradius " + w.about, "Description": "Wi-Fi access follows the membership",
			"Action": w.action, "URL": target, "Active": true,
		}
		if err := s.write(ctx, http.MethodPost, webhooks(), hook); err != nil {
			return err
		}
	}
	return nil
}

// wake sends a hook back as it is, but active: what a PUT leaves out is emptied.
func (s *Synced) wake(ctx context.Context, row *hookRow) error {
	fields, err := s.record(ctx, webhooks(), row.ID)
	if err != nil {
		return err
	}
	fields["Active"] = true
	return s.write(ctx, http.MethodPut, webhooks(), fields)
}

var errBusiness = errors.New("which location the hooks are for can't be told: write space as it stands in the address of the location's web site")

// business returns the id of the location: hooks belong to one each.
func (s *Synced) business(ctx context.Context) (word, error) {
	var rows []*businessRow
	err := read(ctx, newReading(s.admin, nil), all(businesses()), func() { rows = nil }, func(row *businessRow) error {
		rows = append(rows, row)
		return nil
	})
	if err != nil {
		return "", err
	}
	for _, row := range rows {
		if s.config.Space != "" && strings.EqualFold(string(row.WebAddress), s.config.Space) {
			return row.ID, nil
		}
	}
	if len(rows) == 1 {
		return rows[0].ID, nil
	}
	return "", s.admin.fault(backends.BadAnswer, businesses().path, errBusiness)
}

// record reads one record with all of its fields, which go back as they came.
func (s *Synced) record(ctx context.Context, e entity, id word) (map[string]any, error) {
	var fields map[string]any
	path := e.path + "/" + string(id)
	err := s.admin.do(ctx, &call{method: http.MethodGet, path: path, role: e.role("Read")}, func(body io.Reader) error {
		d := json.NewDecoder(body)
		d.UseNumber() // ids and prices as they are written
		fields = nil
		if err := d.Decode(&fields); err != nil || fields == nil {
			return errJSON
		}
		return nil
	})
	return fields, err
}

// write sends a record. What it holds may be a member's password, so that no
// answer of Nexudus is quoted.
func (s *Synced) write(ctx context.Context, method string, e entity, record map[string]any) error {
	body, err := json.Marshal(record)
	if err != nil {
		return s.admin.fault(backends.Broken, e.path, errJSON)
	}
	defer clear(body)
	action := "Create"
	if method == http.MethodPut {
		action = "Edit"
	}
	r := &call{method: method, path: e.path, body: body, kind: "application/json", role: e.role(action), once: true}
	var got result
	if err := s.admin.do(ctx, r, func(answer io.Reader) error { return decodeBody(answer, &got) }); err != nil {
		return err
	}
	if got.WasSuccessful != yes {
		return s.admin.fault(backends.BadAnswer, e.path, errFailed)
	}
	return nil
}

// number writes an id as a number where it is one.
func number(id word) any {
	if n, err := strconv.ParseInt(string(id), 10, 64); err == nil {
		return n
	}
	return string(id)
}

// oneLine makes what Nexudus says fit for a line of a screen.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0 || c >= 0x2028 && c <= 0x202e || c >= 0x2066 && c <= 0x2069 {
			return -1
		}
		return c
	}, s)
	if len(s) > 200 {
		s = fmt.Sprintf("%.200s", s)
	}
	return s
}
