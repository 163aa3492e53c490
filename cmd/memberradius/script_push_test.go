package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptPush sends a signed push and prints the answer: push STATUS URL SECRET FILE [ID].
func scriptPush(ts *testscript.TestScript, _ bool, args []string) {
	body, err := os.ReadFile(ts.MkAbs(args[3]))
	ts.Check(err)
	body = bytes.ReplaceAll(body, []byte("NOW"), []byte(time.Now().UTC().Format(time.RFC3339)))
	id := rand.Text()
	if len(args) > 4 {
		id = args[4]
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(args[2], "whsec_"))
	ts.Check(err)
	now := fmt.Sprint(time.Now().Unix())
	mac := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(mac, "%s.%s.%s", id, now, body)
	req, err := http.NewRequest(http.MethodPost, args[1], bytes.NewReader(body))
	ts.Check(err)
	req.Header = http.Header{
		"Content-Type": {"application/json"}, "Webhook-Id": {id}, "Webhook-Timestamp": {now},
		"Webhook-Signature": {"v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))},
	}
	ts.Check(answered(ts, req, args[0]))
}

// scriptCall calls the API and prints the answer: call STATUS METHOD URL [FILE], by
// the token in $TOKEN.
func scriptCall(ts *testscript.TestScript, _ bool, args []string) {
	var body io.Reader
	if len(args) > 3 {
		body = strings.NewReader(strings.ReplaceAll(ts.ReadFile(args[3]), "NOW", time.Now().UTC().Format(time.RFC3339)))
	}
	req, err := http.NewRequest(args[1], args[2], body)
	ts.Check(err)
	if token := ts.Getenv("TOKEN"); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	ts.Check(answered(ts, req, args[0]))
}

// answered prints the answer to a request, whose status must be the one that is wanted.
func answered(ts *testscript.TestScript, req *http.Request, want string) error {
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	_, _ = ts.Stdout().Write(text)
	if got := fmt.Sprint(resp.StatusCode); got != want {
		return fmt.Errorf("%s %s: status %s, want %s: %s", req.Method, req.URL, got, want, text)
	}
	return nil
}

// scriptKeep puts what a pattern finds in the last output into a variable:
// keep NAME PATTERN.
func scriptKeep(ts *testscript.TestScript, _ bool, args []string) {
	found := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if found == nil {
		ts.Fatalf("nothing matches %s", args[1])
	}
	ts.Setenv(args[0], found[len(found)-1])
}
