package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptUniFi is a UniFi console, which takes the key "a-key":
//
//	unifi start           it stands at $UNIFI, and its certificate's SHA-256 is $UNIFI_PRINT
//	unifi got             prints what it is told next
//	unifi quiet           nothing has come that was not printed
func scriptUniFi(ts *testscript.TestScript, _ bool, args []string) {
	s := streetOf(ts)
	switch args[0] {
	case "start":
		s.console = make(chan string, 64)
		web := httptest.NewUnstartedServer(http.HandlerFunc(s.consoled))
		web.Config.ErrorLog = log.New(io.Discard, "", 0)
		web.StartTLS()
		ts.Defer(web.Close)
		mark := sha256.Sum256(web.Certificate().Raw)
		ts.Setenv("UNIFI", web.URL)
		ts.Setenv("UNIFI_PRINT", hex.EncodeToString(mark[:]))
	case "got":
		select {
		case text := <-s.console:
			_, _ = fmt.Fprint(ts.Stdout(), text)
		case <-time.After(10 * time.Second):
			ts.Fatalf("the console got nothing")
		}
	case "quiet":
		select {
		case text := <-s.console:
			ts.Fatalf("the console got %s", text)
		default:
		}
	default:
		ts.Fatalf("unifi %s is unknown", args[0])
	}
}

// consoled answers as a console does (Ubiquiti, "External Hotspot API for
// Authorization Clients"): at its root with a page, else by the Network application.
func (s *street) consoled(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/":
		_, _ = io.WriteString(w, "<html>")
	case r.Header.Get("X-API-KEY") != "a-key":
		w.WriteHeader(http.StatusUnauthorized)
	case r.URL.Path != "/proxy/network/api/s/default/cmd/stamgr":
		w.WriteHeader(http.StatusNotFound)
	default:
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, `{"meta":{"rc":"ok"},"data":[{}]}`)
		s.console <- string(body) + "\n"
	}
}
