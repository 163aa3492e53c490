package radiustest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"
)

// Timing says when a request is sent again (RFC 5080 §2.2.1). The zero value
// is what that section recommends; otherwise 0 in Longest, Count or Most is no bound.
type Timing struct {
	// Initial is the first wait (IRT: 2 s), and every further one is twice the
	// last, up to Longest (MRT: 16 s), each within 10 % at random.
	Initial, Longest time.Duration
	// Count is how often it is sent, the first time included (MRC: 5).
	Count int
	// Most bounds it all (MRD: 30 s).
	Most time.Duration
}

func (t Timing) orDefault() Timing {
	if t == (Timing{}) {
		return Timing{Initial: 2 * time.Second, Longest: 16 * time.Second, Count: 5, Most: 30 * time.Second}
	}
	return t
}

// next returns the wait after one of last, which is 0 at first.
func (t Timing) next(last time.Duration, random io.Reader) time.Duration {
	wait := t.Initial
	if last > 0 {
		wait = 2*last + jitter(last, random)
		if t.Longest > 0 && wait > t.Longest {
			wait = t.Longest + jitter(t.Longest, random)
		}
		return wait
	}
	return wait + jitter(wait, random)
}

// jitter returns RAND times d, RAND between -0.1 and +0.1 (RFC 5080 §2.2.1), so
// that NASes that lost their server together do not come back together.
func jitter(d time.Duration, random io.Reader) time.Duration {
	var b [2]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return 0
	}
	return time.Duration(float64(d) * (float64(binary.BigEndian.Uint16(b[:]))/0xffff*0.2 - 0.1))
}

// errSpent ends the waiting when Timing.Most is over.
var errSpent = errors.New("radiustest: no time left")

// A NoReplyError says that no reply came that a NAS could take, and what came
// instead.
type NoReplyError struct {
	Server netip.AddrPort
	// Tries is how often the request was sent, Waited for how long.
	Tries  int
	Waited time.Duration
	// Refused counts the times that the server's host said that nothing
	// listens on the port.
	Refused uint64
	// What was ignored, by what was wrong with it.
	Malformed, Codes, ResponseAuthenticator, MessageAuthenticator, Unsigned int
	// Cause is set where something else ended the waiting: a context, a socket.
	Cause error
}

func (e *NoReplyError) ignore(err error) {
	switch {
	case errors.Is(err, ErrResponseAuthenticator):
		e.ResponseAuthenticator++
	case errors.Is(err, ErrMessageAuthenticator):
		e.MessageAuthenticator++
	case errors.Is(err, ErrUnsigned):
		e.Unsigned++
	case errors.Is(err, ErrCode):
		e.Codes++
	default:
		e.Malformed++
	}
}

// Error says what came, and what to look at.
func (e *NoReplyError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "radiustest: no reply from %s in %s, sent %s", e.Server, e.Waited.Round(time.Millisecond), times(e.Tries))
	for _, part := range []struct {
		count int
		what  string
	}{
		{e.ResponseAuthenticator, "came with a wrong Response Authenticator: is the secret the same on both sides?"},
		{e.MessageAuthenticator, "came with a wrong Message-Authenticator: is the secret the same on both sides?"},
		{e.Unsigned, "came without Message-Authenticator: the server is not safe from CVE-2024-3596"},
		{e.Codes, "came with a code that does not answer the request"},
		{e.Malformed, "came malformed"},
	} {
		if part.count > 0 {
			fmt.Fprintf(&b, "; %s %s", replies(part.count), part.what)
		}
	}
	switch {
	case e.Refused > 0:
		b.WriteString("; the host says that nothing listens there: is the server running, and on this port?")
	case e.ResponseAuthenticator+e.MessageAuthenticator+e.Unsigned+e.Codes+e.Malformed == 0 && e.Cause == nil:
		b.WriteString("; the server drops what it can't trust without a word: does it know this address as a client, with this secret?")
	}
	if e.Cause != nil {
		fmt.Fprintf(&b, ": %v", e.Cause)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *NoReplyError) Unwrap() error { return e.Cause }

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func replies(n int) string {
	if n == 1 {
		return "1 reply"
	}
	return fmt.Sprintf("%d replies", n)
}
