package backends

import (
	"context"
	"errors"
	"net/http"
	"time"

	"memberradius/member"
)

// A Ref names one thing of a member system by the system's own id: what a hook
// is about. Kind is the system's word for it ("coworker", "contract", "team").
type Ref struct{ Kind, ID string }

// A Query says what a Syncer is to read.
type Query struct {
	// Since asks for what changed since; zero, with no Refs, asks for everything.
	Since time.Time
	// Refs asks for these alone. Since is zero then.
	Refs []Ref
	// Progress hears how far it has come. It must not wait. Nil hears nothing.
	Progress func(Progress)
}

// Everything says whether who is not among the records has ended.
func (q *Query) Everything() bool { return q.Since.IsZero() && len(q.Refs) == 0 }

// A Progress is how far a reading has come.
type Progress struct {
	// Doing says what is read now: "contracts".
	Doing string
	// Pages and Requests are how many were read and sent, Members how many
	// members are known so far, Of how many the system says that there are; 0: it did not say.
	Pages, Requests, Members, Of int
}

// A Syncer is a Backend whose members are read ahead and kept.
type Syncer interface {
	// Sync calls out for the members that q asks for, each login once, and
	// returns nil once all have been said; after an error nothing that was said
	// counts. Asked for everything it says whoever is a member and nobody else;
	// asked for less it says all that changed, with Gone for who no longer is
	// one. The record is out's to keep. Errors are *Error where their class is known.
	Sync(ctx context.Context, q *Query, out func(*member.Record) error) error
}

// A Push is what a member system said unasked.
type Push struct {
	// ID is the delivery's, where the system has one: it has one effect, however
	// often it comes.
	ID string
	// Refs say whom to read again: a hint, never data.
	Refs []Ref
	// Records are members as they shall be; Gone ends one.
	Records []member.Record
	// AsOf is when what Records say was so: an older push never undoes a newer
	// one. Zero: the system does not say.
	AsOf time.Time
}

// Notified is a Backend that its system tells of changes.
type Notified interface {
	// Notify verifies what came and says what it means. ErrUnsigned: it is not
	// the system's. ErrDeaf: there is no secret to verify it by. Any other error
	// is an *Error, and what came can't be used.
	Notify(ctx context.Context, h http.Header, body []byte) (*Push, error)
}

// An AccessGroup is what an access-control system can open.
type AccessGroup struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// AccessControl is a Backend that stands in for an access-control system: its
// member system asks what there is to open, and pushes who may.
type AccessControl interface {
	// Groups lists what can be opened. Its errors are Notify's.
	Groups(ctx context.Context, h http.Header) ([]AccessGroup, error)
	// Grant takes a push as Notify does.
	Grant(ctx context.Context, h http.Header, body []byte) (*Push, error)
}

var (
	// ErrUnsigned says that a push does not come from the member system. Whoever
	// sent it hears no more than that.
	ErrUnsigned = errors.New("not signed as the member system signs")
	// ErrDeaf says that the backend takes no such push: there is no secret for it.
	ErrDeaf = errors.New("no secret is set to verify it by")
)

// A Secrecy says where the passwords of a synced system's members come from.
type Secrecy uint8

const (
	// Brought: each record brings its credential. It is the zero value.
	Brought Secrecy = iota
	// Generated: memberradius makes one for the Wi-Fi alone, and keeps it.
	Generated
	// Asked: the system keeps it, and is asked at each login.
	Asked
)

// A Provisioner is a kind whose members are kept in the store.
type Provisioner interface {
	// Secrecy says where their passwords come from.
	Secrecy() Secrecy
}

// A Hook is a push that is set up at the member system.
type Hook struct {
	// ID is the system's; empty: it is not there yet.
	ID string
	// About says what it tells of, Target where it goes.
	About, Target string
	// Active says that the system sends it. Errors is how many times in a row it
	// could not, LastError what it said then.
	Active    bool
	Errors    int
	LastError string
	// Missing says that it should be there and is not.
	Missing bool
}

// A Hooker is a Backend whose system's hooks can be set up from here.
type Hooker interface {
	// Hooks lists those that lead to target, and those that are missing. With
	// install it makes and wakes what is needed first.
	Hooks(ctx context.Context, target string, install bool) ([]Hook, error)
}

// A Writer is a Backend that can show a member her Wi-Fi password in her own
// system.
type Writer interface {
	// WritesBack says whether there is a place for it.
	WritesBack() bool
	// WriteBack puts it there. login is the record's, id the system's own.
	WriteBack(ctx context.Context, id, login string, password member.Secret) error
}
