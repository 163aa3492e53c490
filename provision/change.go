package provision

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"memberradius/store"
)

// A ChangeKind says what happens to a member.
type ChangeKind uint8

const (
	// Comes: she is new. It is the zero value.
	Comes ChangeKind = iota
	// Returns: her membership had ended, and goes on with the password of before.
	Returns
	// Changes: she stays, and something about her is different.
	Changes
	// Goes: her membership has ended.
	Goes
)

var changeWords = [...]string{Comes: "comes", Returns: "returns", Changes: "changes", Goes: "goes"}

// String returns the kind as reports and JSON spell it.
func (k ChangeKind) String() string {
	if int(k) < len(changeWords) {
		return changeWords[k]
	}
	return "unknown"
}

// MarshalText implements encoding.TextMarshaler, and so JSON.
func (k ChangeKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *ChangeKind) UnmarshalText(text []byte) error {
	i := slices.Index(changeWords[:], string(text))
	if i < 0 {
		return fmt.Errorf("provision: %q is no kind of change", text)
	}
	*k = ChangeKind(i)
	return nil
}

// A Change is what happens to one member. It holds no password.
type Change struct {
	Kind ChangeKind `json:"kind"`
	// Login is hers; where it changes, the one of before: what her sessions bear.
	Login string `json:"login"`
	// Name is what people call her.
	Name string `json:"name,omitempty"`
	// What says what is different, in words: "plan Hot Desk -> Office, VLAN 20 -> 30".
	What string `json:"what,omitempty"`
	// Access says that what she may do on the network is different: a plan, a
	// VLAN, a date, a suspension, a password; not her name or address.
	Access bool `json:"access,omitempty"`
}

// String returns the change as a sentence without a full stop:
// "anna@example.com comes, plan Hot Desk".
func (c Change) String() string {
	s := c.Login + " " + c.Kind.String()
	switch {
	case c.What == "":
		return s
	case c.Kind == Changes:
		return s + ": " + c.What
	}
	return s + ", " + c.What
}

// A Report is what a run did, or in a dry run would do. Those who joined a run
// share it: it is read-only.
type Report struct {
	store.Run
	// Changes are at most 10,000: first who goes, then who changes, returns and comes.
	Changes []Change
	// Remedy says what to do where the run was held.
	Remedy string
	// left and lost say that there were such as comparison's skips and lost.
	left, lost bool
}

// none takes back what would have been done.
func (r *Report) none() {
	r.Added, r.Run.Changed, r.Returned, r.Lapsed, r.Unchanged, r.Skipped = 0, 0, 0, 0, 0, 0
	r.Held, r.Changes, r.Remedy = false, nil, ""
}

// String returns the counts in one line: "full sync of nexudus: 3 come, 1 goes,
// 120 stay as they were (2 requests, 1.2s)".
func (r *Report) String() string {
	if r.Error != "" {
		return fmt.Sprintf("%s of %s failed: %s", doing(r.Kind), r.Backend, r.Error)
	}
	var parts []string
	for _, c := range [...]struct {
		n         int
		one, many string
	}{
		{r.Added, "comes", "come"},
		{r.Returned, "returns", "return"},
		{r.Run.Changed, "changes", "change"},
		{r.Lapsed, "goes", "go"},
		{r.Unchanged, "stays as she was", "stay as they were"},
		{r.Skipped, "is left out", "are left out"},
	} {
		switch {
		case c.n == 1:
			parts = append(parts, "1 "+c.one)
		case c.n > 1:
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.many))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nobody is different"}
	}
	s := fmt.Sprintf("%s of %s: %s (%d requests, %s)", doing(r.Kind), r.Backend, strings.Join(parts, ", "),
		r.Requests, r.Ended.Sub(r.Started).Round(10*time.Millisecond))
	if r.Held {
		s += "; held, nothing is applied"
	}
	return s
}

// The kinds of a run, as the journal has them.
const (
	kindFull    = store.RunFull
	kindChanges = "changes"
	kindRefs    = "refs"
	kindPush    = "push"
)

func doing(kind string) string {
	switch kind {
	case kindFull:
		return "full sync"
	case kindChanges:
		return "sync of what has changed"
	case kindRefs:
		return "sync after a hook"
	default:
		return "push"
	}
}
