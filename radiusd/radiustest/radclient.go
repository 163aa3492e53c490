package radiustest

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"memberradius/member"
)

// TB is what Radclient needs of a testing.TB. Package testing itself would end
// up in the binary.
type TB interface {
	Helper()
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// A RadclientQuery is what radclient is to send.
type RadclientQuery struct {
	Server netip.AddrPort
	Secret member.Secret
	// Command is auth, acct, status or what else radclient knows; empty is auth.
	Command string
	// Attributes are names and values as radclient reads them: a value with
	// blanks needs its own quotes. "Message-Authenticator" "0x00" signs the
	// request, "MS-CHAP-Password" makes it MS-CHAP version 1.
	Attributes []member.Attribute
	// Timeout is for each of Tries (0: 3 s, once).
	Timeout time.Duration
	Tries   int
}

// A RadclientAnswer is what radclient printed.
type RadclientAnswer struct {
	// Code is the reply's, 0 where none came that radclient took.
	Code Code
	// Attributes are the reply's, strings without their quotes.
	Attributes []Attribute
	// Output is all of it, for a test's failure message.
	Output string
}

// Get returns the values of the attributes of that name.
func (a *RadclientAnswer) Get(name string) []string {
	var values []string
	for _, attribute := range a.Attributes {
		if strings.EqualFold(attribute.Name, name) {
			values = append(values, attribute.Value)
		}
	}
	return values
}

// Radclient sends one request by Debian's radclient, a NAS that is not ours.
// Without it the test is skipped, or fails where the environment says CI=true.
func Radclient(tb TB, q RadclientQuery) *RadclientAnswer {
	tb.Helper()
	binary, err := exec.LookPath("radclient")
	if err != nil {
		const how = "radclient is not installed: apt-get install freeradius-utils"
		if os.Getenv("CI") == "true" {
			tb.Fatalf(how)
		} else {
			tb.Skipf(how)
		}
		return nil
	}
	answer, err := q.run(binary)
	if err != nil {
		tb.Fatalf("radclient: %v", err)
		return nil
	}
	return answer
}

func (q *RadclientQuery) run(binary string) (*RadclientAnswer, error) {
	fill(&q.Command, "auth")
	fill(&q.Timeout, 3*time.Second)
	fill(&q.Tries, 1)
	dir, err := os.MkdirTemp("", "radclient")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	// In a file, since command lines are everybody's to read.
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte(string(q.Secret)+"\n"), 0o600); err != nil {
		return nil, err
	}
	version := "-4"
	if q.Server.Addr().Is6() {
		version = "-6"
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(q.Tries)*q.Timeout+10*time.Second)
	defer cancel()
	//nolint:gosec // a test runs the radclient of its PATH, without a shell
	command := exec.CommandContext(ctx, binary, "-x", version, "-S", secret,
		"-r", strconv.Itoa(q.Tries), "-t", strconv.FormatFloat(q.Timeout.Seconds(), 'f', 3, 64),
		q.Server.String(), q.Command)
	var input strings.Builder
	for _, a := range q.Attributes {
		fmt.Fprintf(&input, "%s = %s\n", a.Name, a.Value)
	}
	command.Stdin = strings.NewReader(input.String())
	output, err := command.CombinedOutput()
	answer := parseRadclient(string(output))
	if answer.Code == 0 && !strings.Contains(answer.Output, "No reply from server") {
		return nil, fmt.Errorf("no reply, and no word of it: %w\n%s", err, output)
	}
	// Its exit status says no more: 1 is a reject and no reply alike.
	return answer, nil
}

// parseRadclient reads the last reply that "radclient -x" prints:
//
//	Received Access-Accept Id 7 from 127.0.0.1:1812 to 127.0.0.1:53142 length 46
//		Reply-Message = "Welcome"
func parseRadclient(output string) *RadclientAnswer {
	a := &RadclientAnswer{Output: output}
	reply := false
	for line := range strings.Lines(output) {
		if code, ok := strings.CutPrefix(line, "Received "); ok {
			a.Code, a.Attributes, reply = namedCode(code), nil, true
			continue
		}
		attribute, ok := strings.CutPrefix(line, "\t")
		if reply = reply && ok; !reply {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimRight(attribute, "\r\n"), " = ")
		if !ok {
			continue
		}
		if text, err := strconv.Unquote(value); err == nil {
			value = text
		}
		a.Attributes = append(a.Attributes, Attribute{name, value})
	}
	return a
}

func namedCode(text string) Code {
	name, _, _ := strings.Cut(text, " ")
	for _, c := range []Code{AccessAccept, AccessReject, AccessChallenge, AccountingResponse, DisconnectACK, DisconnectNAK, CoAACK, CoANAK} {
		if c.String() == name {
			return c
		}
	}
	return 0
}
