package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"memberradius/member"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// A world is what the API is handed: members in memory, and a member system
// whose runs the test ends.
type world struct {
	mu      sync.Mutex
	members []Kept // by backend and folded login
	plans   []*member.Plan
	systems []Backend
	runs    []Run
	ordered []Order
	outcome chan *Outcome // what the next run ends with
	fault   error         // what everything fails with
	deeds   []Deed
	faults  []error
	wait    time.Duration
	now     time.Time
	house   *house
}

// tokens by the text that is presented; the name is the same.
func tokens() map[string][]string {
	t := map[string][]string{"mr_none": {}, "mr_admin": {"admin"}}
	for _, s := range Scopes() {
		t["mr_"+s] = []string{s}
	}
	return t
}

func (w *world) FindToken(_ context.Context, presented member.Secret) (*Token, error) {
	scopes, ok := tokens()[string(presented)]
	if !ok {
		return nil, ErrNoToken
	}
	return &Token{ID: string(presented), Name: string(presented), Scopes: scopes}, nil
}

func compare(k *Kept, to Key) int {
	return strings.Compare(k.Member.Backend+"\x00"+member.FoldString(k.Member.Login), to.Backend+"\x00"+member.FoldString(to.Login))
}

func (w *world) Each(_ context.Context, only string, after Key, f func(*Kept) bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fault != nil {
		return w.fault
	}
	if only != "" && only != "members" && only != "nexudus" {
		return ErrUnknown
	}
	for i := range w.members {
		k := &w.members[i]
		if (only == "" || only == k.Member.Backend) && compare(k, after) > 0 && !f(k) {
			break
		}
	}
	return nil
}

func (w *world) find(k Key) (int, bool) {
	return slices.BinarySearchFunc(w.members, k, func(m Kept, k Key) int { return compare(&m, k) })
}

func (w *world) Get(_ context.Context, k Key) (*Kept, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i, ok := w.find(k)
	if !ok {
		return nil, ErrUnknown
	}
	kept := w.members[i]
	return &kept, nil
}

func (w *world) Add(_ context.Context, e *Edit) (Key, member.Secret, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := Key{e.Member.Backend, e.Member.Login}
	if k.Backend == "" {
		k.Backend = "members"
	}
	if k.Backend != "members" {
		return Key{}, "", ErrUnknown
	}
	i, there := w.find(k)
	if there {
		return Key{}, "", ErrExists
	}
	if len(e.Member.Name) > 1024 {
		return Key{}, "", &Refusal{Field: "name", Words: "it has more than 1024 octets"}
	}
	kept := Kept{Member: e.Member, Email: e.Email, HasCredential: true, Created: w.now, Updated: w.now}
	kept.Member.Backend = k.Backend
	w.members = slices.Insert(w.members, i, kept)
	if e.Password != "" {
		return k, "", nil
	}
	return k, "made-made-made-made", nil
}

func (w *world) Change(_ context.Context, e *Edit) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	i, ok := w.find(Key{e.Member.Backend, e.Member.Login})
	if !ok {
		return ErrUnknown
	}
	if e.Member.Backend != "members" {
		return &Refusal{Words: "The members of nexudus are changed there."}
	}
	m := &w.members[i]
	for field, set := range map[Fields]func(){
		FieldName: func() { m.Member.Name = e.Member.Name }, FieldEmail: func() { m.Email = e.Email },
		FieldPlans: func() { m.Member.Plans = e.Member.Plans }, FieldTeam: func() { m.Member.Team = e.Member.Team },
		FieldVLAN: func() { m.Member.VLAN = e.Member.VLAN }, FieldValidFrom: func() { m.Member.ValidFrom = e.Member.ValidFrom },
		FieldValidUntil: func() { m.Member.ValidUntil = e.Member.ValidUntil }, FieldDevices: func() { m.Member.Devices = e.Member.Devices },
		FieldDisabled: func() { m.Member.Disabled = e.Member.Disabled },
	} {
		if e.Fields&field != 0 {
			set()
		}
	}
	return nil
}

func (w *world) Remove(_ context.Context, k Key) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	i, ok := w.find(k)
	if !ok {
		return ErrUnknown
	}
	if k.Backend != "members" {
		return &Refusal{Words: "The members of nexudus end there."}
	}
	w.members = slices.Delete(w.members, i, i+1)
	return nil
}

func (w *world) Renew(ctx context.Context, k Key) (member.Secret, error) {
	kept, err := w.Get(ctx, k)
	if err == nil && kept.Member.Login == "live@example.com" {
		err = &Refusal{Words: "Her password is kept by nexudus."}
	}
	return "newp-newp-newp-newp", err
}

func (w *world) Link(ctx context.Context, k Key) (member.Secret, time.Time, error) {
	kept, err := w.Get(ctx, k)
	if err == nil && kept.Member.Login == "live@example.com" {
		err = &Refusal{Words: "There are no personal pages here."}
	}
	return "one-time", noon.Add(72 * time.Hour), err
}

func (w *world) Plans() []*member.Plan { return w.plans }

func (w *world) Backends(context.Context) ([]Backend, error) { return w.systems, nil }

func (w *world) Start(_ context.Context, o Order) (*Started, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ordered = append(w.ordered, o)
	switch o.Backend {
	case "nexudus":
		return &Started{ID: "run-7", Outcome: w.outcome}, nil
	case "members":
		return nil, &Refusal{Words: "Members of kind local are not read from anywhere."}
	}
	return nil, ErrUnknown
}

func (w *world) Runs(_ context.Context, backend string, most int) ([]Run, error) {
	if backend != "" && backend != "nexudus" {
		return nil, ErrUnknown
	}
	return w.runs[:min(most, len(w.runs))], nil
}

func (w *world) clock() time.Time { return w.now }

// newWorld has one member of every kind, plans, systems and runs with every field set.
func newWorld() *world {
	run := Run{
		ID: "run-6", Backend: "nexudus", Trigger: "schedule", Kind: "full", Started: noon.Add(-time.Hour), Ended: noon.Add(-time.Hour + time.Second),
		Added: 1, Changed: 2, Returned: 3, Lapsed: 4, Unchanged: 5, Skipped: 6, Requests: 7, Pages: 8, Held: true,
		Error: "page 3: 500", Notes: []string{`the plan "Gold" matches none here`},
	}
	hours, _ := member.ParseHours("Mon-Fri 08:00-20:00")
	w := &world{now: noon, house: newHouse(), outcome: make(chan *Outcome, 1), runs: []Run{run, {ID: "run-5", Backend: "nexudus", Started: noon.Add(-2 * time.Hour)}}}
	w.plans = []*member.Plan{
		{
			Name: "hot-desk", Match: []string{"Hot Desk"}, VLAN: "101", Down: member.Rate{Bits: 5e7}, Up: member.Rate{Bits: 2e7}, Session: 12 * time.Hour,
			Idle: 30 * time.Minute, Interim: 10 * time.Minute, Devices: 3, Hours: hours, SSIDs: []string{"Members"}, Valid: 24 * time.Hour, Priority: 10,
		},
		{Name: "guest"},
	}
	w.systems = []Backend{
		{Name: "members", Kind: "local", State: StateReady, Members: 3, Stored: true, Editable: true},
		{Name: "nexudus", Kind: "nexudus", State: StateHeld, Detail: "run sync --accept", Members: 2, Stored: true, Syncs: true, LastRun: &run},
	}
	whole := Kept{Email: "anna@mail.example.com", HasCredential: true, Created: noon.Add(-time.Hour), Updated: noon, Lapsed: noon.Add(-time.Minute), Member: member.Member{
		Backend: "nexudus", Login: "anna@example.com", ID: "42", MembershipID: "43", Name: "Anna", Plans: []string{"Hot Desk"}, Team: "Acme", VLAN: "7", OfficeVLAN: "8",
		TeamVLAN: "9", ValidFrom: noon.Add(-time.Hour), ValidUntil: noon.Add(time.Hour), Devices: 2, Disabled: true, CheckedOut: true,
	}}
	w.members = []Kept{
		{Member: member.Member{Backend: "members", Login: "bob@example.com", Plans: []string{"hot-desk"}}, Created: noon, Updated: noon},
		{Member: member.Member{Backend: "members", Login: "Carol@example.com", ValidUntil: noon}, Created: noon, Updated: noon},
		{Member: member.Member{Backend: "members", Login: "odd/login ä%", Disabled: true}, Created: noon, Updated: noon},
		whole,
		{Member: member.Member{Backend: "nexudus", Login: "live@example.com", CheckedOut: true}, Created: noon, Updated: noon},
	}
	return w
}

func (w *world) serve(t *testing.T) http.Handler {
	t.Helper()
	h, err := New(Config{
		Tokens: w, Members: w, Editor: w, Access: w, Plans: w, Backends: w, Runs: w, PublicURL: "https://wifi.example.com/",
		Sessions: w.house, Kicker: w.house, Usages: w.house, Devices: w.house, Blocks: w.house, Vouchers: w.house,
		PortalLog: w.house, PortalLogins: w.house, PortalPages: w.house,
		Told: func(d Deed) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.deeds = append(w.deeds, d)
		},
		Fault: func(err error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.faults = append(w.faults, err)
		},
		Wait: w.wait, Now: w.clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// A call is one request.
type call struct {
	method, path, body, token string
}

// do sends c and returns what came back. A body is JSON.
func do(h http.Handler, c call) *httptest.ResponseRecorder {
	var body io.Reader
	if c.body != "" {
		body = strings.NewReader(c.body)
	}
	r := httptest.NewRequest(c.method, c.path, body)
	if c.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// problemIn reads a problem.
func problemIn(t *testing.T, w *httptest.ResponseRecorder) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Header().Get("Content-Type") != "application/problem+json" || p.Status != w.Code || p.Title == "" || p.Detail == "" {
		t.Errorf("no problem: %d %s %q, %v", w.Code, w.Header().Get("Content-Type"), w.Body, err)
	}
	return p
}

var errStore = errors.New("disk is full at /var/lib")
