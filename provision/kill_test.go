package provision

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/member"
	"memberradius/store"
)

// killDir tells a test that it is the process to be killed, and where its store is.
const killDir = "PROVISION_TEST_KILL"

const crowd = 1000

func crowded() (all []member.Record) {
	for i := range crowd {
		all = append(all, rec(fmt.Sprint(i+1), fmt.Sprintf("m%05d", i), "plan"))
	}
	return all
}

// TestKilledChild is the process that TestKill kills: it syncs once.
func TestKilledChild(t *testing.T) {
	dir := os.Getenv(killDir)
	if dir == "" {
		t.Skip("TestKill runs it")
	}
	s, err := store.Open(t.Context(), store.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	src := &source{say: func(ctx context.Context, q *backends.Query, out func(*member.Record) error) error {
		err := saying(crowded()...)(ctx, q, out)
		fmt.Println("read")
		return err
	}}
	r := New(Config{Backend: "nexudus", Store: s, Source: src, Secrecy: backends.Generated, Provision: true, Deprovision: true, Mail: true})
	if _, err := r.Run(t.Context(), Options{Full: true}); err != nil {
		t.Fatal(err)
	}
	fmt.Println("done")
	<-t.Context().Done() // until it is killed
}

// TestKill: kill -9 in the middle of a sync leaves all of it or nothing, and the
// next one makes it whole.
func TestKill(t *testing.T) {
	t.Parallel()
	var whole, none int
	for i, delay := range []time.Duration{0, 20 * time.Millisecond, 60 * time.Millisecond, -1} {
		b := setUp(t, func(c *Config) { c.Now = time.Now })
		dir := strings.TrimSuffix(b.store.Path(), "/memberradius.db")
		killed(t, dir, delay)
		before := b.kept()
		run, err := b.store.LastGood(t.Context(), "nexudus", kindFull)
		events, eerr := b.store.Events(t.Context(), 2*crowd)
		switch {
		case err != nil || eerr != nil:
			t.Fatal(err, eerr)
		case len(before) == crowd && run != nil && run.Added == crowd && len(events) == crowd:
			whole++
		case len(before) == 0 && run == nil && len(events) == 0:
			none++
		default:
			t.Fatalf("kill %d left %d members, %d events, the journal says %+v", i, len(before), len(events), run)
		}
		b.full(crowded()...)
		after := b.kept()
		if len(after) != crowd {
			t.Errorf("%d members after the next sync", len(after))
		}
		for login, e := range before {
			if after[login].Credential.Password != e.Credential.Password {
				t.Fatalf("%s has another password", login)
			}
		}
	}
	if whole == 0 || none == 0 {
		t.Logf("whole %d times, nothing %d times: the machine is too slow or too fast to see both", whole, none)
	}
}

// killed runs the child and kills it so long after it has read its members; below
// 0 once it is done.
func killed(t *testing.T, dir string, delay time.Duration) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledChild$")
	cmd.Env = append(os.Environ(), killDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		text := lines.Text()
		if strings.HasSuffix(text, "done") {
			break
		}
		if strings.HasSuffix(text, "read") && delay >= 0 {
			<-time.After(delay)
			break
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}
