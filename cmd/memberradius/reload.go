package main

import (
	"context"
	"fmt"
	"reflect"
)

// reload reads the configuration again. One that is wrong leaves the old one
// in place: the findings say everything that is wrong with it. Requests go on
// all the while.
func (s *server) reload(ctx context.Context) findings {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	if s.closed {
		return nil
	}
	old := s.config.Load()
	c, found, err := loadConfig(old.File)
	if err != nil {
		found = findings{{File: old.File, Level: wrong, What: err.Error(), Remedy: "put the file back, or make it readable"}}
	}
	if found.bad() {
		return s.keepOld(found)
	}
	if s.wpa != nil && len(c.EAP.Methods) > 0 {
		if failed := s.wpa.watch.reload(ctx, c); failed.bad() {
			return s.keepOld(append(found, failed...))
		}
	}
	tables, commit, failed := s.build(ctx, c)
	if failed.bad() {
		return s.keepOld(append(found, failed...))
	}
	found = append(found, old.needsRestart(c)...)
	s.radius.Swap(tables)
	s.tables.Store(&tables)
	s.online.presence.Swap(c.limits())
	commit()
	s.log.SetLevel(c.Log.Level)
	s.log.SetFormatter(formatter(c.Log.Format))
	s.config.Store(c)
	s.online.presence.ReconsiderAll() // another VLAN of a plan is for those too who are on
	found.log(s.log)
	s.log.WithFields(s.sizes(c)).Info("configuration read again")
	return found
}

func (s *server) keepOld(found findings) findings {
	found.log(s.log)
	s.log.Error("the configuration was not read again: the old one holds")
	return found
}

// needsRestart says what of the new configuration only a restart brings, and
// puts the old values in, so that the next reload says it again.
func (c *config) needsRestart(next *config) findings {
	var found findings
	say := func(path, what string) {
		found = append(found, finding{File: next.File, Line: next.lines.line(path), Level: warn,
			What: fmt.Sprintf("%s has changed, and holds from the next start on", what), Remedy: "restart the server"})
	}
	if !reflect.DeepEqual(c.Server.Listen, next.Server.Listen) {
		say("server", "what is listened on (auth, acct)")
	}
	if c.Server.Data != next.Server.Data {
		say("server.data", "data")
	}
	if c.Server.RejectDelay != next.Server.RejectDelay {
		say("server.reject_delay", "reject_delay")
	}
	if c.Server.Journal != next.Server.Journal {
		say("server.journal", "journal")
	}
	if c.EAP.Conversations != next.EAP.Conversations {
		say("eap.conversations", "conversations")
	}
	if len(c.EAP.Methods) == 0 && len(next.EAP.Methods) > 0 {
		say("eap.methods", "whether there is EAP at all")
	}
	if !reflect.DeepEqual(c.HTTP, next.HTTP) {
		say("http", "[http]")
	}
	next.Server.Listen, next.Server.Data, next.Server.RejectDelay, next.Server.Journal = c.Server.Listen, c.Server.Data, c.Server.RejectDelay, c.Server.Journal
	next.HTTP = c.HTTP
	return found
}
