package radiusd

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"memberradius/member"
)

// Sentence says what was decided and why, for whoever runs the place.
func (d Decision) Sentence() string {
	var b strings.Builder
	b.WriteString(d.At.Format("2006-01-02 15:04:05 "))
	switch d.Verdict {
	case member.Allow:
		b.WriteString("let in")
	case member.Deny:
		b.WriteString("refused")
	default:
		b.WriteString("not answered")
	}
	fmt.Fprintf(&b, " at %s (%s)", d.Client, d.place())
	switch {
	case d.Verdict == member.Allow:
		if d.Resumed {
			b.WriteString(" by fast reconnect")
		}
		b.WriteString(d.bought())
	default:
		b.WriteString(": " + d.Reason.Sentence())
		if d.Detail != "" {
			b.WriteString(" (" + printable(d.Detail) + ")")
		}
	}
	if d.Garbled {
		b.WriteString("; what arrives is no text, so the shared secret of the NAS is probably another than here")
	}
	if d.Source != "" {
		fmt.Fprintf(&b, "; said by %s", d.Source)
		if d.Age > 0 {
			fmt.Fprintf(&b, " %s before", d.Age.Round(time.Second))
		}
	}
	if d.Message != "" {
		fmt.Fprintf(&b, ": %q", d.Message)
	}
	return b.String()
}

// place lists where and how she tried.
func (d Decision) place() string {
	parts := make([]string, 0, 4)
	for _, p := range []struct{ name, value string }{
		{"site ", d.Site}, {"SSID ", printable(d.SSID)}, {"device ", d.StationMAC}, {"", d.Method},
	} {
		if p.value != "" {
			parts = append(parts, p.name+p.value)
		}
	}
	return strings.Join(parts, ", ")
}

// bought lists what the NAS was told of her plan.
func (d Decision) bought() string {
	var b strings.Builder
	if d.Plan != "" {
		fmt.Fprintf(&b, ", plan %s", d.Plan)
	}
	if d.VLAN != "" {
		fmt.Fprintf(&b, ", VLAN %s", d.VLAN)
	}
	if d.SessionTimeout > 0 {
		fmt.Fprintf(&b, ", for %s", lasting(d.SessionTimeout))
	}
	return b.String()
}

// lasting is a duration for people: whole days where there are many.
func lasting(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
	return d.String()
}

// Printable is for text that a NAS or a device has chosen, on a terminal or in a
// log: control bytes, line ends and marks that turn its direction are escaped.
func Printable(s string) string { return printable(s) }

// printable escapes what a terminal or a log file must not get raw: control
// bytes, line ends, and the marks that turn the direction of text.
func printable(s string) string {
	quoted := strconv.Quote(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
