package policy

import (
	"testing"
	"time"

	"memberradius/member"
)

// uses are first uses in memory.
type uses map[string]time.Time

func (u uses) Used(m *member.Member, plan string) (time.Time, bool) {
	t, ok := u[m.Login+" "+plan]
	return t, ok
}

func (u uses) Use(m *member.Member, plan string, now time.Time) { u[m.Login+" "+plan] = now }

// A plan holds for its term alone: bought, valid for so long, cancelled. Where
// one has run out the next holds, and a member whose every plan has run out is
// told so, and not given the plan of guests.
func TestTerms(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	at := func(hours int) time.Time { return now.Add(time.Duration(hours) * time.Hour) }
	plans := []member.Plan{
		{Name: "day", Valid: 24 * time.Hour, Priority: 5},
		{Name: "office", Priority: 10}, {Name: "desk", Priority: 1}, {Name: "guest"},
	}
	for _, c := range []struct {
		name    string
		site    string
		plans   []string
		terms   []member.Term
		used    uses
		plan    string
		reason  member.Reason
		session time.Duration
	}{
		{"bought an hour ago", "", []string{"day"}, []member.Term{{From: at(-1)}}, nil, "day", 0, 23 * time.Hour},
		{"bought a day ago", "", []string{"day"}, []member.Term{{From: at(-24)}}, nil, "", member.ReasonExpired, 0},
		{"bought for tomorrow", "", []string{"day"}, []member.Term{{From: at(20)}}, nil, "", member.ReasonNotYetValid, 0},
		{"first use", "", []string{"day"}, nil, nil, "day", 0, 24 * time.Hour},
		{"used before", "", []string{"day"}, nil, uses{"anna day": at(-20)}, "day", 0, 4 * time.Hour},
		{"used up", "", []string{"day"}, nil, uses{"anna day": at(-25)}, "", member.ReasonExpired, 0},
		{"used up is no guest", "guests", []string{"day"}, nil, uses{"anna day": at(-25)}, "", member.ReasonExpired, 0},
		{"cancelled sooner than valid", "", []string{"day"}, []member.Term{{From: at(-1), Until: at(2)}}, nil, "day", 0, 2 * time.Hour},
		{"a contract that ends", "", []string{"office"}, []member.Term{{Until: at(48)}}, nil, "office", 0, 48 * time.Hour},
		{"a contract that has ended", "", []string{"office", "desk"}, []member.Term{{Until: at(0)}, {}}, nil, "desk", 0, 0},
		{"the highest that runs", "", []string{"desk", "day", "office"}, []member.Term{{}, {From: at(-2)}, {From: at(1)}}, nil, "day", 0, 22 * time.Hour},
		{"terms of the first alone", "", []string{"day", "desk"}, []member.Term{{From: at(-30)}}, nil, "desk", 0, 0},
		{"unmapped that runs, over besides", "guests", []string{"odd", "day"}, []member.Term{{Until: at(3)}, {From: at(-30)}}, nil, "guest", 0, 3 * time.Hour},
		{"unmapped that is over", "guests", []string{"odd"}, []member.Term{{Until: at(-1)}}, nil, "", member.ReasonExpired, 0},
		{"unmapped, no guests", "", []string{"odd"}, nil, nil, "", member.ReasonNoPlan, 0},
		{"day pass for guests, first use", "passes", nil, nil, nil, "day", 0, 24 * time.Hour},
		{"day pass for guests, used up", "passes", nil, nil, uses{"anna day": at(-24)}, "", member.ReasonExpired, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config := Config{Plans: plans, Sites: []Site{{Name: "guests", DefaultPlan: "guest"}, {Name: "passes", DefaultPlan: "day"}}}
			if c.used == nil {
				c.used = uses{}
			}
			before := len(c.used)
			config.Uses = c.used
			in := Input{Site: c.site, Now: now, Answer: &member.Answer{Member: member.Member{Login: "anna", Plans: c.plans, Terms: c.terms}}}
			out, reason := compose(t, book(t, config), in)
			if reason != c.reason || reason == member.ReasonNone && out.Plan() != c.plan {
				t.Fatalf("plan %q, %v; want %q, %v", out.Plan(), reason, c.plan, c.reason)
			}
			if got := out.SessionTimeout(); got != c.session {
				t.Errorf("Session-Timeout %v, want %v", got, c.session)
			}
			begins := c.plan == "day" && c.terms == nil && before == 0
			if _, begun := c.used["anna day"]; begun != begins && before == 0 {
				t.Errorf("first use remembered: %t, want %t", begun, begins)
			}
		})
	}
}

// Who may not use the plan here and now has not begun to use it.
func TestRefusedIsNoUse(t *testing.T) {
	t.Parallel()
	u := uses{}
	b := book(t, Config{Uses: u, Plans: []member.Plan{{Name: "day", Valid: time.Hour, SSIDs: []string{"Members"}}}})
	in := Input{Now: time.Now(), SSID: "Other", Answer: &member.Answer{Member: member.Member{Login: "anna", Plans: []string{"day"}}}}
	if _, reason := compose(t, b, in); reason != member.ReasonWrongSSID || len(u) != 0 {
		t.Errorf("%v, and %d uses", reason, len(u))
	}
}
