package nexudus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"memberradius/backends"
	"memberradius/backends/outward"
	"memberradius/member"
)

// live asks where members sign in whether a password is a member's own. It has
// the layers of every system that is asked over the network, so that Nexudus is asked
// once and not at every roaming, and an outage is bridged. What it answers
// is about the password alone: who is a member is judged anew each time.
type live struct {
	ask   *backends.Cache
	doors *door
}

// A door is the member address, as a backend: it proves passwords.
type door struct {
	*client
	checkin bool
}

// openLive puts the layers on, in the order of every live system.
func (c Config) openLive(members *url.URL, d backends.Deps) *live {
	dr := &door{checkin: c.Live == "checkin", client: &client{
		name: d.Name, base: members, where: members.Scheme + "://" + members.Host, now: d.Clock(), login: nobody{},
		timeout: min(c.timeout(), 3*time.Second), transport: newTransport(members, c.Private, c.timeout()),
	}}
	inFlight := c.InFlight
	if inFlight == 0 {
		inFlight = backends.DefaultInFlight
	}
	dr.transport.MaxIdleConnsPerHost, dr.transport.MaxConnsPerHost = inFlight, inFlight
	fresh, grace := DefaultFresh, DefaultGrace
	if c.Fresh != nil {
		fresh = *c.Fresh
	}
	if c.Grace != nil {
		grace = *c.Grace
	}
	guarded := backends.NewBreaker(backends.NewBulkhead(dr, inFlight, d), d)
	return &live{doors: dr, ask: backends.NewCache(guarded, backends.CacheConfig{Deps: d, Fresh: fresh, Grace: grace})}
}

func (l *live) close() error {
	l.doors.transport.CloseIdleConnections()
	return l.ask.Close()
}

var errNoEmail = errors.New("her email is not known yet, by which she signs in at Nexudus; the next sync brings it")

// askLive has a member's own password checked, and answers with what is kept of her.
func (b *Backend) askLive(ctx context.Context, a *member.Attempt, r *member.Record) (member.Answer, error) {
	email := r.Email
	if email == "" && b.login == fieldEmail {
		email = r.Member.Login
	}
	if email == "" {
		return member.Answer{}, &backends.Error{Class: backends.NotReady, Backend: b.name, Err: errNoEmail}
	}
	own := *a
	own.Login = email
	proof, err := b.live.ask.Ask(ctx, &own)
	if errors.Is(err, member.ErrUnknown) {
		return member.Answer{}, &backends.Error{Class: backends.Broken, Backend: b.name, Err: err}
	}
	if err != nil {
		return member.Answer{}, err
	}
	ans := member.Answer{Member: r.Member, Source: b.name, Age: proof.Age, Fresh: proof.Fresh}
	if proof.Verdict != member.Allow || !proof.Proved {
		ans.Verdict, ans.Reason = member.Deny, proof.Reason
		return ans, nil
	}
	if until := proof.Member.ValidUntil; !until.IsZero() && (ans.Member.ValidUntil.IsZero() || until.Before(ans.Member.ValidUntil)) {
		ans.Member.ValidUntil = until
	}
	ans.Proved = true
	ans.Verdict, ans.Reason = ans.Member.Judge(a.At(b.now))
	return ans, nil
}

// Ask implements backends.Backend: it says whether a password is that of who
// signs in by the login, which is an email here.
func (d *door) Ask(ctx context.Context, a *member.Attempt) (member.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	ans := member.Answer{Source: d.name, Member: member.Member{Backend: d.name, Login: strings.Clone(a.Login)}}
	if !utf8.ValidString(string(a.Proof.Password)) {
		ans.Verdict, ans.Reason = member.Deny, member.ReasonWrongProof
		return ans, nil
	}
	var ok bool
	var err error
	if d.checkin {
		ok, ans.Member.ValidUntil, err = d.validate(ctx, a)
	} else {
		ok, err = d.signIn(ctx, a)
	}
	switch {
	case err != nil:
		return member.Answer{}, err
	case ok:
		ans.Verdict, ans.Proved = member.Allow, true
	case d.checkin: // the password may be right, and the pass used up
		ans.Verdict, ans.Reason = member.Deny, member.ReasonRefused
	default:
		ans.Verdict, ans.Reason = member.Deny, member.ReasonWrongProof
	}
	return ans, nil
}

// signIn signs the member in. The token is not kept.
func (d *door) signIn(ctx context.Context, a *member.Attempt) (bool, error) {
	form := url.Values{"grant_type": {"password"}, "username": {a.Login}, "password": {string(a.Proof.Password)}}
	_, err := askToken(ctx, d.client, form, clientID)
	if errors.Is(err, errGrant) {
		return false, nil
	}
	return err == nil, err
}

const checkinPath = "/api/public/checkin"

// validate asks whether the member could check in, and until when her pass
// lasts. doNotCheckIn keeps it from costing her a pass, or a charge.
func (d *door) validate(ctx context.Context, a *member.Attempt) (bool, time.Time, error) {
	body, err := json.Marshal(map[string]any{"email": a.Login, "password": string(a.Proof.Password), "doNotCheckIn": true})
	if err != nil {
		return false, time.Time{}, d.failed("", err)
	}
	defer clear(body)
	req, err := d.request(ctx, &call{method: http.MethodPost, path: checkinPath, body: body, kind: "application/json"})
	if err != nil {
		return false, time.Time{}, err
	}
	resp, err := d.send(req)
	if err != nil {
		return false, time.Time{}, d.failed("", err)
	}
	defer func() { _ = resp.Body.Close() }()
	return d.validated(ctx, resp)
}

// validated reads the answer: a failure comes with status 200 there, so that
// only WasSuccessful counts.
func (d *door) validated(ctx context.Context, resp *http.Response) (bool, time.Time, error) {
	var none time.Time
	code, typed := resp.StatusCode, outward.IsJSON(resp.Header)
	if code == http.StatusBadRequest || code == http.StatusUnauthorized {
		if !typed {
			return false, none, d.fault(backends.BadAnswer, checkinPath, errNoJSON)
		}
		return false, none, nil
	}
	if err := d.status(ctx, &call{path: checkinPath}, resp); err != nil {
		return false, none, err
	}
	var got struct {
		Status        int
		WasSuccessful flag
		Value         *struct{ SessionTimeOut float64 }
	}
	if err := decodeBody(io.LimitReader(resp.Body, 64<<10), &got); err != nil {
		return false, none, d.fault(backends.BadAnswer, checkinPath, err)
	}
	switch {
	case got.WasSuccessful == yes && got.Value == nil:
		return true, none, nil
	case got.WasSuccessful == yes && got.Value.SessionTimeOut > 0:
		seconds := min(got.Value.SessionTimeOut, 10*365*86400)
		return true, d.now().Add(time.Duration(seconds * float64(time.Second))), nil
	case got.WasSuccessful == yes:
		return true, none, nil
	case got.WasSuccessful == no && got.Status < 500:
		return false, none, nil
	}
	return false, none, d.fault(backends.BadAnswer, checkinPath, fmt.Errorf("HTTP %d, and WasSuccessful is not said", code))
}
