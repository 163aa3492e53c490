package api

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"memberradius/member"
)

// The ids of the sessions in a house.
const (
	session1 = "01990000-0000-7000-8000-000000000001"
	session2 = "01990000-0000-7000-8000-000000000002"
	session3 = "01990000-0000-7000-8000-000000000003"
)

// A house is what the API is handed besides members: sessions and what else
// there is of them, devices, vouchers, and portal logins.
type house struct {
	mu       sync.Mutex
	sessions []Session // the newest first
	attempts []Attempt
	kicked   *Attempt // what Kick returns; nil: it goes on
	queries  []SessionQuery
	usage    []Usage
	devices  []Device
	blocked  []Block
	vouchers []Voucher
	entries  []PortalEntry
	logins   map[int64]*PortalLogin
	orders   []PortalLogin
	refuse   error // what everything that is asked to do something says
	fault    error // what everything that is read fails with
	faultAt  int   // after so many queries for sessions
	granting chan struct{}
	now      time.Time
}

// newHouse has one of everything with every field set, and a second of some.
func newHouse() *house {
	n := &house{now: noon, logins: map[int64]*PortalLogin{}}
	n.attempts = []Attempt{{
		At: noon.Add(-time.Minute), Kind: "disconnect", Why: "ended", Target: "192.0.2.10:3799", Result: "nak",
		ErrorCause: 503, Sends: 2, Took: 2100 * time.Millisecond, Gone: noon,
	}}
	n.kicked = &Attempt{At: noon, Kind: "disconnect", Why: "kick", Target: "192.0.2.10:3799", Result: "ack", Sends: 1, Took: 12 * time.Millisecond}
	n.sessions = []Session{
		{ID: session3, AcctSessionID: "80A1", Client: "lobby", NAS: "ap-1", User: "=cmd|' /C calc'!A0", Login: "bob@example.com", Started: noon.Add(-time.Hour), Updated: noon},
		{
			ID: session2, AcctSessionID: "5E0C", Client: "lobby", NAS: "ap-1", AccessPoint: "AA-BB-CC-DD-EE-FF", User: "anonymous", Login: "anna@example.com",
			Backend: "nexudus", Plan: "hot-desk", VLAN: "101", Site: "berlin", SSID: "Members", MAC: "02:00:00:00:00:01", Address: netip.MustParseAddr("192.0.2.77"),
			Started: noon.Add(-3 * time.Hour), Updated: noon.Add(-time.Hour), Ended: noon.Add(-time.Hour), Input: 1 << 33, Output: 1 << 40, Duration: 2 * time.Hour,
			Cause: "User-Request", Closed: "stop",
		},
		{ID: session1, AcctSessionID: "5E0B", Client: "roof", NAS: "ap-2", User: "tab\there\x1b[31m", Login: "x", Started: noon.Add(-4 * time.Hour), Updated: noon, Ended: noon, Closed: "silent"},
	}
	n.usage = []Usage{
		{Day: "2026-11-22", Backend: "nexudus", Login: "anna@example.com", Plan: "hot-desk", Sessions: 2, Duration: 90 * time.Minute, Input: 5, Output: 6},
		{Day: "2026-11-21", Login: "x", Sessions: 1},
	}
	n.devices = []Device{
		{MAC: "02:00:00:00:00:07", Backend: "nexudus", Login: "anna@example.com", Name: "the printer", Site: "berlin", Created: noon},
		{MAC: "02:00:00:00:00:08", Backend: "members", Login: "bob@example.com", Created: noon},
	}
	n.blocked = []Block{{MAC: "02:00:00:00:00:66", Why: "it mails spam", Created: noon}, {MAC: "02:00:00:00:00:67", Created: noon}}
	n.vouchers = []Voucher{
		{
			ID: "v-2", Code: "KEPT-BY-MISTAKE", Name: "conference", Plan: "guest", Site: "berlin", Valid: 24 * time.Hour, Devices: 2, Uses: 1, Created: noon.Add(-time.Hour),
			Expires: noon.Add(48 * time.Hour), FirstUsed: noon.Add(-time.Minute), Revoked: noon, Ends: noon,
		},
		{ID: "v-1", Name: "desk", Plan: "guest", Devices: 1, Created: noon},
	}
	n.entries = []PortalEntry{
		{
			ID: "e-2", At: noon, Site: "berlin", Method: "password", Login: "anna@example.com", Backend: "coworks", MAC: "02:00:00:00:00:01",
			IP: "192.0.2.77", Outcome: "deny", Reason: "refused", Status: 422, Took: 300 * time.Millisecond, PageID: 7,
		},
		{ID: "e-1", At: noon, Method: "voucher", Outcome: "allow"},
	}
	n.logins[7] = &PortalLogin{
		PageID: 7, UID: "room_401", MAC: "11:22:33:44:55:66", APMAC: "aa:bb:cc:dd:ee:ff", IP: netip.MustParseAddr("192.168.1.100"), Controller: netip.MustParseAddr("192.168.1.1"),
		OriginalURL: "https://www.example.com", Session: 2 * time.Hour, Idle: time.Hour, Started: noon.Add(-time.Hour), Until: noon.Add(time.Hour),
	}
	ended := *n.logins[7]
	ended.PageID, ended.Ended = 8, noon.Add(-time.Minute)
	n.logins[8] = &ended
	return n
}

func (n *house) takes(s *Session, q *SessionQuery) bool {
	return (q.Login == "" || member.FoldString(q.Login) == member.FoldString(s.Login)) && (q.MAC == "" || q.MAC == s.MAC) &&
		(q.Plan == "" || q.Plan == s.Plan) && (q.Site == "" || q.Site == s.Site) && (q.Client == "" || q.Client == s.Client) &&
		(q.Online == nil || *q.Online == s.Ended.IsZero()) && (q.From.IsZero() || !s.Started.Before(q.From)) && (q.Until.IsZero() || s.Started.Before(q.Until)) &&
		(q.After == "" || s.ID < q.After)
}

func (n *house) Sessions(_ context.Context, q *SessionQuery) (page []Session, next string, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.queries = append(n.queries, *q)
	if n.fault != nil && len(n.queries) > n.faultAt {
		return nil, "", n.fault
	}
	for i := range n.sessions {
		if !n.takes(&n.sessions[i], q) {
			continue
		}
		if len(page) == q.Limit {
			return page, page[len(page)-1].ID, nil
		}
		page = append(page, n.sessions[i])
	}
	return page, "", nil
}

func (n *house) Session(_ context.Context, id string) (*Session, []Attempt, error) {
	for i := range n.sessions {
		s := &n.sessions[i]
		switch {
		case s.ID == id, s.AcctSessionID == id && s.Ended.IsZero():
			return s, n.attempts, nil
		case id == "several":
			return nil, nil, &Refusal{Words: "Several sessions have this Acct-Session-Id."}
		}
	}
	return nil, nil, ErrUnknown
}

func (n *house) Kick(ctx context.Context, id string) (*Attempt, error) {
	s, _, err := n.Session(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case !s.Ended.IsZero():
		return nil, &Refusal{Words: "This session has ended."}
	case n.kicked == nil:
		<-ctx.Done()
		return nil, ErrPending
	}
	return n.kicked, nil
}

func (n *house) Usage(_ context.Context, q *UsageQuery) ([]Usage, error) {
	var page []Usage
	for _, u := range n.usage {
		after := q.After == UsageKey{} || u.Day < q.After.Day
		if after && (q.Login == "" || q.Login == u.Login) && (q.From == "" || u.Day >= q.From) && (q.Until == "" || u.Day <= q.Until) && len(page) < q.Limit {
			page = append(page, u)
		}
	}
	return page, nil
}

func (n *house) Devices(_ context.Context, q *DeviceQuery) ([]Device, error) {
	var all []Device
	for _, d := range slices.Backward(n.devices) {
		if (q.MAC == "" || q.MAC == d.MAC) && (q.Login == "" || q.Login == d.Login) && (q.Site == "" || d.Site == "" || q.Site == d.Site) {
			all = append(all, d)
		}
	}
	return all, nil
}

func (n *house) AddDevice(_ context.Context, d *Device) error {
	switch {
	case d.Login == "nobody":
		return ErrUnknown
	case slices.ContainsFunc(n.blocked, func(b Block) bool { return b.MAC == d.MAC }):
		return ErrBlocked
	case slices.ContainsFunc(n.devices, func(have Device) bool { return have.MAC == d.MAC && have.Login != d.Login }):
		return ErrExists
	}
	d.Created = n.now
	return nil
}

func (n *house) RemoveDevice(_ context.Context, mac string) error {
	if !slices.ContainsFunc(n.devices, func(d Device) bool { return d.MAC == mac }) {
		return ErrUnknown
	}
	return nil
}

func (n *house) Blocked(context.Context) ([]Block, error) {
	all := slices.Clone(n.blocked)
	slices.Reverse(all)
	return all, nil
}

func (n *house) Block(_ context.Context, mac, why string) error {
	n.blocked = append(n.blocked, Block{MAC: mac, Why: why, Created: n.now})
	return nil
}

func (n *house) Unblock(_ context.Context, mac string) error {
	if !slices.ContainsFunc(n.blocked, func(b Block) bool { return b.MAC == mac }) {
		return ErrUnknown
	}
	return nil
}

func (n *house) MakeVouchers(_ context.Context, o *VoucherOrder) ([]Voucher, error) {
	if o.Plan == "none" {
		return nil, &Refusal{Field: "plan", Words: "there is no such plan"}
	}
	var made []Voucher
	for i := range o.Count {
		made = append(made, Voucher{
			ID: fmt.Sprintf("v-%d", 10+i), Code: member.Secret(fmt.Sprintf("CODE-%04d", i)), Name: o.Name, Plan: o.Plan, Site: o.Site, Valid: o.Valid, Devices: o.Devices,
			Created: n.now, Expires: o.Expires,
		})
	}
	return made, nil
}

func (n *house) Vouchers(_ context.Context, q *VoucherQuery) ([]Voucher, error) {
	var page []Voucher
	for _, v := range n.vouchers {
		if (q.After == "" || v.ID < q.After) && (q.Name == "" || q.Name == v.Name) && (!q.Live || v.Ends.IsZero()) && len(page) < q.Limit {
			page = append(page, v)
		}
	}
	return page, nil
}

func (n *house) RevokeVoucher(_ context.Context, idOrName string) (int, error) {
	if !slices.ContainsFunc(n.vouchers, func(v Voucher) bool { return v.ID == idOrName || v.Name == idOrName }) {
		return 0, ErrUnknown
	}
	return 1, nil
}

func (n *house) PortalLog(_ context.Context, q *PortalLogQuery) ([]PortalEntry, error) {
	var page []PortalEntry
	for _, e := range n.entries {
		if (q.After == "" || e.ID < q.After) && (q.Outcome == "" || q.Outcome == e.Outcome) && (q.MAC == "" || q.MAC == e.MAC) && len(page) < q.Limit {
			page = append(page, e)
		}
	}
	return page, nil
}

// GrantLogin implements PortalLogins: nobody stays longer than four hours.
func (n *house) GrantLogin(_ context.Context, order *PortalLogin) (*PortalLogin, error) {
	if n.granting != nil {
		n.granting <- struct{}{}
		<-n.granting
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.orders = append(n.orders, *order)
	if n.refuse != nil {
		return nil, n.refuse
	}
	given := *order
	given.PageID = 12344 + int64(len(n.orders))
	if given.Session == 0 || given.Session > 4*time.Hour {
		given.Session = 4 * time.Hour
	}
	given.Started, given.Until = n.now, n.now.Add(given.Session)
	n.logins[given.PageID] = &given
	return &given, nil
}

func (n *house) RenewLogin(_ context.Context, page int64, session time.Duration) (*PortalLogin, error) {
	l := n.logins[page]
	switch {
	case l == nil:
		return nil, ErrUnknown
	case n.refuse != nil:
		return nil, n.refuse
	case !l.Ended.IsZero():
		return nil, ErrEnded
	}
	if session == 0 || session > 4*time.Hour {
		session = 4 * time.Hour
	}
	l.Session, l.Until = session, n.now.Add(session)
	return l, nil
}

func (n *house) EndLogin(_ context.Context, page int64) error {
	l := n.logins[page]
	if l == nil {
		return ErrUnknown
	}
	if l.Ended.IsZero() {
		l.Ended = n.now
	}
	return nil
}

func (n *house) FindLogin(_ context.Context, page int64) (*PortalLogin, error) {
	if l := n.logins[page]; l != nil {
		return l, nil
	}
	return nil, ErrUnknown
}
