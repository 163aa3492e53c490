package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// TestProgram is the program as a person uses it.
func TestProgram(t *testing.T) {
	t.Parallel()
	in, typed := io.Pipe()
	shown, out := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- run(context.Background(), []string{"-listen", "127.0.0.1:0", "-members", "2"}, in, out)
		_ = out.Close()
	}()
	var text bytes.Buffer
	until := func(want string) {
		t.Helper()
		room := make([]byte, 4096)
		for !strings.Contains(text.String(), want) {
			n, err := shown.Read(room)
			text.Write(room[:n])
			if err != nil {
				t.Fatalf("%q never came:\n%s", want, text.String())
			}
		}
	}
	until("type help")
	address := regexp.MustCompile(`url += "(http://[^"]+)"`).FindStringSubmatch(text.String())
	if address == nil {
		t.Fatal("it does not say where it is")
	}
	resp, err := http.Get(address[1] + "/api/spaces/coworkers")
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		t.Fatalf("%v, %v", resp, err)
	}
	_ = resp.Body.Close()
	for _, line := range [][2]string{
		{"help", "hooks are sent"}, {"add anna@example.com Hot Desk", "done"}, {"list", "Hot Desk, active true"},
		{"team Acme 220 anna@example.com", "done"}, {"suspend anna@example.com", "done"}, {"cancel anna@example.com", "done"},
		{"cancel nobody@example.com", "nobody has the email"}, {"fail 500", ""}, {"mend", ""}, {"checkin", "type help"},
	} {
		if _, err := io.WriteString(typed, line[0]+"\n"); err != nil {
			t.Fatal(err)
		}
		if line[1] != "" {
			until(line[1])
			text.Reset()
		}
	}
	_ = typed.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
