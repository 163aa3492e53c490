package provision

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/member"
	"memberradius/mschap"
	"memberradius/store"
)

const hundredThousand = 100_000

// space are as many members as a large one has, made one by one as pages bring them.
func space(change func(int, *member.Record)) answer {
	return func(_ context.Context, _ *backends.Query, out func(*member.Record) error) error {
		for i := range hundredThousand {
			r := rec(fmt.Sprint(1_000_000+i), fmt.Sprintf("member%06d", i), "Hot Desk")
			r.Member.MembershipID = fmt.Sprint(2_000_000 + i)
			r.Member.Team = fmt.Sprint("Team ", i%100)
			r.Member.Terms = []member.Term{{From: epoch}}
			change(i, &r)
			if err := out(&r); err != nil {
				return err
			}
		}
		return nil
	}
}

// resident returns the most memory that this process has had, in MB.
func resident() float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(text), "VmHWM:")
	var kb float64
	_, _ = fmt.Sscan(after, &kb)
	return kb / 1024
}

// BenchmarkSync syncs 100,000 members over the real store: the first time, again
// with nothing changed, with 10 changes, and by a hook.
func BenchmarkSync(b *testing.B) {
	for _, mode := range []struct {
		name    string
		secrecy backends.Secrecy
	}{{"generated", backends.Generated}, {"brought", backends.Brought}} {
		b.Run(mode.name, func(b *testing.B) {
			s, err := store.Open(b.Context(), store.Config{Dir: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			members, err := s.Members(b.Context(), "nexudus")
			if err != nil {
				b.Fatal(err)
			}
			src := &source{}
			r := New(Config{
				Backend: "nexudus", Store: s, Source: src, Secrecy: mode.secrecy, Provision: true, Deprovision: true, Mail: true,
				NTHash:  func(password string) member.Hash { return mschap.NTHash(password) },
				Refresh: members.Refresh,
			})
			bring := func(r *member.Record) {
				if mode.secrecy == backends.Brought {
					r.Credential.Password = member.Secret("pin " + r.Member.ID)
				}
			}
			measure := func(name string, say answer, o Options) {
				src.answer(say)
				start := time.Now()
				rep, err := r.Run(b.Context(), o)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(time.Since(start).Milliseconds()), name+"-ms")
				b.Logf("%s: %s; at most %.0f MB until here", name, rep, resident())
			}
			for b.Loop() {
				measure("first", space(func(_ int, r *member.Record) { bring(r) }), Options{Full: true})
				measure("full", space(func(_ int, r *member.Record) { bring(r) }), Options{Full: true})
				var changed []member.Record
				for i := range 10 {
					c := rec(fmt.Sprint(1_000_000+i), fmt.Sprintf("member%06d", i), "Office")
					bring(&c)
					changed = append(changed, c)
				}
				measure("changes", saying(changed...), Options{})
				start := time.Now()
				if err := r.Push(b.Context(), &backends.Push{Records: changed[:1]}); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(time.Since(start).Microseconds()), "push-µs")
			}
		})
	}
}
