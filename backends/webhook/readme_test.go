package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"memberradius/backends"

	"github.com/BurntSushi/toml"
)

// block returns the first block of the README in a language.
func block(t *testing.T, language string) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "```"+language+"\n")
	inside, _, closed := strings.Cut(after, "\n```")
	if !found || !closed {
		t.Fatalf("README.md has no block of %s", language)
	}
	return inside + "\n"
}

func TestReadmeConfig(t *testing.T) {
	t.Parallel()
	var file struct {
		Backend []toml.Primitive `toml:"backend"`
	}
	md, err := toml.Decode(block(t, "toml"), &file)
	if err != nil || len(file.Backend) != 1 {
		t.Fatalf("%d backends, %v", len(file.Backend), err)
	}
	var c Config
	if err := md.PrimitiveDecode(file.Backend[0], &c); err != nil || c.WebhookSecret == "" || c.Secret != "generate" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestReadmeBody(t *testing.T) {
	t.Parallel()
	m, err := generating.decode([]byte(block(t, "json")), noon)
	if err != nil || len(m.records) != 1 || m.records[0].Member.Plans[0] != "Hot Desk" || m.records[0].Member.ValidUntil.IsZero() {
		t.Errorf("%+v, %v", m, err)
	}
}

// taker serves a backend as the server does, and says what came.
func taker(t *testing.T) (url string, came chan *backends.Push) {
	t.Helper()
	b := open(t, Config{}, backends.Deps{Now: time.Now})
	came = make(chan *backends.Push, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p, err := b.Notify(r.Context(), r.Header, body)
		switch {
		case errors.Is(err, backends.ErrUnsigned):
			http.Error(w, "unauthorized", http.StatusUnauthorized)
		case err != nil:
			http.Error(w, err.Error(), http.StatusBadRequest)
		default:
			came <- p
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, came
}

// TestReadmeShell pushes as an operator does by hand.
func TestReadmeShell(t *testing.T) {
	t.Parallel()
	need(t, "sh", "openssl", "curl", "od")
	script := block(t, "sh")
	url, came := taker(t)
	push := func(secret, body string) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, "sh", "-c", script, "push.sh", url)
		cmd.Env = append(os.Environ(), "WEBHOOK_SECRET="+secret)
		cmd.Stdin = strings.NewReader(body)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	// Characters that a shell might take for its own.
	body := fmt.Sprintf("{\"type\":\"member.updated\",\"timestamp\":%q,\n \"data\":{\"login\":\"o'hara@example.com\",\"name\":\"%%s \\\\ $x `id`\"}}\n", time.Now().UTC().Format(time.RFC3339))
	out, err := push(string(secrets[0]), body)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p := <-came
	if len(p.Records) != 1 || p.Records[0].Member.Login != "o'hara@example.com" || p.Records[0].Member.Name != "%s \\ $x `id`" || !strings.HasPrefix(p.ID, "msg_") || len(p.ID) != 36 {
		t.Errorf("%+v", p)
	}
	if out, err := push(string(secrets[1]), body); err == nil || !strings.Contains(out, "unauthorized") {
		t.Errorf("another secret: %v: %s", err, out)
	}
	if out, err := push(string(secrets[0]), `{"type":"member.updated"}`); err == nil || !strings.Contains(out, "timestamp is missing") {
		t.Errorf("a body that is wrong: %v: %s", err, out)
	}
}

// TestReadmePython pushes as a step of Zapier does.
func TestReadmePython(t *testing.T) {
	t.Parallel()
	need(t, "python3")
	url, came := taker(t)
	script := fmt.Sprintf("input_data = {'url': %q, 'secret': %q, 'login': 'Zoé@example.com', 'plan': 'Office', 'until': '2099-01-01T00:00:00Z', 'at': %q}\n",
		url, string(secrets[0]), time.Now().UTC().Format(time.RFC3339)) + block(t, "python")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "python3", "-c", script).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p := <-came
	if len(p.Records) != 1 || p.Records[0].Member.Login != "Zoé@example.com" || p.Records[0].Member.Plans[0] != "Office" {
		t.Errorf("%+v", p)
	}
}

// need skips a test where a program is not there.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("there is no %s on this host", p)
		}
	}
}
