package webhook_test

import (
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/backends/conformance"
	"memberradius/backends/webhook"
	"memberradius/member"
	"memberradius/mschap"
	"memberradius/store"
)

var (
	secret = member.Secret("whsec_" + base64.StdEncoding.EncodeToString([]byte("canary-of-24-octets-0001")))
	noon   = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
)

// A club is the backend over a real store.
type club struct {
	*webhook.Backend
	store     *store.Store
	directory *store.Members
}

func open(t *testing.T) *club {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	directory, err := s.Members(t.Context(), "club")
	if err != nil {
		t.Fatal(err)
	}
	b, err := webhook.Config{WebhookSecret: secret, Secret: "given"}.Open(backends.Deps{
		Name: "club", Directory: directory, Now: func() time.Time { return noon },
		NTHash: func(password string) member.Hash { return mschap.NTHash(password) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return &club{Backend: b.(*webhook.Backend), store: s, directory: directory}
}

// push signs members and stores what the backend makes of them.
func (c *club) push(t *testing.T, members ...map[string]any) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"type": "member.updated", "timestamp": noon.Format(time.RFC3339), "data": members})
	if err != nil {
		t.Fatal(err)
	}
	h, err := webhook.Sign(secret, "msg_1", noon, body)
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Notify(t.Context(), h, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.Records {
		if err := c.store.Add(t.Context(), "club", &p.Records[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.directory.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestConformance(t *testing.T) {
	conformance.Run(t, func(t *testing.T) conformance.Subject {
		c := open(t)
		c.push(t, map[string]any{"login": "bob@example.com", "password": "battery-staple"},
			map[string]any{"login": "gone@example.com", "password": "correct-horse", "disabled": true})
		return conformance.Subject{
			Backend: c.Backend, Login: "bob@example.com", Password: "battery-staple", Unknown: "alice@example.com",
			Disabled: "gone@example.com", DisabledPassword: "correct-horse", Secrets: []member.Secret{secret},
		}
	})
}

// TestFromPushToAnswer: what a push says is what the next login meets.
func TestFromPushToAnswer(t *testing.T) {
	t.Parallel()
	c := open(t)
	c.push(t, map[string]any{"login": "late@example.com", "password": "x", "valid_until": noon.Format(time.RFC3339)},
		map[string]any{"login": "bob@example.com", "password": "x", "plans": []string{"Hot Desk", "Office"}, "vlan": 20})
	ans, err := c.Ask(t.Context(), &member.Attempt{Login: "Bob@Example.com"})
	if err != nil || ans.Verdict != member.Allow || ans.Member.VLAN != "20" || len(ans.Member.Plans) != 2 || ans.Source != "club" ||
		ans.Credential == nil || ans.Credential.NTHash == nil || *ans.Credential.NTHash != mschap.NTHash("x") {
		t.Errorf("%+v, %v", ans, err)
	}
	if ans, err := c.Ask(t.Context(), &member.Attempt{Login: "late@example.com"}); err != nil || ans.Verdict != member.Deny || ans.Reason != member.ReasonExpired {
		t.Errorf("%+v, %v", ans, err)
	}
}
