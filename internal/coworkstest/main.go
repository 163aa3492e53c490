// Command coworkstest is a coworking space to try kind = "coworks" against:
//
//	go run ./internal/coworkstest
//
// It says what to write into config.toml and who its members are. It owns the
// command line; the space itself is package standin.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"memberradius/internal/coworkstest/standin"
	"memberradius/member"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "coworkstest:", err)
		os.Exit(1)
	}
}

// The members of the space, and the password of all of them.
const password = "correct-horse"

func members() []standin.Member {
	return []standin.Member{
		{Login: "ada@example.com", Password: password, Name: "Ada", State: standin.Active, VLAN: "101"},
		{Login: "ian@example.com", Password: password, Name: "Ian", State: standin.Inactive},
		{Login: "sue@example.com", Password: password, Name: "Sue", State: standin.Suspended},
		{Login: "eve@example.com", Password: password, Name: "Eve", State: standin.Active, Until: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)},
	}
}

// run serves until ctx ends.
func run(ctx context.Context, arguments []string, out io.Writer) error {
	f := flag.NewFlagSet("coworkstest", flag.ContinueOnError)
	f.SetOutput(out)
	listen := f.String("listen", "127.0.0.1:8091", "where to listen")
	token := f.String("token", "try-me", "the API key that is taken; \"weak-\" before it makes one that may not check logins")
	space := f.String("space", "1234", "the id of the one space")
	tells := f.Bool("tells-unknown", false, "answer 404 to a login that is unknown, and not as to a wrong password")
	loginOnly := f.Bool("login-only", false, "answer for a login without a password, as a gate asks")
	if err := f.Parse(arguments); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *listen)
	if err != nil {
		return err
	}
	server := standin.New(standin.Config{
		Token: member.Secret(*token), Weak: member.Secret("weak-" + *token), SpaceID: *space,
		Members: members(), TellsUnknown: *tells, LoginOnly: *loginOnly,
	})
	address := "http://" + listener.Addr().String()
	introduce(out, address, *space)
	return serve(ctx, listener, routes(server))
}

// introduce says how to reach the space and who is in it.
func introduce(out io.Writer, address, space string) {
	_, _ = fmt.Fprintf(out, `A stand-in for Coworks at %[1]s. Write into config.toml:

[[backend]]
name     = "coworks"
kind     = "coworks"
url      = "%[1]s%[2]s"
space_id = "%[3]s"
token    = "..."   # what -token says

Members, all with the password %[4]q:
`, address, standin.Path, space, password)
	for _, m := range members() {
		until := ""
		if !m.Until.IsZero() {
			until = ", valid until " + m.Until.Format(time.DateOnly)
		}
		_, _ = fmt.Fprintf(out, "  %-18s %s%s\n", m.Login, m.State, until)
	}
	_, _ = fmt.Fprintf(out, `
A login at fault.invalid gets the fault of its name: 503@fault.invalid, 429@, 401@, html@, cut@, slow@.
A member's state is changed by: curl -X POST %s/members/ada@example.com/suspended
`, address)
}

// routes serves the space, and what changes it.
func routes(s *standin.Server) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s)
	mux.HandleFunc("POST /members/{login}/{state}", func(w http.ResponseWriter, r *http.Request) {
		switch state := standin.State(r.PathValue("state")); {
		case state != standin.Active && state != standin.Inactive && state != standin.Suspended:
			http.Error(w, "active, inactive or suspended", http.StatusBadRequest)
		case !s.Set(r.PathValue("login"), state):
			http.Error(w, "no such member", http.StatusNotFound)
		}
	})
	return mux
}

// serve serves until ctx ends.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx }, // what is slow ends as well
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	goodbye, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	return s.Shutdown(goodbye)
}
