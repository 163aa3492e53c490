package nexudus

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"memberradius/backends"
	"memberradius/member"
)

var (
	errNoField = errors.New(`write_back names no custom field; write write_back = "custom5"`)
	errNoID    = errors.New("the member's id at Nexudus is not known; the next sync brings it")
	errMoved   = errors.New("this customer has another login at Nexudus now; the next sync says whose it is")
)

// WritesBack implements backends.Writer.
func (s *Synced) WritesBack() bool { return s.writeBack != fieldNone }

// WriteBack implements backends.Writer: it puts a password into the custom field that
// write_back names, and leaves all other fields as they are. Nobody gets
// another's password: the customer must still have the login that it is for.
func (s *Synced) WriteBack(ctx context.Context, id, login string, password member.Secret) error {
	switch {
	case s.writeBack == fieldNone:
		return s.admin.fault(backends.Broken, coworkers().path, errNoField)
	case !plainID(word(id)):
		return s.admin.fault(backends.Broken, coworkers().path, errNoID)
	}
	fields, err := s.record(ctx, coworkers(), word(id))
	if err != nil {
		return err
	}
	if there := fmt.Sprint(fields[s.login.name()]); member.FoldString(strings.TrimSpace(there)) != member.FoldString(login) {
		return s.admin.fault(backends.Broken, coworkers().path, errMoved)
	}
	fields[s.writeBack.name()] = string(password)
	return s.write(ctx, http.MethodPut, coworkers(), fields)
}
