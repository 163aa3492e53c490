package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
)

// maxDepth is how deep JSON may be nested: a request is an object with lists in it.
const maxDepth = 4

// readJSON reads the body into v, which must be a pointer to a struct. It takes
// exactly one object with no fields but v's. Its error is a *problem.
func readJSON(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := readTyped(w, r)
	if err != nil {
		return err
	}
	if err := decode(body, v); err != nil {
		return problemOf(http.StatusBadRequest, "The body can't be used: "+err.Error()+".")
	}
	return nil
}

// readTyped reads a body that says of itself that it is JSON.
func readTyped(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" && mediaType != "application/merge-patch+json" {
		return nil, problemOf(http.StatusUnsupportedMediaType, "Send JSON, with the header Content-Type: application/json.")
	}
	return readBody(w, r)
}

// readNothing refuses a body where none is expected; an empty object is none.
func readNothing(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	if text := string(bytes.TrimSpace(body)); text != "" && text != "{}" {
		return problemOf(http.StatusBadRequest, "No body is expected here.")
	}
	return nil
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return nil, problemOf(http.StatusRequestEntityTooLarge, "The body is too long: at most 64 KiB are taken.")
	case err != nil:
		return nil, problemOf(http.StatusBadRequest, "The body did not arrive.")
	}
	return body, nil
}

// decode reads one JSON object, strictly: a misspelt field is said, never ignored.
func decode(body []byte, v any) error {
	if !utf8.Valid(body) {
		return errors.New("it is not UTF-8")
	}
	if err := walk(body); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return explain(err)
	}
	return nil
}

// walk looks at the form alone: one object, not too deep, no field twice. Of two
// fields of one name readers take the first or the last, and so may disagree.
func walk(body []byte) error {
	d := json.NewDecoder(bytes.NewReader(body))
	first, err := d.Token()
	if err != nil {
		return explain(err)
	}
	if first != json.Delim('{') {
		return errors.New("it must be a JSON object")
	}
	if err := walkInside(d, '{', 1); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	return nil
}

// walkInside reads to the end of what open has begun.
func walkInside(d *json.Decoder, open json.Delim, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("it is nested deeper than %d levels", maxDepth)
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return explain(err)
		}
		if open == '{' {
			name, _ := t.(string)
			// encoding/json takes a field in any case, so both spellings are one.
			if folded := strings.ToLower(name); seen[folded] {
				return fmt.Errorf("the field %q is there twice", name)
			} else if seen[folded] = true; folded != name {
				return fmt.Errorf("there is no field %q", name)
			}
			if t, err = d.Token(); err != nil {
				return explain(err)
			}
		}
		if inner, ok := t.(json.Delim); ok {
			if err := walkInside(d, inner, depth+1); err != nil {
				return err
			}
		}
	}
	_, err := d.Token()
	return explain(err)
}

// explain says in plain words what encoding/json says in those of Go.
func explain(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it ends too early")
	case errors.As(err, &syntax):
		return fmt.Errorf("it is no JSON at octet %d", syntax.Offset)
	case errors.As(err, &kind):
		// An embedded struct's name stands before the field's.
		name := kind.Field[strings.LastIndexByte(kind.Field, '.')+1:]
		return fmt.Errorf("the field %q must be %s", name, wanted(kind.Type))
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fmt.Errorf("there is no field %s", name)
	}
	return errors.New("a value has a form that is not expected")
}

// An optional is a field of a change: absent it leaves things as they are, null
// empties them (RFC 7396).
type optional[T any] struct {
	Set   bool
	Value T
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *optional[T]) UnmarshalJSON(b []byte) error {
	o.Set = true
	if string(b) == "null" {
		return nil
	}
	err := json.Unmarshal(b, &o.Value)
	var kind *json.UnmarshalTypeError
	if err != nil && !errors.As(err, &kind) {
		// encoding/json adds the field's name to errors of this type alone.
		return &json.UnmarshalTypeError{Type: reflect.TypeFor[T]()}
	}
	return err
}

// wanted says in words what a field of type t takes.
func wanted(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return `a time, as "2026-01-31T08:00:00+01:00"`
	case t.Kind() == reflect.String:
		return "text"
	case t.Kind() == reflect.Slice:
		return "a list"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Int:
		return "a whole number"
	}
	return "something else"
}
