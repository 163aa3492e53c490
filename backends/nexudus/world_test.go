package nexudus

import (
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/internal/nexudustest/standin"
	"memberradius/member"
)

// A world is a space at Nexudus, the backend that reads it, and the members as
// a store would keep them.
type world struct {
	t       *testing.T
	space   *standin.Server
	portal  *httptest.Server
	backend *Synced
	members *directory
	ahead   atomic.Int64 // of the world's clock
	said    []backends.Finding
	mu      sync.Mutex
}

// later moves the clock of both sides.
func (w *world) later(d time.Duration) { w.ahead.Add(int64(d)) }

// A directory is what a store keeps of the records of a sync.
type directory struct {
	mu      sync.RWMutex
	records map[string]*member.Record
	synced  bool
}

func (d *directory) Lookup(login string) (*member.Record, bool) {
	var room [member.MaxLogin]byte
	if len(login) > member.MaxLogin {
		return nil, false
	}
	folded := member.Fold(room[:0], login)
	d.mu.RLock()
	defer d.mu.RUnlock()
	r, ok := d.records[string(folded)]
	return r, ok
}

func (d *directory) Expect([]string) {}

func (d *directory) ready() bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.synced
}

const (
	hookSecret = "canary-hook-secret"
	acsToken   = "canary-acs-token"
)

// newWorld opens a backend on a space of its own, whose limits are off.
func newWorld(t *testing.T, change func(*standin.Server, *Config)) *world {
	t.Helper()
	w := &world{t: t, space: standin.New(), members: &directory{records: map[string]*member.Record{}}}
	c := Config{
		Username: w.space.Username, Password: member.Secret(w.space.Password), Space: "testspace",
		WebhookSecret: hookSecret, ACSToken: acsToken, Requests: 1_000_000, Timeout: 2 * time.Second,
	}
	w.space.HookSecret = hookSecret
	w.space.Now = func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }
	if change != nil {
		change(w.space, &c)
	}
	api := httptest.NewServer(w.space)
	t.Cleanup(api.Close)
	w.portal = httptest.NewServer(w.space.Portal())
	t.Cleanup(w.portal.Close)
	c.URL, c.MemberURL = api.URL, w.portal.URL
	b, err := c.Open(backends.Deps{
		Name: "nexudus", Directory: w.members, Synced: w.members.ready, Now: w.space.Now,
		Tell: func(f backends.Finding) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.said = append(w.said, f)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.backend = b.(*Synced)
	w.backend.admin.pause = time.Millisecond
	t.Cleanup(func() { _ = w.backend.Close() })
	return w
}

// sync reads and applies as a store would, whole or not at all.
func (w *world) sync(q backends.Query) error {
	w.t.Helper()
	said := map[string]*member.Record{}
	err := w.backend.Sync(w.t.Context(), &q, func(r *member.Record) error {
		folded := member.FoldString(r.Member.Login)
		if said[folded] != nil {
			w.t.Errorf("%s is said twice", r.Member.Login)
		}
		said[folded] = r
		return nil
	})
	if err != nil {
		return err
	}
	w.members.mu.Lock()
	defer w.members.mu.Unlock()
	w.members.synced = true
	if q.Everything() {
		w.members.records = map[string]*member.Record{}
	}
	for folded, r := range said {
		if r.Gone {
			delete(w.members.records, folded)
			continue
		}
		w.members.records[folded] = r
	}
	return nil
}

// full reads everything.
func (w *world) full() {
	w.t.Helper()
	if err := w.sync(backends.Query{}); err != nil {
		w.t.Fatal(err)
	}
}

// changes reads what changed in the last minute.
func (w *world) changes() {
	w.t.Helper()
	if err := w.sync(backends.Query{Since: w.space.Now().Add(-time.Minute)}); err != nil {
		w.t.Fatal(err)
	}
}

// logins are who is a member now.
func (w *world) logins() string {
	return strings.Join(slices.Sorted(maps.Keys(w.members.records)), " ")
}

// holders are who holds an active contract at Nexudus.
func (w *world) holders() string {
	var list []string
	for _, c := range w.space.Coworkers() {
		if slices.ContainsFunc(w.space.ContractsOf(c.ID), func(k standin.Contract) bool { return k.Active }) {
			list = append(list, c.Email)
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// get returns a member's record.
func (w *world) get(login string) *member.Record {
	w.t.Helper()
	r, ok := w.members.Lookup(login)
	if !ok {
		w.t.Fatalf("%s is no member; they are: %s", login, w.logins())
	}
	return r
}

// asked returns the requests to the space's lists since the last call, without
// their paging, and without signing in.
func (w *world) asked() []string {
	var list []string
	for _, r := range w.space.Asked() {
		if !strings.Contains(r, "/api/token") {
			list = append(list, r)
		}
	}
	return list
}

// pap is a try with a password in clear.
func pap(login string, password member.Secret) *member.Attempt {
	return &member.Attempt{Login: login, Port: 1812, Proof: member.Proof{Kind: member.Password, Password: password}}
}
