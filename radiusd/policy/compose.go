package policy

import (
	"encoding/binary"
	"math"
	"strings"
	"time"

	"memberradius/member"
)

// An Input is one proved and allowed member at one NAS.
type Input struct {
	Answer *member.Answer
	Site   string
	// Vendor is the client's; ClientVLAN is where members without any other VLAN go.
	Vendor     string
	ClientVLAN member.VLAN
	// SSID is empty where the NAS did not say.
	SSID string
	Now  time.Time
	// Most bounds Session-Timeout besides; 0 does not.
	Most time.Duration
}

// maxSession is the longest Session-Timeout: NASes that keep it in a signed
// number would end a longer one at once.
const maxSession = math.MaxInt32 // seconds

// tunnelVLAN is Tunnel-Type = VLAN and Tunnel-Medium-Type = IEEE-802, both
// untagged: tag octet 0 (RFC 2868 §3.1, §3.2).
const tunnelVLAN = "\x40\x06\x00\x00\x00\x0d" + "\x41\x06\x00\x00\x00\x06"

// Compose fills out with what the NAS is told of the member, and returns
// ReasonNone. Where her plan does not let her in here and now, it returns
// why, and out is empty but for the plan's name.
//
// A plan that lists SSIDs refuses a request whose NAS does not say the SSID,
// since what can't be checked is not allowed; an operator who wants such a NAS
// lists "" among them. SSIDs are compared octet for octet, as stations do
// (IEEE 802.11 §9.4.2.2).
//
// The VLAN is the member's own, else her office's, her team's, her plan's, the
// client's. Session-Timeout is the shortest of the plan's, the end of the
// membership and of the plan's term, the end of the plan's hours and the member system's.
//
// It allocates nothing where the answer carries no attributes that are refused.
func (b *Book) Compose(in *Input, out *Attributes) member.Reason {
	out.reset()
	s, ok := b.sites[in.Site]
	if !ok {
		s = &noSite
	}
	m := &in.Answer.Member
	h, reason := b.choose(s, m, in.Now)
	if reason != member.ReasonNone {
		return reason
	}
	p := h.plan
	v, index := b.vendor(in.Vendor)
	c := composition{b: b, v: v, out: out}
	t := &noTemplate
	if p != nil {
		out.plan = p.Name
		if reason := c.admit(p, in, s.zone); reason != member.ReasonNone {
			return reason
		}
		t = &p.templates[index]
	}
	out.load(t)
	c.bound(t.session)
	c.bound(in.Most)
	c.end(m.ValidUntil, in.Now)
	c.end(b.use(&h, m, in.Now), in.Now)
	c.chooseVLAN(t, in)
	c.backend(in.Answer.Attributes)
	c.finish(in.Answer.ReturnURL)
	return member.ReasonNone
}

// A composition is the work on one reply. It lives on the stack.
type composition struct {
	b   *Book
	v   *compiledVendor
	out *Attributes
	// vlan and session are written last, since they have several sources.
	vlan    string
	session time.Duration // 0: no bound
	// size is how many octets of attributes whoever is heard now may set, and
	// most is where in the buffer they end.
	size, most int
}

// noTemplate is what members without a plan have.
var noTemplate template

// admit says whether the plan lets in here and now.
func (c *composition) admit(p *plan, in *Input, zone *time.Location) member.Reason {
	if p.Hours != nil {
		until, open := p.Hours.Open(in.Now.In(zone))
		if !open {
			return member.ReasonOutOfHours
		}
		if !until.IsZero() {
			c.bound(until.Sub(in.Now))
		}
	}
	if len(p.SSIDs) == 0 {
		return member.ReasonNone
	}
	for _, ssid := range p.SSIDs {
		if ssid == in.SSID {
			return member.ReasonNone
		}
	}
	return member.ReasonWrongSSID
}

// end ends the session with the membership, or with the plan; zero is no end.
func (c *composition) end(until, now time.Time) {
	if !until.IsZero() {
		// What ends this very moment still ends: 0 would be no bound.
		c.bound(max(until.Sub(now), time.Second))
	}
}

// bound makes the session no longer than d; 0 is no bound.
func (c *composition) bound(d time.Duration) {
	if d > 0 && (c.session == 0 || d < c.session) {
		c.session = d
	}
}

// chooseVLAN takes the VLAN of the highest precedence that is one.
func (c *composition) chooseVLAN(t *template, in *Input) {
	m := &in.Answer.Member
	for _, v := range [...]string{string(m.VLAN), string(m.OfficeVLAN), string(m.TeamVLAN), t.vlan, string(in.ClientVLAN)} {
		if v == "" {
			continue
		}
		if v, ok := vlan(v); ok {
			c.vlan = v
			return
		}
		c.refuse("Tunnel-Private-Group-Id", needVLAN)
	}
}

const needVLAN = "a VLAN is a number from 1 to 4094, or a name of 1 to 32 printable ASCII characters"

// vlan is member.ParseVLAN without memory of its own: a number loses leading zeros.
func vlan(s string) (string, bool) {
	if s == "" || len(s) > 32 {
		return "", false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return "", false
		}
	}
	if !isNumber(s) {
		return s, true
	}
	for len(s) > 1 && s[0] == '0' {
		s = s[1:]
	}
	return s, s != "0" && (len(s) < 4 || len(s) == 4 && s <= "4094")
}

func isNumber(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// finish writes what has several sources, behind all else: VLAN,
// Session-Timeout, the redirection.
func (c *composition) finish(url string) {
	o := c.out
	fixed := len(c.v.vlanFixed) > 0 && !o.has(c.v.vlanFixedKey)
	o.close()
	if c.vlan != "" {
		o.vlan = c.vlan
		c.writeVLAN(fixed)
	}
	if c.session != 0 {
		n := min(max(uint64(c.session/time.Second), 1), maxSession)
		o.session = seconds(n)
		o.tail(appendSeconds(o.buf[:o.n], sessionTimeout, n))
	}
	if url != "" && c.v.redirect != nil {
		if why := c.writeURL(url); why != "" {
			c.refuse(c.v.redirect.Name, why)
		}
	}
}

// appendSeconds appends an attribute of the RFCs that counts seconds: number, length 6, value.
func appendSeconds(dst []byte, number byte, n uint64) []byte {
	return binary.BigEndian.AppendUint32(append(dst, number, 6), uint32(n))
}

// writeVLAN writes Tunnel-Type, Tunnel-Medium-Type and Tunnel-Private-Group-Id,
// untagged (RFC 3580 §3.31), and the vendor's own attributes besides, the
// fixed one only where nobody has set it.
func (c *composition) writeVLAN(fixed bool) {
	o, own := c.out, &c.v.vlanName
	b := append(o.buf[:o.n], tunnelVLAN...)
	b = append(b, tunnelGroup, byte(2+len(c.vlan)))
	b = append(b, c.vlan...)
	if isNumber(c.vlan) {
		own = &c.v.vlanNumber
		if fixed {
			b = append(b, c.v.vlanFixed...)
		}
	}
	o.tail(own.append(b, c.vlan))
}

// writeURL writes where the browser is to go.
func (c *composition) writeURL(url string) (why string) {
	if !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") {
		return "a URL that begins with https:// or http:// is needed"
	}
	if !plainText(url) {
		return needText
	}
	written, err := c.v.redirect.Append(c.out.buf[:c.out.n], url)
	if err != nil {
		return need(err)
	}
	c.out.tail(written)
	return ""
}
