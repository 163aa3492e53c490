package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"memberradius/pki"

	"github.com/prometheus/client_golang/prometheus/testutil"
	logtest "github.com/sirupsen/logrus/hooks/test"
)

// watched opens certificates that were made as long ago as age says.
func watched(t *testing.T, age time.Duration) (*certWatch, *logtest.Hook, string) {
	t.Helper()
	c := pki.Config{Dir: t.TempDir(), ServerName: "radius.example.com", Now: func() time.Time { return time.Now().Add(-age) }}
	if _, err := pki.Open(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	c.Now = nil
	k, err := pki.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	log, hook := logtest.NewNullLogger()
	return newCertWatch(k, log), hook, c.Dir
}

// TestCertWatch: the server's certificate is renewed by itself, that is said
// once, and the watch ends with its context.
func TestCertWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// The bubble's clock begins in 2000, when no CA is made.
		time.Sleep(time.Until(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)))
		w, hook, _ := watched(t, pki.ServerLife-pki.RenewBefore-90*time.Minute)
		first := w.keeper.Identity()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.run(ctx) }()
		time.Sleep(certEvery + time.Second)
		synctest.Wait()
		if len(hook.AllEntries()) > 0 || !w.keeper.Identity().Certificate.Leaf.Equal(first.Certificate.Leaf) {
			t.Errorf("too early: %v", hook.AllEntries())
		}
		time.Sleep(5 * certEvery)
		synctest.Wait()
		if i := w.keeper.Identity(); i.Certificate.Leaf.Equal(first.Certificate.Leaf) || !i.CA.Equal(first.CA) {
			t.Error("not renewed, or under another CA")
		}
		if entries := hook.AllEntries(); len(entries) != 1 || !strings.Contains(entries[0].Message, "made anew by itself") {
			t.Errorf("%v", entries)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestCertWatchSaysTheEnd: 30, 7 and 1 days before, and when it has come.
func TestCertWatchSaysTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC)))
		w, hook, _ := watched(t, pki.CALife-31*24*time.Hour)
		for range 32 * 24 {
			time.Sleep(time.Hour)
			w.say()
		}
		var said []string
		for _, e := range hook.AllEntries() {
			said = append(said, e.Level.String()+" "+e.Message)
		}
		if len(said) != 5 || !strings.Contains(said[0], "made anew by itself") || !strings.HasPrefix(said[1], "warning the CA of the server's") ||
			!strings.HasSuffix(said[1], "within 30 days") || !strings.HasSuffix(said[2], "within 7 days") || !strings.HasSuffix(said[3], "within a day") ||
			!strings.HasPrefix(said[4], "error the CA") {
			t.Errorf("%q", said)
		}
	})
}

func TestCertWatchSaysOnce(t *testing.T) {
	t.Parallel()
	w, hook, dir := watched(t, 0)
	if err := os.Chmod(filepath.Join(dir, "ca.pem"), 0o644); err != nil {
		t.Fatal(err)
	}
	c, _ := readConfig("config.toml", dir, "[eap]\n")
	c.EAP.PKI.Dir = dir
	for range 3 {
		if found := w.reload(t.Context(), c); len(found) > 0 {
			t.Errorf("%v", found)
		}
	}
	entries := hook.AllEntries()
	if len(entries) != 1 || !strings.Contains(entries[0].Message, "others on this machine may read") || entries[0].Data["remedy"] == "" {
		t.Errorf("%v", entries)
	}
	c.EAP.PKI.ClientCA = "none.pem"
	if found := w.reload(t.Context(), c); !found.bad() || !strings.Contains(found[0].What, "client_ca can't be used") {
		t.Errorf("%v", found)
	}
}

func TestCertMetric(t *testing.T) {
	t.Parallel()
	w, _, _ := watched(t, 0)
	if n := testutil.CollectAndCount(w, "memberradius_certificate_expires_timestamp_seconds"); n != 3 {
		t.Errorf("%d series", n)
	}
	if problems, err := testutil.CollectAndLint(w); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}
