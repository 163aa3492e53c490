package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"memberradius/backends"
	"memberradius/backends/coworks"
	"memberradius/member"

	"github.com/BurntSushi/toml"
)

// TestProgram starts the program, takes the configuration that it prints, asks
// by it, and ends the program.
func TestProgram(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	said, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"-listen", "127.0.0.1:0", "-token", "canary"}, out) }()
	var config strings.Builder
	var address string
	lines := bufio.NewScanner(said)
	for lines.Scan() && !strings.Contains(lines.Text(), "curl") {
		if found := regexp.MustCompile(`^[a-z_]+ += .*`).FindString(lines.Text()); found != "" {
			config.WriteString(found + "\n")
		}
		if found := regexp.MustCompile(`http://[0-9.:]+`).FindString(lines.Text()); found != "" {
			address = found
		}
	}
	var c coworks.Config
	if _, err := toml.Decode(config.String(), &c); err != nil || strings.Contains(config.String(), "canary") {
		t.Fatalf("%v in\n%s", err, config.String())
	}
	c.Token = "canary"
	b, err := c.Open(backends.Deps{Name: "coworks"})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(want member.Verdict) {
		t.Helper()
		a := &member.Attempt{Login: "ada@example.com", Proof: member.Proof{Kind: member.Password, Password: password}}
		if ans, err := b.Ask(ctx, a); err != nil || ans.Verdict != want {
			t.Errorf("%s, %v, want %s", ans.Verdict, err, want)
		}
	}
	ask(member.Allow)
	for path, want := range map[string]int{"ada@example.com/suspended": 200, "nobody@example.com/active": 404, "ada@example.com/gone": 400} {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/members/"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
	ask(member.Deny)
	stop()
	if err := <-ended; err != nil {
		t.Errorf("the program ended by %v", err)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-h"}, &out); err == nil || !strings.Contains(out.String(), "-login-only") {
		t.Errorf("%v: %s", err, out.String())
	}
	if err := run(t.Context(), []string{"-listen", "nowhere"}, &out); err == nil {
		t.Error("listens nowhere")
	}
}
