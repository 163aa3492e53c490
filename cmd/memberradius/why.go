package main

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"memberradius/radiusd"
)

type whyCmd struct {
	Login string `arg:"" help:"The login, in any case, or a device's MAC address."`
	Most  int    `default:"10" help:"How many decisions to show at most."`
}

// Help implements kong.HelpProvider.
func (whyCmd) Help() string {
	return "The server keeps its last decisions in memory ([server] journal says how many). A device that gives up before " +
		"it has said inside the tunnel who its member is stands there under its outer name (often \"anonymous\"): ask by its MAC address.\n\n" +
		example("memberradius why bob@example.com")
}

// A decision is one of the journal as JSON has it.
type decision struct {
	At             time.Time `json:"at"`
	ID             string    `json:"id"`
	Login          string    `json:"login"`
	Verdict        string    `json:"verdict"`
	Reason         string    `json:"reason"`
	Proved         bool      `json:"proved"`
	Method         string    `json:"method"`
	Client         string    `json:"client"`
	Site           string    `json:"site"`
	NAS            string    `json:"nas,omitempty"`
	SSID           string    `json:"ssid,omitempty"`
	Device         string    `json:"device,omitempty"`
	Plan           string    `json:"plan,omitempty"`
	VLAN           string    `json:"vlan,omitempty"`
	SessionSeconds float64   `json:"session_seconds,omitempty"`
	Source         string    `json:"source,omitempty"`
	AgeSeconds     float64   `json:"age_seconds,omitempty"`
	Message        string    `json:"message,omitempty"`
	Detail         string    `json:"detail,omitempty"`
	Resumed        bool      `json:"resumed,omitempty"`
	TookSeconds    float64   `json:"took_seconds"`
}

func decisionOf(d *radiusd.Decision) decision {
	return decision{
		At: d.At, ID: d.ID, Login: d.Login, Verdict: d.Verdict.String(), Reason: d.Reason.String(), Proved: d.Proved,
		Method: d.Method, Client: d.Client, Site: d.Site, NAS: d.NAS, SSID: d.SSID, Device: d.StationMAC,
		Plan: d.Plan, VLAN: d.VLAN, SessionSeconds: d.SessionTimeout.Seconds(),
		Source: d.Source, AgeSeconds: d.Age.Seconds(), Message: d.Message, Detail: d.Detail, Resumed: d.Resumed, TookSeconds: d.Took.Seconds(),
	}
}

// Run prints the last decisions about a login.
func (c *whyCmd) Run(p *program) error {
	control, _, err := p.running()
	if err != nil {
		return err
	}
	found, err := p.decisions(control, c.Login, c.Most)
	if err != nil {
		return err
	}
	if p.JSON {
		return p.printJSON(found)
	}
	if len(found) == 0 {
		p.printf("nothing is known about %q since the server started: no request with this login has reached it; "+
			"see whether the access point is a [[client]], and /metrics for memberradius_drops_total\n", c.Login)
	}
	for _, d := range found {
		p.printf("%s\n", d.Sentence)
	}
	return nil
}

// decisions asks the running server for the last decisions about a login.
func (p *program) decisions(control *controlClient, login string, most int) ([]judgement, error) {
	query := url.Values{"login": {login}, "most": {strconv.Itoa(most)}}
	var found []judgement
	err := control.call(p.ctx, http.MethodGet, "/why?"+query.Encode(), nil, &found)
	return found, err
}
