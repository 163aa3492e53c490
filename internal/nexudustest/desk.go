package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"memberradius/internal/nexudustest/standin"
)

// accessControlUpdate is the action of the webhook that tells of nearly all that changes access.
const accessControlUpdate = 61

const help = `add EMAIL PLAN...         a new member, or another contract of one
cancel EMAIL              ends all of her contracts
suspend EMAIL, resume EMAIL
checkin EMAIL, checkout EMAIL
password EMAIL PASSWORD   what she signs in with herself
pincode EMAIL PIN
team NAME VLAN EMAIL...   makes or changes a team
remove EMAIL              deletes her: her id gives HTTP 500 then
revoke ROLE, grant ROLE   takes a role from the user of the API, as Team-List
fail HTTP-STATUS, mend    the API fails until mend
signout                   ends all tokens
list
Webhooks are sent for each change to those that were made by the API.
`

// A desk is where the space is run from.
type desk struct {
	ctx context.Context
	s   *standin.Server
	out io.Writer
}

var errHelp = errors.New("type help")

// do carries a line out and says what became of it.
func (d *desk) do(line string) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return
	}
	changed, err := d.carryOut(words[0], words[1:])
	switch {
	case err != nil:
		d.say("%s: %v", words[0], err)
		return
	case changed == 0:
		return
	}
	d.say("done")
	if err := d.s.Tell(d.ctx, accessControlUpdate, d.s.HookBody(changed)); err != nil {
		d.say("a webhook did not arrive: %v", err)
	}
}

func (d *desk) say(format string, args ...any) { _, _ = fmt.Fprintf(d.out, format+"\n", args...) }

// carryOut returns a contract that the change is about; 0: none, and no webhook.
func (d *desk) carryOut(verb string, args []string) (int, error) {
	switch verb {
	case "help":
		_, _ = io.WriteString(d.out, help)
		return 0, nil
	case "list":
		d.list()
		return 0, nil
	case "mend":
		d.s.Mend()
		return 0, nil
	case "signout":
		d.s.SignOut(true)
		return 0, nil
	}
	if len(args) == 0 {
		return 0, errHelp
	}
	switch verb {
	case "revoke":
		d.s.Revoke(args[0])
		return 0, nil
	case "grant":
		d.s.Grant(args[0])
		return 0, nil
	case "fail":
		return 0, d.fail(args[0])
	case "add":
		return d.add(args)
	case "team":
		return d.team(args)
	}
	return d.change(verb, args)
}

func (d *desk) fail(text string) error {
	var code int
	if _, err := fmt.Sscan(text, &code); err != nil || code < 400 || code > 599 {
		return errors.New("a status from 400 to 599 is needed")
	}
	d.s.Fail("/api", 0, standin.Status(code))
	return nil
}

func (d *desk) add(args []string) (int, error) {
	if len(args) < 2 {
		return 0, errHelp
	}
	email, plan := args[0], strings.Join(args[1:], " ")
	if c, ok := d.s.Find(email); ok {
		return d.s.PutContract(standin.Contract{Coworker: c.ID, Plan: plan, Active: true}), nil
	}
	name, _, _ := strings.Cut(email, "@")
	_, contract := d.s.Join(standin.Coworker{Name: name, Email: email, Password: "own-password", Main: true}, plan)
	return contract, nil
}

func (d *desk) team(args []string) (int, error) {
	if len(args) < 3 {
		return 0, errHelp
	}
	t := standin.Team{Name: args[0], VLAN: args[1]}
	if old, ok := d.s.FindTeam(t.Name); ok {
		t.ID = old.ID
	}
	for _, email := range args[2:] {
		c, ok := d.s.Find(email)
		if !ok {
			return 0, fmt.Errorf("nobody has the email %s", email)
		}
		t.Members = append(t.Members, c.ID)
	}
	return d.s.PutTeam(t), nil
}

// change does what is about one customer.
func (d *desk) change(verb string, args []string) (int, error) {
	c, ok := d.s.Find(args[0])
	if !ok {
		return 0, fmt.Errorf("nobody has the email %s", args[0])
	}
	held := d.s.ContractsOf(c.ID)
	about := 0
	if len(held) > 0 {
		about = held[0].ID
	}
	switch verb {
	case "cancel":
		for _, k := range held {
			d.s.Cancel(k.ID)
		}
		return about, nil
	case "checkin":
		d.s.PutCheckin(standin.Checkin{Coworker: c.ID, From: d.s.Now()})
		return about, nil
	case "checkout":
		d.s.CheckOut(c.ID)
		return about, nil
	case "remove":
		d.s.Remove(c.ID)
		return about, nil
	case "suspend", "resume":
		c.Suspended = verb == "suspend"
	case "password", "pincode":
		if len(args) != 2 {
			return 0, errHelp
		}
		if verb == "password" {
			c.Password = args[1]
		} else {
			c.Pincode = args[1]
		}
	default:
		return 0, errHelp
	}
	d.s.PutCoworker(c)
	return about, nil
}

// list shows who is there; of many the first.
func (d *desk) list() {
	const most = 50
	all := d.s.Coworkers()
	for i, c := range all {
		if i == most {
			d.say("... and %d more", len(all)-most)
			return
		}
		state := ""
		if c.Suspended {
			state = ", suspended"
		}
		d.say("%d %s%s", c.ID, c.Email, state)
		for _, k := range d.s.ContractsOf(c.ID) {
			end := ""
			if !k.End.IsZero() {
				end = " until " + k.End.UTC().Format(time.DateTime)
			}
			d.say("    %s, active %t%s", k.Plan, k.Active, end)
		}
	}
}
