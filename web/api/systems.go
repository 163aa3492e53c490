package api

import (
	"errors"
	"net/http"
	"time"
)

// How many runs one answer lists.
const (
	defaultRuns = 50
	maxRuns     = 1000
)

// listPlans answers GET /plans.
func (a *api) listPlans(w http.ResponseWriter, r *http.Request, _ *Token) error {
	if err := onlyOnce(r.URL.Query()); err != nil {
		return err
	}
	list := planList{Plans: []planView{}}
	for _, p := range a.Plans.Plans() {
		list.Plans = append(list.Plans, planOf(p))
	}
	send(w, http.StatusOK, &list)
	return nil
}

// listBackends answers GET /backends.
func (a *api) listBackends(w http.ResponseWriter, r *http.Request, _ *Token) error {
	if err := onlyOnce(r.URL.Query()); err != nil {
		return err
	}
	all, err := a.Backends.Backends(r.Context())
	if err != nil {
		return err
	}
	list := backendList{Backends: []backendView{}}
	for i := range all {
		b := &all[i]
		v := backendView{Name: b.Name, Kind: b.Kind, State: b.State, Detail: b.Detail, Stored: b.Stored, Members: b.Members, Editable: b.Editable, Syncs: b.Syncs}
		if b.LastRun != nil {
			v.LastRun = runOf(b.LastRun)
		}
		list.Backends = append(list.Backends, v)
	}
	send(w, http.StatusOK, &list)
	return nil
}

// A syncOrder is what POST /backends/{name}/sync is to do.
type syncOrder struct {
	DryRun bool `json:"dry_run"`
	Accept bool `json:"accept"`
}

// sync answers POST /backends/{name}/sync: it waits for the run a little, and
// else says where it will be found.
func (a *api) sync(w http.ResponseWriter, r *http.Request, by *Token) error {
	var o syncOrder
	if r.ContentLength != 0 {
		if err := readJSON(w, r, &o); err != nil {
			return err
		}
	}
	name := r.PathValue("name")
	started, err := a.Backends.Start(r.Context(), Order{Backend: name, DryRun: o.DryRun, Accept: o.Accept})
	if err != nil {
		return err
	}
	if !o.DryRun {
		a.told(r, by, "sync started", Key{Backend: name})
	}
	patience := time.NewTimer(a.Wait)
	defer patience.Stop()
	select {
	case out := <-started.Outcome:
		if out == nil {
			return errors.New("api: a sync ended without an outcome")
		}
		return sendOutcome(w, out, o.DryRun)
	case <-patience.C:
		w.Header().Set("Location", "/api/v1/sync-runs?backend="+name)
		send(w, http.StatusAccepted, pendingView{started.ID, name})
	case <-r.Context().Done():
		// Whoever asked has gone; the run goes on.
	}
	return nil
}

// sendOutcome answers with a run that has ended. One that failed or is held is
// a problem, so that a script that looks at the status alone sees it.
func sendOutcome(w http.ResponseWriter, out *Outcome, dry bool) error {
	run := runOf(&out.Run)
	var p *problem
	switch {
	case run.Error != "":
		p = problemOf(http.StatusBadGateway, "The member system could not be read, and nothing was changed: "+run.Error+".")
	case run.Held && !dry:
		p = problemOf(http.StatusConflict, "So many members would have ended that nothing was changed. Look at what a dry run says, and send accept if it is right.")
	}
	if p != nil {
		if out.Remedy != "" {
			p.Detail += " " + out.Remedy
		}
		p.Run = run
		return p
	}
	v := syncView{DryRun: dry, Run: run, Changes: []changeView{}, Remedy: out.Remedy}
	for _, c := range out.Changes {
		v.Changes = append(v.Changes, changeView(c))
	}
	send(w, http.StatusOK, &v)
	return nil
}

// listRuns answers GET /sync-runs.
func (a *api) listRuns(w http.ResponseWriter, r *http.Request, _ *Token) error {
	q := r.URL.Query()
	if err := onlyOnce(q, "backend", "limit"); err != nil {
		return err
	}
	most, err := limitOf(q, defaultRuns, maxRuns)
	if err != nil {
		return err
	}
	all, err := a.Runs.Runs(r.Context(), q.Get("backend"), most)
	if err != nil {
		return err
	}
	list := runList{Runs: []*runView{}}
	for i := range all {
		list.Runs = append(list.Runs, runOf(&all[i]))
	}
	send(w, http.StatusOK, &list)
	return nil
}
