package presence

import (
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"memberradius/member"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// TestAttempt: what goes into a ledger is of a size that it takes.
func TestAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Rand = strings.NewReader("ten octets") })
		r.report("s", "anna", mac1)
		a, err := r.Kick(t.Context(), r.sessions["s"], strings.Repeat("ü", 200))
		if err != nil || len(a.Why) > member.MaxSessionText || !utf8.ValidString(a.Why) || !strings.HasSuffix(a.Why, "ü...") {
			t.Errorf("%q, %v", a.Why, err)
		}
		if want := "00dc6acf-ac00-7465-ae20-6f6374657473"; a.ID != want { // 2000-01-01, and the ten octets
			t.Errorf("the ID is %s, want %s", a.ID, want)
		}
		if a, err = r.Kick(t.Context(), r.sessions["s"], "operator"); err != nil || a.ID != "" {
			t.Errorf("%q, %v", a.ID, err)
		}
		if _, err := r.Kick(t.Context(), Session{ID: "s"}, "operator"); err == nil {
			t.Error("a session of which nothing is known was kicked")
		}
	})
}

// TestMetrics: they can be registered, and only once.
func TestMetrics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewPedanticRegistry()
		r := newRig(t, func(c *Config) { c.Metrics = registry })
		r.report("s", "anna", mac1)
		if _, err := r.Kick(t.Context(), r.sessions["s"], "operator"); err != nil {
			t.Error(err)
		}
		problems, err := testutil.GatherAndLint(registry)
		if err != nil || len(problems) > 0 {
			t.Errorf("%v, %v", problems, err)
		}
		if n, err := testutil.GatherAndCount(registry, "memberradius_presence_attempts_total"); err != nil || n != 1 {
			t.Errorf("%d, %v", n, err)
		}
		if _, err := New(r.config); err == nil {
			t.Error("registered twice")
		}
		if _, err := New(Config{}); err == nil {
			t.Error("a Presence of nothing")
		}
	})
}
