package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"memberradius/backends"
	"memberradius/member"
	"memberradius/onboard"
	"memberradius/store"

	"github.com/sirupsen/logrus"
)

const (
	// deliverEvery is how often the outbox is looked at without a reason.
	deliverEvery = 30 * time.Second
	// deliverBatch is how many events are taken at a time.
	deliverBatch = 50
	// deliverTimeout bounds one delivery.
	deliverTimeout = 30 * time.Second
	// linkLasts is how long the link in a letter opens a member's page.
	linkLasts = 14 * 24 * time.Hour
	// deliverTries is after how many tries an event is given up: some three days.
	deliverTries = 20
)

// deliver empties the outbox until ctx ends: letters to members, and passwords
// into their own portals.
func (s *server) deliver(ctx context.Context) {
	tick := time.NewTicker(deliverEvery)
	defer tick.Stop()
	for {
		s.deliverDue(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.systems.letters:
		}
	}
}

// deliverDue delivers what is due.
func (s *server) deliverDue(ctx context.Context) {
	db := s.systems.database()
	if db == nil {
		return
	}
	for ctx.Err() == nil {
		events, err := db.DueEvents(ctx, time.Now(), deliverBatch)
		if err != nil {
			s.log.WithError(err).Error("the outbox can't be read: letters wait")
			return
		}
		for i := range events {
			s.deliverOne(ctx, db, &events[i])
		}
		if len(events) < deliverBatch {
			return
		}
	}
}

// deliverOne delivers one event, and writes down what came of it.
func (s *server) deliverOne(ctx context.Context, db *store.Store, e *store.Event) {
	if ctx.Err() != nil {
		return
	}
	log := s.log.WithFields(logrus.Fields{"backend": e.Backend, "login": e.Login, "event": e.Kind, "id": e.ID})
	trying, cancel := context.WithTimeout(ctx, deliverTimeout)
	err := s.deliverEvent(trying, db, e)
	cancel()
	// What was sent is written down although the server is about to end.
	ctx = context.WithoutCancel(ctx)
	if err == nil {
		if err := db.EventDone(ctx, e.ID); err != nil {
			log.WithError(err).Error("delivered, but that could not be written down: it may come twice")
			return
		}
		log.Info("delivered")
		return
	}
	dead := undeliverable(err) || e.Tries+1 >= deliverTries
	next := time.Now().Add(backoff(e.Tries))
	if dead {
		log.WithError(err).Error("given up: it can't be delivered")
	} else {
		log.WithError(err).WithField("again", next.UTC().Format(time.RFC3339)).Warn("not delivered yet")
	}
	if err := db.EventFailed(ctx, e.ID, next, err.Error(), dead); err != nil {
		log.WithError(err).Error("the outbox can't be written")
	}
}

// backoff is how long to wait after so many tries: a minute, doubled up to six hours.
func backoff(tries int) time.Duration {
	return min(time.Minute<<min(tries, 10), 6*time.Hour)
}

// errUndeliverable says that another try brings nothing.
var errUndeliverable = errors.New("no further try")

func undeliverable(err error) bool {
	return errors.Is(err, errUndeliverable) || errors.Is(err, member.ErrUnknown) || onboard.Permanent(err)
}

func (s *server) deliverEvent(ctx context.Context, db *store.Store, e *store.Event) error {
	if e.Kind == store.EventPortalLogin {
		return s.post(ctx, db, e)
	}
	who, err := db.Get(ctx, e.Backend, e.Login)
	if err != nil {
		return err
	}
	if e.Kind == store.EventWriteBack {
		w, ok := s.systems.bare(e.Backend).(backends.Writer)
		if !ok {
			return fmt.Errorf("backend %q shows no passwords any more: %w", e.Backend, errUndeliverable)
		}
		return w.WriteBack(ctx, who.Member.ID, who.Member.Login, who.Credential.Password)
	}
	return s.config.Load().letter(ctx, db, e, who)
}

// letter sends a member what she needs to get on the Wi-Fi.
func (c *config) letter(ctx context.Context, db *store.Store, e *store.Event, who *store.Entry) error {
	switch {
	case !c.Mail.Set:
		return errors.New("there is no [mail] in the configuration any more")
	case who.Email == "":
		return fmt.Errorf("her mail address is not known: %w", errUndeliverable)
	}
	mailer, err := onboard.NewMailer(c.Mail.Mail)
	if err != nil {
		return err
	}
	making := db.MakeLink
	if e.Tries > 0 { // the letter may have come, and its answer been lost
		making = db.MakeLinkBeside
	}
	link, err := c.link(ctx, making, who)
	if err != nil {
		return err
	}
	site := c.siteOf(e.Backend)
	return mailer.Send(ctx, &onboard.Letter{To: who.Email, ID: e.ID, Changed: e.Kind == store.EventPassword, Values: onboard.Values{
		SpaceName: site.space(), MemberName: nameOf(&who.Member), SSID: site.SSID,
		Username: who.Member.Login, Password: who.Credential.Password, ProfileURL: member.Secret(link),
	}})
}

// link makes the address of a member's page; empty where there is none to lead to.
func (c *config) link(ctx context.Context, making linker, who *store.Entry) (string, error) {
	if c.HTTP.PublicURL == "" {
		return "", nil
	}
	secret, err := making(ctx, who.Member.Backend, who.Member.Login, time.Now().Add(linkLasts))
	if err != nil {
		return "", err
	}
	return strings.TrimRight(c.HTTP.PublicURL, "/") + "/me/" + string(secret), nil
}

// A linker makes the secret of a link for a member.
type linker func(ctx context.Context, backend, login string, until time.Time) (member.Secret, error)

// siteOf returns the site that letters and profiles of a backend's members speak of.
func (c *config) siteOf(backend string) *siteConfig {
	named := ""
	if b := c.backend(backend); b != nil {
		named = b.Sync.Site
	}
	i := slices.IndexFunc(c.Sites, func(s siteConfig) bool {
		return s.Name == named || named == "" && slices.Contains(s.Ask, backend)
	})
	return &c.Sites[max(i, 0)] // cross sees to it that there is one
}

// space is what people call the site.
func (s *siteConfig) space() string {
	if s.Space != "" {
		return s.Space
	}
	return s.Name
}

// nameOf is how a member is spoken to.
func nameOf(m *member.Member) string {
	if m.Name != "" {
		return m.Name
	}
	return m.Login
}
