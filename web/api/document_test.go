package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// A schema is as much of JSON Schema as the document uses.
type schema struct {
	Ref        string             `json:"$ref"`
	Type       any                `json:"type"` // a word, or a list of them
	Properties map[string]*schema `json:"properties"`
	Required   []string           `json:"required"`
	Items      *schema            `json:"items"`
	Enum       []string           `json:"enum"`
	Format     string             `json:"format"`
	Closed     *bool              `json:"additionalProperties"`
	OneOf      []*schema          `json:"oneOf"`
	Inside     *schema            `json:"contentSchema"` // of what a string holds
	Text       string             `json:"description"`
}

type content map[string]struct {
	Schema *schema `json:"schema"`
}

type answerDoc struct {
	Ref     string         `json:"$ref"`
	Content content        `json:"content"`
	Headers map[string]any `json:"headers"`
}

type operation struct {
	ID         string                `json:"operationId"`
	Security   []map[string][]string `json:"security"`
	Parameters []struct{ Name, In string }
	Body       *struct{ Content content } `json:"requestBody"`
	Responses  map[string]answerDoc       `json:"responses"`
}

type openAPI struct {
	OpenAPI    string                                `json:"openapi"`
	Paths      map[string]map[string]json.RawMessage `json:"paths"`
	Components struct {
		Responses map[string]answerDoc `json:"responses"`
		Schemas   map[string]*schema   `json:"schemas"`
	} `json:"components"`
}

func readDocument(t *testing.T) *openAPI {
	t.Helper()
	var d openAPI
	if err := json.Unmarshal(document, &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

// operations are those of the document, by "METHOD path".
func (d *openAPI) operations(t *testing.T) map[string]*operation {
	t.Helper()
	all := map[string]*operation{}
	for path, item := range d.Paths {
		for key, raw := range item {
			if key == "parameters" {
				continue
			}
			var op operation
			if err := json.Unmarshal(raw, &op); err != nil {
				t.Fatalf("%s %s: %v", key, path, err)
			}
			all[strings.ToUpper(key)+" "+path] = &op
		}
	}
	return all
}

// resolve follows a reference.
func (d *openAPI) resolve(s *schema) *schema {
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		return d.Components.Schemas[name]
	}
	return s
}

func (d *openAPI) answer(a answerDoc) answerDoc {
	if name, ok := strings.CutPrefix(a.Ref, "#/components/responses/"); ok {
		return d.Components.Responses[name]
	}
	return a
}

func TestDocumentHasTheRoutes(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	if d.OpenAPI != "3.1.0" {
		t.Errorf("openapi is %q", d.OpenAPI)
	}
	ops := d.operations(t)
	routes := map[string]scope{}
	for path, methods := range (&api{}).table() {
		for method, rt := range methods {
			routes[method+" "+path] = rt.need
		}
	}
	ids := map[string]bool{}
	for name, op := range ops {
		need, ok := routes[name]
		if !ok {
			t.Errorf("the document has %s, which is not served", name)
		}
		if said := slices.Collect(maps.Values(scopesOf(op))); (need == open) != (len(said) == 0) || need != open && said[0] != string(need) {
			t.Errorf("%s takes the scope %q, the document says %v", name, need, said)
		}
		if ids[op.ID] || op.ID == "" {
			t.Errorf("%s: operationId %q is empty or there twice", name, op.ID)
		}
		ids[op.ID] = true
	}
	for name := range routes {
		if ops[name] == nil {
			t.Errorf("%s is served, the document does not have it", name)
		}
	}
}

// TestDocumentHasTheParameters: every list takes those that the document names,
// and says so of itself.
func TestDocumentHasTheParameters(t *testing.T) {
	t.Parallel()
	for name, op := range readDocument(t).operations(t) {
		path, ok := strings.CutPrefix(name, "GET ")
		if !ok || strings.Contains(path, "{") || len(op.Security) == 0 {
			continue
		}
		var said []string
		for _, p := range op.Parameters {
			said = append(said, p.Name)
		}
		p := problemIn(t, do(newWorld().serve(t), call{"GET", path + "?none=1", "", "mr_admin"}))
		if want := "none: there is no such parameter; there are " + cmp.Or(strings.Join(said, ", "), "none"); p.Detail != want {
			t.Errorf("%s: %q, by the document %q", name, p.Detail, want)
		}
	}
}

func scopesOf(op *operation) map[string]string {
	found := map[string]string{}
	for _, s := range op.Security {
		for _, scopes := range s {
			for _, one := range scopes {
				found[one] = one
			}
		}
	}
	return found
}

// TestDocumentHasTheFields: every schema has exactly the fields of its Go type.
func TestDocumentHasTheFields(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	bodies := map[string]reflect.Type{
		"MemberDraft": reflect.TypeFor[memberDraft](), "MemberPatch": reflect.TypeFor[memberPatch](), "SyncOrder": reflect.TypeFor[syncOrder](),
		"DeviceDraft": reflect.TypeFor[deviceDraft](), "BlockDraft": reflect.TypeFor[blockDraft](), "VoucherDraft": reflect.TypeFor[voucherDraft](),
		"PortalLoginOrder": reflect.TypeFor[portalOrder](), "PortalLoginData": reflect.TypeFor[portalData](), "PortalRenewal": reflect.TypeFor[renewal](),
	}
	answers := map[string]reflect.Type{
		"Member": reflect.TypeFor[memberView](), "MemberList": reflect.TypeFor[memberList](), "MemberAdded": reflect.TypeFor[addedView](),
		"Password": reflect.TypeFor[passwordView](), "Link": reflect.TypeFor[linkView](), "Plan": reflect.TypeFor[planView](), "PlanList": reflect.TypeFor[planList](),
		"Backend": reflect.TypeFor[backendView](), "BackendList": reflect.TypeFor[backendList](), "Run": reflect.TypeFor[runView](), "RunList": reflect.TypeFor[runList](),
		"Change": reflect.TypeFor[changeView](), "Sync": reflect.TypeFor[syncView](), "SyncPending": reflect.TypeFor[pendingView](),
		"Problem": reflect.TypeFor[problem](), "FieldError": reflect.TypeFor[fieldError](),
		"Session": reflect.TypeFor[sessionView](), "SessionList": reflect.TypeFor[sessionList](), "SessionDetail": reflect.TypeFor[sessionDetail](),
		"Attempt": reflect.TypeFor[attemptView](), "Kick": reflect.TypeFor[kickView](), "KickPending": reflect.TypeFor[kickPending](),
		"Usage": reflect.TypeFor[usageView](), "UsageList": reflect.TypeFor[usageList](), "Device": reflect.TypeFor[deviceView](), "DeviceList": reflect.TypeFor[deviceList](),
		"Block": reflect.TypeFor[blockView](), "BlockList": reflect.TypeFor[blockList](), "Voucher": reflect.TypeFor[voucherView](), "VoucherList": reflect.TypeFor[voucherList](),
		"PortalLogEntry": reflect.TypeFor[portalEntryView](), "PortalLogList": reflect.TypeFor[portalEntryList](),
		"PortalLogin": reflect.TypeFor[portalView](), "PortalLoginState": reflect.TypeFor[portalState](),
	}
	for name, s := range d.Components.Schemas {
		if typ, ok := bodies[name]; ok {
			d.compare(t, name, s, typ)
			if s.Closed == nil || *s.Closed {
				t.Errorf("%s: unknown fields are refused; say additionalProperties: false", name)
			}
		} else if typ, ok := answers[name]; ok {
			d.compare(t, name, s, typ)
			d.compareRequired(t, name, s, typ)
		} else {
			t.Errorf("the schema %s has no type here", name)
		}
	}
	if len(d.Components.Schemas) != len(bodies)+len(answers) {
		t.Errorf("%d schemas, %d types", len(d.Components.Schemas), len(bodies)+len(answers))
	}
}

// fieldsOf lists the JSON fields of a struct; sometimes says that one can be left out.
func fieldsOf(typ reflect.Type) (types map[string]reflect.Type, sometimes map[string]bool) {
	types, sometimes = map[string]reflect.Type{}, map[string]bool{}
	for _, f := range reflect.VisibleFields(typ) {
		if name, options, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			types[name], sometimes[name] = f.Type, options != ""
		}
	}
	return types, sometimes
}

func (d *openAPI) compare(t *testing.T, name string, s *schema, typ reflect.Type) {
	t.Helper()
	types, _ := fieldsOf(typ)
	for field, ft := range types {
		p := s.Properties[field]
		if p == nil {
			t.Errorf("%s: the document lacks %q", name, field)
			continue
		}
		p = d.resolve(p)
		if said, is := fmt.Sprint(p.Type), jsonType(ft); said != is {
			t.Errorf("%s.%s: the document says %s, it is %s", name, field, said, is)
		}
		if p.Text == "" {
			t.Errorf("%s.%s has no description", name, field)
		}
	}
	for field := range s.Properties {
		if types[field] == nil {
			t.Errorf("%s: the document has %q, the type does not", name, field)
		}
	}
}

func (d *openAPI) compareRequired(t *testing.T, name string, s *schema, typ reflect.Type) {
	t.Helper()
	_, sometimes := fieldsOf(typ)
	for field, can := range sometimes {
		if slices.Contains(s.Required, field) == can {
			t.Errorf("%s.%s: it can be left out: %v; the document says otherwise", name, field, can)
		}
	}
}

// jsonType is what the document calls a Go type.
func jsonType(typ reflect.Type) string {
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if typ == reflect.TypeFor[json.RawMessage]() {
		return "<nil>" // oneOf says it
	}
	switch typ.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Slice:
		return "array"
	case reflect.Struct:
		if value, ok := typ.FieldByName("Value"); ok {
			return "[" + jsonType(value.Type) + " null]"
		}
		if typ == reflect.TypeFor[time.Time]() {
			return "string"
		}
		return "object"
	}
	return "integer"
}
