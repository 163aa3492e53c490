package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"memberradius/web/caller"
)

const (
	// maxBody is the largest push in octets.
	maxBody = 256 << 10
	// readWithin and takeWithin bound how long one may take to arrive and to be taken.
	readWithin = 5 * time.Second
	takeWithin = 5 * time.Second
	// places bound how many are in work: each may hold maxBody octets.
	places, placesEach = 64, 32
)

var (
	// ErrUnknown says that there is no such backend.
	ErrUnknown = errors.New("no such backend")
	// ErrDeaf says that the backend takes no pushes: it has no secret to verify
	// them by. Whoever asks can't tell it from ErrUnknown.
	ErrDeaf = errors.New("the backend takes no pushes")
	// ErrUnsigned says that the push does not come from the member system.
	ErrUnsigned = errors.New("not signed")
)

// A Refusal is why a push that is the member system's can't be used, in words
// for its operator. It is an error.
type Refusal struct{ Words string }

// Error implements error.
func (r *Refusal) Error() string { return r.Words }

// Hooks takes what member systems push.
type Hooks interface {
	// Take verifies a push and takes it: a hint is noted and worked on later,
	// data holds when Take returns nil. Errors are ErrUnknown, ErrDeaf,
	// ErrUnsigned, a *Refusal, or a fault of this server, after which the system
	// shall send it again. It returns soon after ctx ends, and keeps neither h nor body.
	Take(ctx context.Context, backend string, h http.Header, body []byte) error
}

// A Group is something that a member system can open for a member.
type Group struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Access stands in for an access-control system. Its errors are those of Hooks.
type Access interface {
	// Groups lists what can be opened.
	Groups(ctx context.Context, backend string, h http.Header) ([]Group, error)
	// Grant takes a push that says what is open for whom.
	Grant(ctx context.Context, backend string, h http.Header, body []byte) error
}

// Config is what New needs. Where Hooks or Access is nil, that part is not there.
type Config struct {
	Hooks  Hooks
	Access Access
	// Proxies are the operator's own.
	Proxies caller.Proxies
}

// A receiver serves pushes.
type receiver struct {
	Config
	gate *caller.Gate
}

// New returns the handler of /webhooks/ and /acs/.
func New(c Config) http.Handler {
	rc := &receiver{Config: c, gate: caller.NewGate(places, placesEach)}
	mux := http.NewServeMux()
	if c.Hooks != nil {
		mux.HandleFunc("POST /webhooks/{backend}", rc.push("Signature", c.Hooks.Take))
	}
	if c.Access != nil {
		mux.HandleFunc("GET /acs/{backend}", rc.groups)
		mux.HandleFunc("POST /acs/{backend}", rc.push("Bearer", c.Access.Grant))
	}
	return mux
}

// push answers a push that take is to take. scheme is how it proves where it
// comes from: a 401 must name one (RFC 9110 §15.5.2).
func (rc *receiver) push(scheme string, take func(ctx context.Context, backend string, h http.Header, body []byte) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		leave, ok := rc.gate.Enter(rc.Proxies.Address(r))
		if !ok {
			busy(w)
			return
		}
		defer leave()
		body, ok := read(w, r)
		if !ok {
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), takeWithin)
		defer cancel()
		if err := take(ctx, r.PathValue("backend"), r.Header, body); err != nil {
			refuse(w, scheme, err)
			return
		}
		say(w, http.StatusOK, "taken")
	}
}

// groups answers the question what can be opened.
func (rc *receiver) groups(w http.ResponseWriter, r *http.Request) {
	leave, ok := rc.gate.Enter(rc.Proxies.Address(r))
	if !ok {
		busy(w)
		return
	}
	defer leave()
	ctx, cancel := context.WithTimeout(r.Context(), takeWithin)
	defer cancel()
	groups, err := rc.Access.Groups(ctx, r.PathValue("backend"), r.Header)
	if err != nil {
		refuse(w, "Bearer", err)
		return
	}
	if groups == nil {
		groups = []Group{} // the member system wants a list, never null
	}
	send(w, http.StatusOK, groups)
}

// read reads the body as it came. What is too long or too slow is answered here.
func read(w http.ResponseWriter, r *http.Request) (body []byte, ok bool) {
	if r.ContentLength > maxBody {
		tooLarge(w)
		return nil, false
	}
	// A connection that can't be bounded has the server's own time limit.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readWithin))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		tooLarge(w)
		return nil, false
	case err != nil:
		w.Header().Set("Connection", "close")
		say(w, http.StatusBadRequest, "the body did not arrive")
		return nil, false
	}
	return body, true
}

// refuse answers an error. Unsigned pushes learn nothing, and a backend that is
// deaf answers as one that is not there.
func refuse(w http.ResponseWriter, scheme string, err error) {
	var refusal *Refusal
	switch {
	case errors.Is(err, ErrUnsigned):
		w.Header().Set("WWW-Authenticate", scheme)
		say(w, http.StatusUnauthorized, "unauthorized")
	case errors.Is(err, ErrUnknown), errors.Is(err, ErrDeaf):
		say(w, http.StatusNotFound, "not found")
	case errors.As(err, &refusal):
		say(w, http.StatusUnprocessableEntity, refusal.Words)
	default:
		busy(w)
	}
}

// busy asks the member system to send the push again.
func busy(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "5")
	say(w, http.StatusServiceUnavailable, "send it again later")
}

func tooLarge(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	say(w, http.StatusRequestEntityTooLarge, "at most 256 KiB are taken")
}

func say(w http.ResponseWriter, status int, text string) {
	send(w, status, struct {
		Message string `json:"message"`
	}{text})
}

func send(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
