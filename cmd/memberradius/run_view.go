package main

import (
	"fmt"
	"time"

	"memberradius/provision"
	"memberradius/store"
)

// A runView is a run of sync as programs read it.
type runView struct {
	ID       string       `json:"id"`
	Backend  string       `json:"backend"`
	Trigger  string       `json:"trigger"`
	Kind     string       `json:"kind"`
	Started  time.Time    `json:"started"`
	Ended    *time.Time   `json:"ended,omitempty"`
	Added    int          `json:"added"`
	Changed  int          `json:"changed"`
	Returned int          `json:"returned"`
	Lapsed   int          `json:"lapsed"`
	Same     int          `json:"unchanged"`
	Skipped  int          `json:"skipped"`
	Requests int          `json:"requests"`
	Pages    int          `json:"pages"`
	Held     bool         `json:"held"`
	Error    string       `json:"error,omitempty"`
	Notes    []string     `json:"notes"`
	Remedy   string       `json:"remedy,omitempty"`
	Changes  []changeView `json:"changes,omitempty"`
}

// A changeView is what a run did to one member.
type changeView struct {
	Login string `json:"login"`
	Name  string `json:"name,omitempty"`
	What  string `json:"what"`
}

func viewRun(r *store.Run) *runView {
	return &runView{
		ID: r.ID, Backend: r.Backend, Trigger: r.Trigger, Kind: r.Kind, Started: r.Started.UTC(), Ended: whenSet(r.Ended),
		Added: r.Added, Changed: r.Changed, Returned: r.Returned, Lapsed: r.Lapsed, Same: r.Unchanged, Skipped: r.Skipped,
		Requests: r.Requests, Pages: r.Pages, Held: r.Held, Error: r.Error, Notes: append([]string{}, r.Notes...),
	}
}

func viewRuns(all []store.Run) []*runView {
	views := make([]*runView, len(all))
	for i := range all {
		views[i] = viewRun(&all[i])
	}
	return views
}

// viewReport is viewRun with what it did to each.
func viewReport(r *provision.Report) *runView {
	v := viewRun(&r.Run)
	v.Remedy = r.Remedy
	for _, c := range r.Changes {
		v.Changes = append(v.Changes, changeView{c.Login, c.Name, c.String()})
	}
	return v
}

// summary says how a run ended, in a few words.
func (v *runView) summary() string {
	how := fmt.Sprintf("%d came, %d came back, %d changed, %d went", v.Added, v.Returned, v.Changed, v.Lapsed)
	switch {
	case v.Error != "":
		how = "failed: " + v.Error
	case v.Held:
		how = "held: too many would go"
	}
	return v.Started.Format(time.RFC3339) + " " + v.Kind + ": " + how
}
