package provision

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"memberradius/member"
	"memberradius/store"
)

// notes are what the operator should look at after a run, as many as the
// journal keeps.
type notes struct {
	lines []string
	more  int // that there was no room for
	// plans counts the members of each plan that is not mapped.
	plans map[string]int
}

func (n *notes) add(format string, args ...any) {
	if len(n.lines) >= store.MaxNotes {
		n.more++
		return
	}
	n.lines = append(n.lines, fmt.Sprintf(format, args...))
}

// unmapped counts the plans of m that known does not know.
func (n *notes) unmapped(m *member.Member, known func(string) bool) {
	for _, plan := range m.Plans {
		if known(plan) {
			continue
		}
		if n.plans == nil {
			n.plans = map[string]int{}
		}
		n.plans[plan]++
	}
}

// text returns all of it, the plans first: they concern many.
func (n *notes) text(fate string) []string {
	var all []string
	for _, plan := range slices.Sorted(maps.Keys(n.plans)) {
		all = append(all, fmt.Sprintf("plan %q of %s is not mapped: no [[plan]] has it as its name or in match; who holds no other plan %s",
			plan, members(n.plans[plan]), fate))
	}
	all = append(all, n.lines...)
	if n.more == 0 && len(all) <= store.MaxNotes {
		return all
	}
	keep := min(len(all), store.MaxNotes-1)
	return append(all[:keep], fmt.Sprintf("and %d more", n.more+len(all)-keep))
}

// members returns "1 member" or "2 members".
func members(n int) string {
	if n == 1 {
		return "1 member"
	}
	return fmt.Sprintf("%d members", n)
}

// whom names a record that has no login yet that could be shown.
func whom(m *member.Member) string {
	parts := []string{"a member"}
	if m.ID != "" {
		parts = append(parts, fmt.Sprintf("with id %q", m.ID))
	}
	if m.Login != "" {
		parts = append(parts, fmt.Sprintf("with login %q", m.Login))
	}
	return strings.Join(parts, " ")
}
