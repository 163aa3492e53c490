package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// A problem is an error as RFC 9457 writes it. Its type is about:blank: the
// status says which kind it is, the detail is for a person.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	// Errors are the fields of the request that are wrong.
	Errors []fieldError `json:"errors,omitempty"`
	// Scope is the scope that the token lacks.
	Scope string `json:"scope,omitempty"`
	// Run is the sync that failed or is held.
	Run *runView `json:"run,omitempty"`
	// Attempt is the one that did not throw a device off.
	Attempt *attemptView `json:"attempt,omitempty"`
}

// A fieldError is what is wrong with one field, or one parameter of the query.
type fieldError struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// Error implements error.
func (p *problem) Error() string { return p.Detail }

func problemOf(status int, detail string) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}
}

// wrongField is a problem with one field of the request.
func wrongField(field, detail string) *problem {
	p := problemOf(http.StatusUnprocessableEntity, field+": "+detail)
	p.Errors = []fieldError{{field, detail}}
	return p
}

// answer turns an error of the seams into what the caller reads. A fault of
// this server stays here: its text is for the operator's log.
func answer(err error) *problem {
	var p *problem
	var refusal *Refusal
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &refusal):
		if refusal.Field != "" {
			return wrongField(refusal.Field, refusal.Words)
		}
		return problemOf(http.StatusConflict, refusal.Words)
	case errors.Is(err, ErrUnknown):
		return problemOf(http.StatusNotFound, "There is no such member or backend.")
	case errors.Is(err, ErrExists):
		return problemOf(http.StatusConflict, "There is a member with this login already. Logins that differ in upper and lower case alone are the same.")
	}
	return problemOf(http.StatusInternalServerError, "The server failed; its log says why.")
}

func (p *problem) send(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/problem+json")
	write(w, p.Status, p)
}

// retryAfter says when to try again, in whole seconds.
func retryAfter(w http.ResponseWriter, d time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int((d+time.Second-1)/time.Second)))
}

// send answers with JSON.
func send(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	write(w, status, v)
}

func write(w http.ResponseWriter, status int, v any) {
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // whoever has gone hears no more
}
