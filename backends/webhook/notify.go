package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"memberradius/backends"
)

// maxBody is the longest body that is taken, in octets.
const maxBody = 256 << 10

// Notify implements backends.Notified. What is signed and can't be used is a
// *backends.Error of class BadAnswer that says what is wrong with it, and
// where; nothing of such a push counts.
func (b *Backend) Notify(_ context.Context, h http.Header, body []byte) (*backends.Push, error) {
	s, ok := readStamp(h)
	if !ok || !s.signed(b.keys, body) {
		b.unsigned.Do(func() { b.say(b.unsignedFinding()) })
		return nil, backends.ErrUnsigned
	}
	now := b.now()
	if off := now.Sub(s.sent); off > tolerance || off < -tolerance {
		b.late.Do(func() { b.say(b.lateFinding(off)) })
		return nil, backends.ErrUnsigned
	}
	if len(body) > maxBody {
		return nil, b.unusable(s.id, fmt.Errorf("the body has more than %d KiB; send the members in several pushes", maxBody>>10))
	}
	m, err := b.decoder.decode(body, now)
	if err != nil {
		return nil, b.unusable(s.id, err)
	}
	return &backends.Push{ID: s.id, Records: m.records, AsOf: m.at}, nil
}

// unusable is what is wrong with a push that is signed.
func (b *Backend) unusable(id string, err error) error {
	return &backends.Error{Class: backends.BadAnswer, Backend: b.name, Err: fmt.Errorf("push %s: %w", id, err)}
}

func (b *Backend) unsignedFinding() backends.Finding {
	return backends.Finding{
		What: fmt.Sprintf("backend %s: a push came that is not signed with webhook_secret", b.name),
		Remedy: "where the system says that its pushes are refused (401), compare its secret with webhook_secret, and see that it sends webhook-id " +
			"(without a full stop), webhook-timestamp and webhook-signature; else somebody only tries",
	}
}

func (b *Backend) lateFinding(off time.Duration) backends.Finding {
	when := "behind"
	if off < 0 {
		when, off = "ahead of", -off
	}
	return backends.Finding{
		Wrong:  true,
		What:   fmt.Sprintf("backend %s: a push is signed rightly, but its webhook-timestamp is %s %s this host's clock", b.name, off.Round(time.Second), when),
		Remedy: "set the clocks of both by NTP; a push is taken up to 5 minutes after it was signed, and one that is sent again must be signed anew",
	}
}

var errNotJSON = errors.New("the body is not valid JSON in UTF-8")
