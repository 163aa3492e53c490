package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"memberradius/backends"
	"memberradius/member"
	"memberradius/radiusd"

	"github.com/sirupsen/logrus"
)

// An asker is a site's chain, or its gates.
type asker interface {
	backends.Backend
	backends.Knower
}

// siteMembers answers the attempts of each site by its own member systems.
type siteMembers struct {
	sites map[string]asker
	// complain logs a member system that could not say.
	complain func(error)
}

var (
	_ radiusd.Members  = (*siteMembers)(nil)
	_ radiusd.Expecter = (*siteMembers)(nil)
)

// Known implements radiusd.Members.
func (m *siteMembers) Known(a *member.Attempt, out *member.Answer) bool {
	site, ok := m.sites[a.Site]
	if !ok {
		return false
	}
	switch site.Known(a, out) {
	case backends.Found:
		return true
	case backends.Absent:
		*out = member.Answer{Verdict: member.Deny, Reason: member.ReasonUnknownLogin}
		return true
	default:
		return false
	}
}

// Expect implements radiusd.Expecter.
func (m *siteMembers) Expect(site string, logins []string) {
	if e, ok := m.sites[site].(backends.Expecter); ok {
		e.Expect(logins)
	}
}

// Ask implements radiusd.Members.
func (m *siteMembers) Ask(ctx context.Context, a *member.Attempt) member.Answer {
	site, ok := m.sites[a.Site]
	if !ok {
		return member.Answer{Reason: member.ReasonInternal}
	}
	ans, err := site.Ask(ctx, a)
	switch {
	case err == nil:
		return ans
	case errors.Is(err, member.ErrUnknown):
		return member.Answer{Verdict: member.Deny, Reason: member.ReasonUnknownLogin}
	}
	m.complain(err)
	ans = member.Answer{Reason: backends.ClassOf(err).Reason()}
	var e *backends.Error
	if errors.As(err, &e) {
		ans.Source, ans.Status = e.Backend, e.Status
	}
	return ans
}

// complainEvery is how often one backend's faults of one class are logged with
// their cause. Each request has its own line with the reason besides.
const complainEvery = 10 * time.Second

// complaints logs why member systems could not say, without flooding the log.
type complaints struct {
	log logrus.FieldLogger
	now func() time.Time

	mu   sync.Mutex
	last map[complaint]time.Time // bounded by the backends there are, times the classes
}

type complaint struct {
	backend string
	class   backends.Class
}

func newComplaints(log logrus.FieldLogger) *complaints {
	return &complaints{log: log, now: time.Now, last: map[complaint]time.Time{}}
}

func (c *complaints) say(err error) {
	about := complaint{class: backends.ClassOf(err)}
	var e *backends.Error
	if errors.As(err, &e) {
		about.backend = e.Backend
	}
	now := c.now()
	c.mu.Lock()
	last, said := c.last[about]
	quiet := said && now.Sub(last) < complainEvery
	if !quiet {
		c.last[about] = now
	}
	c.mu.Unlock()
	if !quiet {
		c.log.WithFields(logrus.Fields{"backend": about.backend, "class": about.class.String()}).WithError(err).Warn("a member system could not say")
	}
}
