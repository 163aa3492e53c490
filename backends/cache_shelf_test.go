package backends

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"memberradius/member"
)

// A shelf in memory that can fail.
type shelf struct {
	mu   sync.Mutex
	rows map[[32]byte]row
	err  error
}

type row struct {
	value []byte
	until time.Time
}

func (s *shelf) Change(_ context.Context, backend string, f func(func([32]byte, []byte, time.Time) error, func([32]byte) error) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	return f(func(key [32]byte, value []byte, until time.Time) error {
		s.rows[key] = row{append([]byte(backend+"|"), value...), until}
		return nil
	}, func(key [32]byte) error {
		delete(s.rows, key)
		return nil
	})
}

func (s *shelf) Each(_ context.Context, backend string, f func([32]byte, []byte, time.Time) error) error {
	s.mu.Lock()
	rows, err := maps.Clone(s.rows), s.err
	s.mu.Unlock()
	for k, r := range rows {
		if err := f(k, r.value[len(backend)+1:], r.until); err != nil {
			return err
		}
	}
	return err
}

func (s *shelf) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rows)
}

func (s *shelf) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

var key = Key{1, 2, 3}

func TestGraceSurvivesARestart(t *testing.T) {
	t.Parallel()
	at := newClock()
	ans := member.Answer{
		Verdict: member.Allow, Proved: true, Source: "club", Message: "hi", ReturnURL: "https://a.example",
		Member: member.Member{
			Backend: "club", Login: "bob", ID: "1", MembershipID: "2", Name: "Bob", Plans: []string{"a", "b"}, Team: "Acme",
			VLAN: "77", Devices: 3, ValidUntil: at.t.Add(time.Hour),
		},
		Attributes: []member.Attribute{{Name: "Filter-Id", Value: "x", Op: member.OpAdd}},
	}
	f := always(ans, nil)
	s := &shelf{rows: map[[32]byte]row{}}
	config := CacheConfig{Deps: Deps{Name: "club", Shelf: s, Key: key, Now: at.now}, Fresh: time.Minute, Grace: 24 * time.Hour}
	c := NewCache(f, config)
	_, _ = c.Ask(t.Context(), pap("bob", "hello"))
	secret := ans
	secret.NTKey = &member.Hash{1}
	f.say = always(secret, nil).say
	_, _ = c.Ask(t.Context(), pap("eve", "hello"))
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if s.count() != 1 {
		t.Fatalf("%d answers on the shelf; one holds a key and must not be there", s.count())
	}
	for k, r := range s.rows {
		if text := string(r.value) + string(k[:]); strings.Contains(text, "hello") || !r.until.Equal(at.t.Add(time.Hour)) {
			t.Errorf("on the shelf until %s: %q", r.until, text)
		}
	}
	at.add(10 * time.Minute)
	f.say = fails(Unreachable).say
	c = NewCache(f, config)
	got, err := c.Ask(t.Context(), pap("BOB", "hello"))
	want := ans
	want.Age, want.Fresh = 10*time.Minute, time.Minute
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("after the restart: %+v, %v, want %+v", got, err, want)
	}
	if _, err := c.Ask(t.Context(), pap("bob", "wrong")); err == nil {
		t.Error("grace for a wrong password")
	}
	// A refusal reaches the shelf too.
	f.say = always(deny, nil).say
	_, _ = c.Ask(t.Context(), pap("bob", "hello"))
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if s.count() != 0 {
		t.Error("the refused answer is still on the shelf")
	}
}

func TestLoadTakesNothingOdd(t *testing.T) {
	t.Parallel()
	at := newClock()
	value := func(v int, when time.Time) []byte {
		b, _ := json.Marshal(record{Version: v, At: when, Proved: true})
		return append([]byte("club|"), b...)
	}
	s := &shelf{rows: map[[32]byte]row{
		{1}: {value(entryVersion, at.t.Add(-time.Minute)), at.t.Add(time.Hour)},
		{2}: {value(entryVersion+1, at.t), at.t.Add(time.Hour)},
		{3}: {[]byte("club|{"), at.t.Add(time.Hour)},
		{4}: {value(entryVersion, at.t.AddDate(25, 0, 0)), at.t.AddDate(25, 0, 1)}, // a clock that was 25 years off
		{5}: {value(entryVersion, at.t.Add(-time.Hour)), at.t},
		{6}: {value(entryVersion, time.Time{}), at.t.Add(time.Hour)},
		{7}: {value(entryVersion, at.t.Add(time.Minute)), at.t.Add(time.Hour)},
	}}
	c := newCache(t, always(allow, nil), CacheConfig{Deps: Deps{Shelf: s, Key: key, Now: at.now}, Grace: time.Hour})
	var out member.Answer
	for i := byte(1); i <= 7; i++ {
		if got := c.recall([32]byte{i}, time.Hour, &out); got != (i == 1 || i == 7) {
			t.Errorf("row %d: %v", i, got)
		}
		if out.Age < 0 {
			t.Errorf("row %d is %s old", i, out.Age)
		}
	}
	_ = c.Close()
	if s.count() != 2 {
		t.Errorf("%d rows stay", s.count())
	}
}

// TestShelfThatFails holds up no ask, is told once, and catches up.
func TestShelfThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var told []Finding
		s, m := &shelf{rows: map[[32]byte]row{}, err: errBad}, new(Meter)
		d := Deps{Name: "club", Shelf: s, Key: key, Meter: m, Tell: func(f Finding) { mu.Lock(); told = append(told, f); mu.Unlock() }}
		f := always(allow, nil)
		c := NewCache(f, CacheConfig{Deps: d, Fresh: time.Hour})
		told = nil // of the load
		for i := range maxWaiting + 50 {
			if _, err := c.Ask(t.Context(), pap(fmt.Sprint(i), "hello")); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(10 * time.Second)
		if got := m.Figures(); len(told) != 1 || got.ShelfDropped == 0 || got.ShelfDropped > 50 || got.ShelfFailed < 5 {
			t.Errorf("told %d times, %d dropped, %d failed", len(told), got.ShelfDropped, got.ShelfFailed)
		}
		c.keep(c.keyed.of(pap("0", "hello")), &deny, nil)
		s.fail(nil)
		time.Sleep(10 * time.Second)
		want := maxWaiting + 50 - int(m.Figures().ShelfDropped)
		if n := s.count(); n != want-1 && n != want {
			t.Errorf("%d on the shelf, want %d", n, want)
		}
		if _, ok := s.rows[c.keyed.of(pap("0", "hello"))]; ok {
			t.Error("what was refused meanwhile is on the shelf")
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if err := c.Close(); err != nil {
			t.Errorf("closed twice: %v", err)
		}
	})
}

// TestLaterWordHolds: what the store failed to write must not come back over a
// refusal that came meanwhile.
func TestLaterWordHolds(t *testing.T) {
	t.Parallel()
	s := newShelver(Deps{Name: "club"})
	batch := map[[32]byte]parcel{{1}: {entry: &entry{}}, {2}: {entry: &entry{}}}
	s.remove([32]byte{1})
	s.failed(batch, errBad)
	if s.waiting[[32]byte{1}].entry != nil || s.waiting[[32]byte{2}].entry == nil {
		t.Errorf("waiting is %v", s.waiting)
	}
}

func TestRandomKeyUsesNoShelf(t *testing.T) {
	t.Parallel()
	s := &shelf{rows: map[[32]byte]row{}}
	c := newCache(t, always(allow, nil), CacheConfig{Deps: Deps{Shelf: s}, Fresh: time.Hour})
	_, _ = c.Ask(t.Context(), pap("bob", "hello"))
	_ = c.Close()
	if s.count() != 0 {
		t.Error("an answer was kept that nobody can find again")
	}
	if text := fmt.Sprintf("%v %+v %#v %x", key, key, key, key); strings.ContainsAny(text, "123") {
		t.Errorf("a key prints as %s", text)
	}
}

func FuzzEntry_NoPanic(f *testing.F) {
	f.Add([]byte(`{"v":1,"at":"2026-01-01T00:00:00Z"}`))
	f.Add([]byte(`{"v":1,"at":"x"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decodeEntry(b)
		if err == nil && (e.answer.Verdict != member.Allow || e.at.IsZero() || e.answer.Credential != nil || e.answer.NTKey != nil) {
			t.Errorf("%q is read as %+v", b, e)
		}
	})
}

func FuzzEntry_RoundTrip(f *testing.F) {
	f.Add("bob", "hot-desk", "77", int64(1), true)
	f.Fuzz(func(t *testing.T, login, plan, vlan string, at int64, proved bool) {
		clean := func(s string) string { return strings.ToValidUTF8(s, "") }
		in := &entry{at: time.Unix(at%250_000_000_000, 0).UTC(), answer: member.Answer{
			Verdict: member.Allow, Proved: proved, Message: clean(plan),
			Member: member.Member{Login: clean(login), Plans: []string{clean(plan)}, VLAN: member.VLAN(clean(vlan))},
		}}
		b, err := encodeEntry(in)
		if err != nil || in.at.IsZero() {
			t.Skip()
		}
		out, err := decodeEntry(b)
		if err != nil || !out.at.Equal(in.at) || !reflect.DeepEqual(out.answer, in.answer) {
			t.Errorf("%v: %+v became %+v", err, in, out)
		}
	})
}
