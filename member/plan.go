package member

import (
	"fmt"
	"strconv"
	"time"
)

// A Plan is what a membership buys on the Wi-Fi. Zero fields leave the matter
// to the NAS.
type Plan struct {
	// Name is the plan's own; Match are the names that member systems use for it.
	Name  string
	Match []string
	// VLAN is where its members go.
	VLAN VLAN
	// Down and Up are from and to the network.
	Down, Up Rate
	// Session, Idle and Interim become Session-Timeout, Idle-Timeout and
	// Acct-Interim-Interval (whole seconds; Interim at least 60 s, RFC 2869 §5.16).
	Session, Idle, Interim time.Duration
	// Devices is how many may be on at the same time; 0 is no limit.
	Devices int
	// Quotas are how much data and time there is in a day, a week and a month. All of them hold.
	Quotas []Quota
	// Hours is when it lets in, in the site's zone; nil is always.
	Hours *Hours
	// SSIDs are the networks that it opens; none is all.
	SSIDs []string
	// Valid is how long it lasts from first use or purchase: day passes.
	Valid time.Duration
	// Priority decides where a member holds several plans: the highest wins.
	Priority int
	// Attributes are added to the reply as the operator wrote them.
	Attributes []Attribute
}

// A Rate is a bandwidth. The zero value is none.
type Rate struct {
	// Bits are bits per second.
	Bits uint64
	// Text is the rate as the operator spelled it: "50M".
	Text string
}

// ParseRate reads decimal digits and perhaps k, M or G (powers of 1000), in
// bits per second, up to 4,294 Gbit/s.
func ParseRate(s string) (Rate, error) {
	digits, unit := s, uint64(1)
	if s != "" {
		switch s[len(s)-1] {
		case 'k', 'K':
			unit = 1e3
		case 'M':
			unit = 1e6
		case 'G':
			unit = 1e9
		}
		if unit != 1 {
			digits = s[:len(s)-1]
		}
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || n == 0 {
		return Rate{}, fmt.Errorf("rate %q: bits per second are needed, as 50M, 500k or 1G", s)
	}
	return Rate{Bits: n * unit, Text: s}, nil
}
