package main

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/sirupsen/logrus"
)

// TestUnread: members that can't be read again are a matter of health until they are. F7.
func TestUnread(t *testing.T) {
	t.Parallel()
	log := logrus.New()
	log.SetOutput(io.Discard)
	s := newSystems(t.TempDir(), log)
	if err := s.unread(); err != nil {
		t.Errorf("at the start: %v", err)
	}
	members, staff := s.watched("members"), s.watched("staff")
	members(errors.New("the disk is gone"))
	staff(errors.New("it is locked"))
	staff(nil)
	if err := s.unread(); err == nil || !strings.Contains(err.Error(), "backend members: members can't be read again, the old ones hold: the disk is gone") || strings.Contains(err.Error(), "staff") {
		t.Errorf("unread: %v", err)
	}
	members(nil)
	if err := s.unread(); err != nil {
		t.Errorf("at the end: %v", err)
	}
}
