// Command nexudustest is a coworking space at Nexudus to try the product
// against: the API, the members' sign-in, the webhooks. What to write into
// config.toml stands on its first lines; members come and go by lines on
// standard input.
//
//	go run ./internal/nexudustest -members 100
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"memberradius/internal/nexudustest/standin"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "nexudustest:", err)
		os.Exit(1)
	}
}

// run serves until the input or ctx ends.
func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("nexudustest", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:8090", "address of the API; the members' sign-in is below /portal")
	members := flags.Int("members", 3, "how many members there are at the beginning")
	limited := flags.Bool("limits", false, "keep Nexudus' limits: 1 request in 100 ms, 120 in a minute")
	secret := flags.String("hook-secret", "try-hook-secret", "signs webhooks")
	serve := flags.Bool("serve", false, "read no lines, and serve until interrupted")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s := standin.New()
	s.Limited, s.HookSecret = *limited, *secret
	s.Fill(*members)
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/portal/", http.StripPrefix("/portal", s.Portal()))
	mux.Handle("/", s)
	web := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(l) }()
	defer func() { _ = web.Close() }()
	introduce(out, s, l.Addr().String())
	lines := make(chan string)
	if !*serve {
		go read(in, lines)
	}
	d := &desk{ctx: ctx, s: s, out: out}
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-ended:
			if errors.Is(err, http.ErrServerClosed) {
				return nil
			}
			return err
		case line, ok := <-lines:
			if !ok {
				return nil
			}
			d.do(line)
		}
	}
}

// read hands lines on until there are no more.
func read(in io.Reader, lines chan<- string) {
	defer close(lines)
	for scan := bufio.NewScanner(in); scan.Scan(); {
		lines <- scan.Text()
	}
}

// introduce says what to write into config.toml.
func introduce(out io.Writer, s *standin.Server, address string) {
	_, _ = fmt.Fprintf(out, `# A space at Nexudus. Write this into config.toml:
[[backend]]
name           = "nexudus"
kind           = "nexudus"
url            = "http://%s"
member_url     = "http://%[1]s/portal"
space          = %q
username       = %q
password       = %q
webhook_secret = %q

# Then type help.
`, address, s.Space, s.Username, s.Password, s.HookSecret)
}
