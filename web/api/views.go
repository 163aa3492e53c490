package api

import (
	"time"

	"memberradius/member"
)

// A memberView is a member as the API shows her. Her password never is.
type memberView struct {
	Backend      string   `json:"backend"`
	Login        string   `json:"login"`
	Name         string   `json:"name,omitempty"`
	Email        string   `json:"email,omitempty"`
	ID           string   `json:"id,omitempty"`
	MembershipID string   `json:"membership_id,omitempty"`
	Plans        []string `json:"plans"`
	Team         string   `json:"team,omitempty"`
	VLAN         string   `json:"vlan,omitempty"`
	OfficeVLAN   string   `json:"office_vlan,omitempty"`
	TeamVLAN     string   `json:"team_vlan,omitempty"`

	ValidFrom  time.Time `json:"valid_from,omitzero"`
	ValidUntil time.Time `json:"valid_until,omitzero"`
	LapsedAt   time.Time `json:"lapsed_at,omitzero"`

	Devices       int    `json:"devices,omitempty"`
	Disabled      bool   `json:"disabled"`
	CheckedOut    bool   `json:"checked_out"`
	State         string `json:"state"`
	HasCredential bool   `json:"has_credential"`

	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
}

// The states of a member that are no member.Reason.
const (
	stateActive = "active"
	stateLapsed = "lapsed"
)

// stateOf is what would be said to her now, if she proved who she is. Plans
// and gates have their own say, which hangs on site and time.
func stateOf(k *Kept, now time.Time) string {
	if !k.Lapsed.IsZero() && !now.Before(k.Lapsed) {
		return stateLapsed
	}
	if verdict, reason := k.Member.Judge(now); verdict != member.Allow {
		return reason.String()
	}
	return stateActive
}

func viewOf(k *Kept, now time.Time) *memberView {
	m := &k.Member
	v := &memberView{
		Backend: m.Backend, Login: m.Login, Name: m.Name, Email: k.Email, ID: m.ID, MembershipID: m.MembershipID,
		Plans: m.Plans, Team: m.Team, VLAN: string(m.VLAN), OfficeVLAN: string(m.OfficeVLAN), TeamVLAN: string(m.TeamVLAN),
		ValidFrom: m.ValidFrom, ValidUntil: m.ValidUntil, LapsedAt: k.Lapsed, Devices: m.Devices, Disabled: m.Disabled,
		CheckedOut: m.CheckedOut, State: stateOf(k, now), HasCredential: k.HasCredential, Created: k.Created, Updated: k.Updated,
	}
	if v.Plans == nil {
		v.Plans = []string{} // a list, never null
	}
	return v
}

// A memberList is a page of members. NextCursor is there while more follow.
type memberList struct {
	Members    []*memberView `json:"members"`
	NextCursor string        `json:"next_cursor,omitempty"`
}

// An addedView is a new member, with her password where it was made here.
type addedView struct {
	Member   *memberView `json:"member"`
	Password string      `json:"password,omitempty"`
}

// A passwordView is a new password. It is shown this once.
type passwordView struct {
	Backend  string `json:"backend"`
	Login    string `json:"login"`
	Password string `json:"password"`
}

// A linkView is a one-time link to a personal page.
type linkView struct {
	URL   string    `json:"url"`
	Until time.Time `json:"until"`
}

// A planView is a plan. What is not there is left to the access point.
type planView struct {
	Name     string   `json:"name"`
	Match    []string `json:"match"`
	VLAN     string   `json:"vlan,omitempty"`
	DownBPS  uint64   `json:"down_bps,omitempty"`
	UpBPS    uint64   `json:"up_bps,omitempty"`
	Session  int64    `json:"session_seconds,omitempty"`
	Idle     int64    `json:"idle_seconds,omitempty"`
	Interim  int64    `json:"interim_seconds,omitempty"`
	Valid    int64    `json:"valid_seconds,omitempty"`
	Devices  int      `json:"devices,omitempty"`
	Hours    string   `json:"hours,omitempty"`
	SSIDs    []string `json:"ssids"`
	Priority int      `json:"priority"`
}

func planOf(p *member.Plan) planView {
	v := planView{
		Name: p.Name, Match: p.Match, VLAN: string(p.VLAN), DownBPS: p.Down.Bits, UpBPS: p.Up.Bits,
		Session: seconds(p.Session), Idle: seconds(p.Idle), Interim: seconds(p.Interim), Valid: seconds(p.Valid),
		Devices: p.Devices, SSIDs: p.SSIDs, Priority: p.Priority,
	}
	if p.Hours != nil {
		v.Hours = p.Hours.String()
	}
	if v.Match == nil {
		v.Match = []string{}
	}
	if v.SSIDs == nil {
		v.SSIDs = []string{}
	}
	return v
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

type planList struct {
	Plans []planView `json:"plans"`
}

// A backendView is a member system.
type backendView struct {
	Name     string   `json:"name"`
	Kind     string   `json:"kind"`
	State    string   `json:"state"`
	Detail   string   `json:"detail,omitempty"`
	Stored   bool     `json:"stored"`
	Members  int      `json:"members"`
	Editable bool     `json:"editable"`
	Syncs    bool     `json:"syncs"`
	LastRun  *runView `json:"last_run,omitempty"`
}

type backendList struct {
	Backends []backendView `json:"backends"`
}

// A runView is a row of the journal.
type runView struct {
	ID        string    `json:"id"`
	Backend   string    `json:"backend"`
	Trigger   string    `json:"trigger"`
	Kind      string    `json:"kind"`
	Started   time.Time `json:"started"`
	Ended     time.Time `json:"ended,omitzero"`
	Added     int       `json:"added"`
	Changed   int       `json:"changed"`
	Returned  int       `json:"returned"`
	Lapsed    int       `json:"lapsed"`
	Unchanged int       `json:"unchanged"`
	Skipped   int       `json:"skipped"`
	Requests  int       `json:"requests"`
	Pages     int       `json:"pages"`
	Held      bool      `json:"held"`
	Error     string    `json:"error,omitempty"`
	Notes     []string  `json:"notes"`
}

func runOf(r *Run) *runView {
	v := &runView{
		ID: r.ID, Backend: r.Backend, Trigger: r.Trigger, Kind: r.Kind, Started: r.Started, Ended: r.Ended,
		Added: r.Added, Changed: r.Changed, Returned: r.Returned, Lapsed: r.Lapsed, Unchanged: r.Unchanged, Skipped: r.Skipped,
		Requests: r.Requests, Pages: r.Pages, Held: r.Held, Error: r.Error, Notes: r.Notes,
	}
	if v.Notes == nil {
		v.Notes = []string{}
	}
	return v
}

type runList struct {
	Runs []*runView `json:"runs"`
}

// A changeView is what a run does to one member.
type changeView struct {
	Kind  string `json:"kind"`
	Login string `json:"login"`
	Name  string `json:"name,omitempty"`
	What  string `json:"what,omitempty"`
	Text  string `json:"text"`
}

// A syncView is a run that has ended.
type syncView struct {
	DryRun  bool         `json:"dry_run"`
	Run     *runView     `json:"run"`
	Changes []changeView `json:"changes"`
	Remedy  string       `json:"remedy,omitempty"`
}

// A pendingView is a run that goes on.
type pendingView struct {
	RunID   string `json:"run_id"`
	Backend string `json:"backend"`
}
