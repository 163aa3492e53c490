// Command memberradius is the server and every tool around it: one file a
// verb. It reads the configuration, opens what that names (kinds.go is the one
// registry of member systems), and hands it to radiusd and web.
//
// It does not own any protocol, policy or storage: this is the wiring.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // sites have zones, and a bare machine has no zone files

	"github.com/alecthomas/kong"
)

// What a verb's exit status says.
const (
	exitDone = iota
	exitFailed
	exitUsage
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	code := run(ctx, os.Args[1:], &program{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr})
	stop()
	os.Exit(code)
}

// A program is what a verb has to work with.
type program struct {
	Config string `short:"c" placeholder:"PATH" help:"Configuration file (default: config.toml here, then /etc/memberradius/config.toml)."`
	JSON   bool   `name:"json" help:"Print JSON instead of text."`

	ctx            context.Context // ends by SIGINT and SIGTERM; kong hands a verb one value
	stdin          io.Reader
	stdout, stderr io.Writer
	rand           io.Reader // nil: crypto/rand
}

// commands is the command line: one field a verb.
type commands struct {
	*program
	Serve   serveCmd        `cmd:"" help:"Run the server."`
	Check   checkCmd        `cmd:"" help:"Read the configuration and say what is wrong with it."`
	Test    testCmd         `cmd:"" help:"Try a login at the running server."`
	Why     whyCmd          `cmd:"" help:"Say why a login was let in or refused."`
	Load    loadCmd         `cmd:"" help:"Measure how much the running server takes."`
	Member  memberCmd       `cmd:"" help:"The members of the embedded store."`
	Backend backendCmd      `cmd:"" help:"The member systems."`
	Sync    syncCmd         `cmd:"" help:"Read the members of a member system now."`
	Session sessionCmd      `cmd:"" help:"Who is online, and who was."`
	Device  deviceCmd       `cmd:"" help:"Printers, TVs: devices that come in by their address."`
	Voucher voucherCmd      `cmd:"" help:"Codes that let guests in by the portal."`
	Garden  walledGardenCmd `cmd:"" name:"walled-garden" help:"What devices must reach before they have logged in at the portal."`
	Cert    certCmd         `cmd:"" help:"The certificate of WPA-Enterprise, its CA, and members' own certificates."`
	Profile profileCmd      `cmd:"" help:"What a member's devices need: profiles, and what to type by hand."`
	Token   tokenCmd        `cmd:"" help:"Tokens of the operator's API."`
	Mail    mailCmd         `cmd:"" help:"Letters to members."`
	Secret  secretCmd       `cmd:"" help:"RADIUS secrets."`
	Hash    hashCmd         `cmd:"" help:"Print the hash of a password."`
	Version versionCmd      `cmd:"" help:"Print which program this is."`
}

// errQuiet ends a verb with exit status 1 after it has said everything itself.
var errQuiet = errors.New("")

// exited carries kong's exit out of its parser.
type exited int

// run parses the arguments, runs the verb and returns the exit status.
func run(ctx context.Context, args []string, p *program) (code int) {
	defer func() {
		if v := recover(); v != nil {
			status, ok := v.(exited)
			if !ok {
				panic(v)
			}
			code = int(status)
		}
	}()
	p.ctx = ctx
	cli := commands{program: p}
	parser, err := kong.New(&cli, kong.Name("memberradius"), kong.Bind(p),
		kong.Description("A RADIUS server where a membership decides who gets on the Wi-Fi."),
		kong.Writers(p.stdout, p.stderr), kong.Exit(func(code int) { panic(exited(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		_, _ = fmt.Fprintf(p.stderr, "memberradius: %v\n", err)
		return exitFailed
	}
	verb, err := parser.Parse(args)
	if err != nil {
		_, _ = fmt.Fprintf(p.stderr, "memberradius: %v; `memberradius --help` lists the verbs, and each has --help\n", err)
		return exitUsage
	}
	if err := verb.Run(); err != nil {
		if !errors.Is(err, errQuiet) {
			_, _ = fmt.Fprintf(p.stderr, "memberradius: %v\n", err)
		}
		return exitFailed
	}
	return exitDone
}

// printf writes to standard output.
func (p *program) printf(format string, args ...any) { _, _ = fmt.Fprintf(p.stdout, format, args...) }

// printJSON writes v as indented JSON.
func (p *program) printJSON(v any) error {
	e := json.NewEncoder(p.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
