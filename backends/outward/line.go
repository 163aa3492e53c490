package outward

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"memberradius/backends"
	"memberradius/member"
)

// CheckToken says what is wrong with a token that is to be sent as Bearer.
func CheckToken(token member.Secret) error {
	if token == "" {
		return errors.New(`is missing or empty; write token = "env:NAME" or "file:PATH" and put what the system gave out there`)
	}
	for _, b := range []byte(token) {
		if b <= ' ' || b > '~' { // RFC 6750 §2.1; a line break would start another header
			return errors.New("holds a blank, a line break or a character that is no ASCII; see whether more than the token was copied")
		}
	}
	return nil
}

// A Line is one address of a system, which takes JSON and our token.
type Line struct {
	// Where is scheme and host, for errors.
	Where     string
	Transport *http.Transport
	// Head is what all requests have in common; read-only.
	Head *http.Request
}

// Line prepares a Line by the way w. The token has passed CheckToken.
func (w *Way) Line(token member.Secret) *Line {
	return &Line{
		Where: w.Target.Scheme + "://" + w.Target.Host, Transport: w.Transport(),
		Head: &http.Request{
			Method: http.MethodPost, URL: w.Target, Host: w.Target.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{
				"Authorization": {"Bearer " + string(token)},
				"Content-Type":  {"application/json"},
				"Accept":        {"application/json"},
				"User-Agent":    {"memberradius"},
			},
		},
	}
}

// Post sends body and returns as soon as the header of the response is there. key
// is an Idempotency-Key, with which the system knows a repeat; "" is none. It goes to
// the transport, not to a Client: a Client would follow redirects and take the token
// with it.
func (l *Line) Post(ctx context.Context, key string, body []byte) (*http.Response, error) {
	req := l.Head.WithContext(ctx)
	if key != "" {
		req.Header = req.Header.Clone()
		req.Header.Set("Idempotency-Key", key)
	}
	req.ContentLength = int64(len(body))
	// The transport sends again what never left this host, and nothing else:
	// a POST that was written may have cost a pass.
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.Body, _ = req.GetBody()
	return l.Transport.RoundTrip(req)
}

// Close drops the connections that are idle.
func (l *Line) Close() error {
	l.Transport.CloseIdleConnections()
	return nil
}

// Failed is a backend's "could not say" by what went wrong on the way to where, while doing that.
func Failed(backend, where, doing string, err error) *backends.Error {
	class := backends.Unreachable
	var slow net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.As(err, &slow) && slow.Timeout() {
		class = backends.Timeout
	}
	if len(err.Error()) > 300 { // the transport quotes what is no HTTP
		err = fmt.Errorf("%.300s", err.Error())
	}
	return &backends.Error{Class: class, Backend: backend, Err: fmt.Errorf("%s: %s%w", where, doing, err)}
}

// IsJSON says whether a response is application/json. A proxy's page with status
// 200 must never be read as an answer.
func IsJSON(h http.Header) bool {
	media, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(media), "application/json")
}

// Finding says what went wrong on the way to a system, and what to do; slow is the
// remedy where it took too long.
func Finding(err error, slow string) backends.Finding {
	f := backends.Finding{Wrong: true, What: err.Error(), Remedy: "see whether the system runs and whether a firewall stands between"}
	if known := remedy(err); known != "" {
		f.Remedy = known
	} else if backends.ClassOf(err) == backends.Timeout {
		f.Remedy = slow
	}
	return f
}
