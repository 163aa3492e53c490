package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/member"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/sirupsen/logrus"
	logtest "github.com/sirupsen/logrus/hooks/test"
)

// directory is a member system of one member, in memory.
type directory struct{ login string }

func (d directory) Known(a *member.Attempt, out *member.Answer) backends.Memory {
	if a.Login != d.login {
		return backends.Absent
	}
	*out = member.Answer{Verdict: member.Allow}
	return backends.Found
}

func (d directory) Ask(_ context.Context, a *member.Attempt) (member.Answer, error) {
	var out member.Answer
	if d.Known(a, &out) == backends.Absent {
		return out, member.ErrUnknown
	}
	return out, nil
}

// away is a member system that could not say.
type away struct{ err error }

func (a away) Ask(context.Context, *member.Attempt) (member.Answer, error) {
	return member.Answer{}, a.err
}

func TestSiteMembers(t *testing.T) {
	t.Parallel()
	down := away{&backends.Error{Class: backends.Unreachable, Backend: "club", Err: errors.New("no route")}}
	var complained []error
	m := &siteMembers{
		sites: map[string]asker{
			"memory": backends.NewChain(backends.Named{Name: "staff", Backend: directory{"bob"}}),
			"live":   backends.NewChain(backends.Named{Name: "staff", Backend: directory{"bob"}}, backends.Named{Name: "club", Backend: down}),
			"broken": backends.NewChain(backends.Named{Name: "x", Backend: away{errors.New("x")}}),
		},
		complain: func(err error) { complained = append(complained, err) },
	}
	tests := []struct {
		site, login string
		known       bool
		verdict     member.Verdict
		reason      member.Reason
		source      string
	}{
		{"memory", "bob", true, member.Allow, member.ReasonNone, "staff"},
		{"memory", "eve", true, member.Deny, member.ReasonUnknownLogin, ""},
		{"live", "bob", true, member.Allow, member.ReasonNone, "staff"},
		{"live", "eve", false, member.Unanswered, member.ReasonUnreachable, "club"},
		{"broken", "bob", false, member.Unanswered, member.ReasonUnanswered, ""},
		{"nowhere", "bob", false, member.Unanswered, member.ReasonInternal, ""},
	}
	for _, tt := range tests {
		a := &member.Attempt{Site: tt.site, Login: tt.login}
		var ans member.Answer
		if got := m.Known(a, &ans); got != tt.known {
			t.Errorf("%s at %s: Known = %v", tt.login, tt.site, got)
		}
		if !tt.known {
			ans = m.Ask(t.Context(), a)
		}
		if ans.Verdict != tt.verdict || ans.Reason != tt.reason || ans.Source != tt.source {
			t.Errorf("%s at %s: %v, %v, said by %q", tt.login, tt.site, ans.Verdict, ans.Reason, ans.Source)
		}
	}
	if len(complained) != 2 {
		t.Errorf("%d complaints, want 2: %v", len(complained), complained)
	}
}

func TestKnownAllocatesNothing(t *testing.T) {
	m := &siteMembers{sites: map[string]asker{"main": backends.NewChain(backends.Named{Name: "staff", Backend: directory{"bob"}})}}
	a := &member.Attempt{Site: "main", Login: "bob"}
	var ans member.Answer
	if n := testing.AllocsPerRun(100, func() { m.Known(a, &ans) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestComplaintsDoNotFlood(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := logrus.New()
	log.SetOutput(&out)
	c := newComplaints(log)
	now := time.Unix(1_800_000_000, 0)
	c.now = func() time.Time { return now }
	slow := &backends.Error{Class: backends.Timeout, Backend: "club", Err: errors.New("3 s are over")}
	for range 1000 {
		c.say(slow)
		c.say(&backends.Error{Class: backends.Faulty, Backend: "club", Err: errors.New("HTTP 500")})
	}
	if n := strings.Count(out.String(), "\n"); n != 2 {
		t.Errorf("%d lines, want one for each class: %s", n, out.String())
	}
	now = now.Add(complainEvery)
	c.say(slow)
	if n := strings.Count(out.String(), "\n"); n != 3 || !strings.Contains(out.String(), "3 s are over") {
		t.Errorf("%d lines, want 3: %s", n, out.String())
	}
}

func TestStoreOutOfReachAndBack(t *testing.T) {
	t.Parallel()
	log, seen := logtest.NewNullLogger()
	say := newSystems(t.TempDir(), log).watched("members")
	say(errors.New("the disk failed"))
	say(nil)
	want := []logrus.Level{logrus.ErrorLevel, logrus.InfoLevel}
	for i, e := range seen.AllEntries() {
		if i >= len(want) || e.Level != want[i] || e.Data["backend"] != "members" {
			t.Errorf("line %d: %s %q %v", i, e.Level, e.Message, e.Data)
		}
	}
	if n := len(seen.AllEntries()); n != len(want) {
		t.Errorf("%d lines", n)
	}
}

// TestTolerance: the metric is of the configuration in force.
func TestTolerance(t *testing.T) {
	t.Parallel()
	var inForce *config
	m := newTolerance(func() *config { return inForce })
	const name = "memberradius_client_tolerates_no_message_authenticator"
	if n := testutil.CollectAndCount(m, name); n != 0 {
		t.Errorf("%d without a configuration", n)
	}
	inForce, _ = readConfig("config.toml", t.TempDir(), good+"require_message_authenticator = false\n")
	want := "# HELP " + name + " 1 for each client that may send Access-Requests without Message-Authenticator (CVE-2024-3596).\n" +
		"# TYPE " + name + " gauge\n" + name + "{client=\"lobby\"} 1\n"
	if err := testutil.CollectAndCompare(m, strings.NewReader(want), name); err != nil {
		t.Error(err)
	}
	inForce, _ = readConfig("config.toml", t.TempDir(), good)
	if n := testutil.CollectAndCount(m, name); n != 0 {
		t.Errorf("%d where all clients sign", n)
	}
}

func TestBackendMetrics(t *testing.T) {
	t.Parallel()
	m := newBackendMeters()
	registry := prometheus.NewRegistry()
	registry.MustRegister(m)
	m.of("club")
	m.of("gone")
	m.keep([]string{"club"})
	bulkhead := backends.NewBulkhead(directory{"bob"}, 1, backends.Deps{Name: "club", Meter: m.of("club")})
	for _, login := range []string{"bob", "bob", "eve"} {
		_, _ = bulkhead.Ask(t.Context(), &member.Attempt{Login: login})
	}
	const want = `# HELP memberradius_backend_answers_total Answers that a member system gave.
# TYPE memberradius_backend_answers_total counter
memberradius_backend_answers_total{answer="allow",backend="club"} 2
memberradius_backend_answers_total{answer="deny",backend="club"} 0
memberradius_backend_answers_total{answer="unknown",backend="club"} 1
`
	if err := testutil.CollectAndCompare(m, strings.NewReader(want), "memberradius_backend_answers_total"); err != nil {
		t.Error(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "memberradius_backend_call_seconds" && f.GetMetric()[0].GetHistogram().GetSampleCount() != 3 {
			t.Errorf("latency: %v", f)
		}
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}
