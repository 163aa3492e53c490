package api

import (
	"time"

	"memberradius/member"
)

// A sessionView is a session as the API shows it. Its fields are the columns of
// an export as well.
type sessionView struct {
	ID          string    `json:"id"`
	Session     string    `json:"session"`
	Client      string    `json:"client"`
	NAS         string    `json:"nas"`
	AccessPoint string    `json:"access_point,omitempty"`
	User        string    `json:"user"`
	Login       string    `json:"login"`
	Backend     string    `json:"backend,omitempty"`
	Plan        string    `json:"plan,omitempty"`
	VLAN        string    `json:"vlan,omitempty"`
	Site        string    `json:"site,omitempty"`
	SSID        string    `json:"ssid,omitempty"`
	MAC         string    `json:"mac,omitempty"`
	Address     string    `json:"address,omitempty"`
	Started     time.Time `json:"started"`
	Updated     time.Time `json:"updated"`
	Ended       time.Time `json:"ended,omitzero"`
	Online      bool      `json:"online"`
	Input       uint64    `json:"input_octets"`
	Output      uint64    `json:"output_octets"`
	Duration    int64     `json:"duration_seconds"`
	Cause       string    `json:"cause,omitempty"`
	Closed      string    `json:"closed,omitempty"`
}

func sessionOf(s *Session) *sessionView {
	return &sessionView{
		ID: s.ID, Session: s.AcctSessionID, Client: s.Client, NAS: s.NAS, AccessPoint: s.AccessPoint, User: s.User, Login: s.Login,
		Backend: s.Backend, Plan: s.Plan, VLAN: s.VLAN, Site: s.Site, SSID: s.SSID, MAC: s.MAC, Address: member.AddressText(s.Address),
		Started: s.Started, Updated: s.Updated, Ended: s.Ended, Online: s.Ended.IsZero(), Input: s.Input, Output: s.Output,
		Duration: seconds(s.Duration), Cause: s.Cause, Closed: s.Closed,
	}
}

// A sessionList is a page of sessions. NextCursor is there while more follow.
type sessionList struct {
	Sessions   []*sessionView `json:"sessions"`
	NextCursor string         `json:"next_cursor,omitempty"`
}

// A sessionDetail is a session with what was tried on it.
type sessionDetail struct {
	*sessionView
	Attempts []*attemptView `json:"attempts"`
}

// An attemptView is one try to throw a device off, or to change what it has.
type attemptView struct {
	At         time.Time `json:"at"`
	Kind       string    `json:"kind"`
	Why        string    `json:"why"`
	Target     string    `json:"target"`
	Result     string    `json:"result"`
	ErrorCause int       `json:"error_cause,omitempty"`
	Sends      int       `json:"sends"`
	Took       int64     `json:"took_ms"`
	Done       bool      `json:"done"`
	Gone       time.Time `json:"gone,omitzero"`
}

func attemptOf(t *Attempt) *attemptView {
	return &attemptView{
		At: t.At, Kind: t.Kind, Why: t.Why, Target: t.Target, Result: t.Result, ErrorCause: t.ErrorCause,
		Sends: t.Sends, Took: t.Took.Milliseconds(), Done: t.done(), Gone: t.Gone,
	}
}

// A kickView is a session whose device was thrown off.
type kickView struct {
	ID      string       `json:"id"`
	Attempt *attemptView `json:"attempt"`
}

// A kickPending is one that a NAS has not answered about yet.
type kickPending struct {
	ID string `json:"id"`
}

// A usageView is what a member used on a day.
type usageView struct {
	Day      string `json:"day"`
	Backend  string `json:"backend,omitempty"`
	Login    string `json:"login"`
	Plan     string `json:"plan,omitempty"`
	Sessions int    `json:"sessions"`
	Duration int64  `json:"duration_seconds"`
	Input    uint64 `json:"input_octets"`
	Output   uint64 `json:"output_octets"`
}

func usageOf(u *Usage) *usageView {
	return &usageView{
		Day: u.Day, Backend: u.Backend, Login: u.Login, Plan: u.Plan, Sessions: u.Sessions,
		Duration: seconds(u.Duration), Input: u.Input, Output: u.Output,
	}
}

type usageList struct {
	Usage      []*usageView `json:"usage"`
	NextCursor string       `json:"next_cursor,omitempty"`
}
