package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// A reader holds what was sent and received against the document, and notes
// which fields it saw.
type reader struct {
	*openAPI
	seen map[string]bool // "Schema.field"
}

// check compares v with s; at says where.
func (rd *reader) check(s *schema, v any, at string) error {
	name := strings.TrimPrefix(s.Ref, "#/components/schemas/")
	s = rd.resolve(s)
	if s == nil {
		return fmt.Errorf("%s: no schema %s", at, name)
	}
	if s.OneOf != nil {
		return rd.checkOneOf(s, v, at)
	}
	types, ok := s.Type.([]any)
	if !ok {
		types = []any{s.Type}
	}
	if is := kindOf(v); !slices.Contains(types, any(is)) {
		return fmt.Errorf("%s is of type %s, not %v", at, is, types)
	}
	switch v := v.(type) {
	case map[string]any:
		return rd.checkObject(s, v, name, at)
	case []any:
		for i, one := range v {
			if err := rd.check(s.Items, one, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	case string:
		if s.Enum != nil && !slices.Contains(s.Enum, v) {
			return fmt.Errorf("%s is %q, not one of %v", at, v, s.Enum)
		}
		if _, err := time.Parse(time.RFC3339, v); s.Format == "date-time" && err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		if s.Inside != nil {
			var inside any
			if err := json.Unmarshal([]byte(v), &inside); err != nil {
				return fmt.Errorf("%s: %w", at, err)
			}
			return rd.check(s.Inside, inside, at)
		}
	}
	return nil
}

// checkOneOf looks for the one that v is.
func (rd *reader) checkOneOf(s *schema, v any, at string) error {
	var errs []error
	for _, one := range s.OneOf {
		err := rd.check(one, v, at)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (rd *reader) checkObject(s *schema, v map[string]any, name, at string) error {
	for field, one := range v {
		p := s.Properties[field]
		if p == nil && s.Properties != nil {
			return fmt.Errorf("%s.%s is not in the document", at, field)
		} else if p == nil {
			continue // the document itself
		}
		rd.seen[name+"."+field] = true
		if err := rd.check(p, one, at+"."+field); err != nil {
			return err
		}
	}
	for _, field := range s.Required {
		if _, ok := v[field]; !ok {
			return fmt.Errorf("%s lacks %s", at, field)
		}
	}
	return nil
}

func kindOf(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	}
	return "null"
}

// checkContent holds a body against what the document says of its media type.
func (rd *reader) checkContent(c content, mediaType string, body []byte) error {
	if len(c) == 0 {
		if len(body) > 0 {
			return fmt.Errorf("the document says that there is no body, there is %q", body)
		}
		return nil
	}
	bare, _, err := mime.ParseMediaType(mediaType)
	one, ok := c[bare]
	if err != nil || !ok {
		return fmt.Errorf("the document has no %q", mediaType)
	}
	if bare == "text/csv" {
		head, _, _ := strings.Cut(string(body), "\n")
		return rd.checkColumns(strings.Split(head, ","))
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return err
	}
	return rd.check(one.Schema, v, "body")
}

// checkColumns holds the columns of an export against the fields of a session.
func (rd *reader) checkColumns(columns []string) error {
	fields := slices.Collect(maps.Keys(rd.Components.Schemas["Session"].Properties))
	slices.Sort(fields)
	if got := slices.Sorted(slices.Values(columns)); !slices.Equal(got, fields) {
		return fmt.Errorf("the columns are %v, the fields %v", got, fields)
	}
	return nil
}

// match finds the operation of a request.
func match(ops map[string]*operation, c call) (string, *operation) {
	path, _, _ := strings.Cut(c.path, "?")
	if op := ops[c.method+" "+path]; op != nil {
		return c.method + " " + path, op
	}
	parts := strings.Split(path, "/")
	for name, op := range ops {
		method, pattern, _ := strings.Cut(name, " ")
		want := strings.Split(pattern, "/")
		if method == c.method && slices.EqualFunc(want, parts, func(w, p string) bool { return w == p || strings.HasPrefix(w, "{") }) {
			return name, op
		}
	}
	return "", nil
}

// TestDocumentIsTrue: what is sent and answered is as the document says, and
// every field and every answer that it promises was seen.
func TestDocumentIsTrue(t *testing.T) {
	t.Parallel()
	rd := &reader{openAPI: readDocument(t), seen: map[string]bool{}}
	ops := rd.operations(t)
	answers := map[string]bool{}
	for _, c := range conversation() {
		w := newWorld()
		w.wait = time.Millisecond
		if c.before != nil {
			c.before(w)
		}
		name, op := match(ops, c.call)
		if op == nil {
			t.Errorf("%s %s is no operation of the document", c.method, c.path)
			continue
		}
		got := do(w.serve(t), c.call)
		if got.Code != c.status {
			t.Errorf("%s %s %s: %d, want %d: %s", c.method, c.path, c.body, got.Code, c.status, got.Body)
			continue
		}
		said, ok := op.Responses[fmt.Sprint(got.Code)]
		if !ok {
			t.Errorf("%s: the document does not have %d", name, got.Code)
			continue
		}
		said = rd.answer(said)
		if err := rd.checkContent(said.Content, got.Header().Get("Content-Type"), got.Body.Bytes()); err != nil {
			t.Errorf("%s: %d: %v", name, got.Code, err)
		}
		for header := range said.Headers {
			if got.Header().Get(header) == "" {
				t.Errorf("%s: %d lacks the header %s", name, got.Code, header)
			}
		}
		answers[fmt.Sprintf("%s: %d", name, got.Code)] = true
		if c.body != "" && got.Code < 300 {
			if err := rd.checkContent(op.Body.Content, "application/json", []byte(c.body)); err != nil {
				t.Errorf("%s took %s, and the document would not: %v", name, c.body, err)
			}
		}
	}
	rd.missed(t, ops, answers)
}

// missed fails for what the document promises and nothing has shown.
func (rd *reader) missed(t *testing.T, ops map[string]*operation, answers map[string]bool) {
	t.Helper()
	for name, s := range rd.Components.Schemas {
		for field := range s.Properties {
			if !rd.seen[name+"."+field] {
				t.Errorf("no request and no answer had %s.%s", name, field)
			}
		}
	}
	shared := []string{"400", "401", "403", "413", "415", "429", "500", "503"} // one path of the code for all
	answers["POST /api/v1/portal_login/: 409"] = true                          // takes two at once: TestLoginIsGrantedOnce
	for name, op := range ops {
		for status := range op.Responses {
			if !slices.Contains(shared, status) && !answers[name+": "+status] {
				t.Errorf("%s never answered %s", name, status)
			}
		}
		for _, p := range op.Parameters {
			if p.In != "header" && (p.In != "query" || !strings.HasPrefix(name, http.MethodGet)) {
				t.Errorf("%s: parameter %s in %s", name, p.Name, p.In)
			}
		}
	}
}
