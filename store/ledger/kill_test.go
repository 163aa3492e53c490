package ledger_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/store/ledger"
)

// The test binary is started by its own tests for what must happen in a process
// that can be killed, or with a disk of its own.
var (
	kills   = flag.Int("kills", 5, "how often TestKilled kills the process that records")
	role    = flag.String("role", "", "what a process that a test has started is to do: record, fill")
	folder  = flag.String("folder", "", "the data directory of such a process")
	running = flag.Int("running", 0, "the how-manieth such process it is")
)

func TestMain(m *testing.M) {
	flag.Parse()
	switch *role {
	case "":
		os.Exit(m.Run())
	case "record":
		recordForEver(*folder, *running)
	case "fill":
		if err := fillDisk(*folder); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
}

// killedWorkers is how many reports are in flight when the process is killed.
const killedWorkers = 64

// chapter returns report number step of a worker in the n-th run. Three make a session.
func chapter(run, worker, step int) *member.Session {
	session := run<<24 | worker<<16 | step/3
	at := noon().Add(time.Duration(step%3) * 10 * time.Minute)
	s := visit(session, []member.Event{member.Start, member.Interim, member.Stop}[step%3], at)
	s.ID = fmt.Sprintf("%d-%d-%d", run, worker, step/3)
	s.Input, s.Output = uint64(step%3*1000), uint64(step%3*5000)
	return s
}

// recordForEver reports until it is killed, and says what was acknowledged. Between
// its own reports it repeats those of the run before, as NASes do that got no answer.
func recordForEver(dir string, run int) {
	l, err := ledger.Open(context.Background(), ledger.Config{Dir: dir, Zone: utc})
	if err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
	var said sync.Mutex
	for worker := range killedWorkers {
		go func() {
			for step := 0; ; step++ {
				for _, s := range []*member.Session{chapter(run, worker, step), chapter(max(run-1, 0), worker, step)} {
					if err := l.Record(context.Background(), s); err != nil {
						fmt.Println("failed", err)
						os.Exit(1)
					}
					said.Lock()
					fmt.Println("acknowledged", s.ID, int(s.Event), s.Input)
					said.Unlock()
				}
			}
		}()
	}
	select {}
}

// An ack is what a session must at least be, by what was acknowledged.
type ack struct {
	input   uint64
	stopped bool
}

// TestKilled (fault F8): a process that records is killed under load, again and
// again: what it acknowledged is there, no session is there twice, and nothing was
// counted twice. More often: -kills 100.
func TestKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	acks := map[string]ack{}
	rng := rand.New(rand.NewPCG(8, 8))
	total := 0
	for run := range *kills {
		n := killOne(t, dir, run, 50+rng.IntN(1500), acks)
		total += n
		l, err := ledger.Open(t.Context(), ledger.Config{Dir: dir, Zone: utc})
		if err != nil {
			t.Fatal(err)
		}
		checkAcks(t, l, acks)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			t.Fatalf("after kill %d", run+1)
		}
	}
	t.Logf("%d kills, %d reports acknowledged, %d sessions", *kills, total, len(acks))
}

// killOne starts a process that records, kills it after some acknowledgements,
// and adds to acks what it said until then.
func killOne(t *testing.T, dir string, run, after int, acks map[string]ack) (n int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-role", "record", "-folder", dir, "-running", strconv.Itoa(run))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) != 4 || f[0] != "acknowledged" {
			if n < after { // the last line of a killed process may be half of one
				t.Errorf("run %d: %s", run, lines.Text())
			}
			continue
		}
		input, err := strconv.ParseUint(f[3], 10, 64)
		if err != nil {
			continue
		}
		a := acks[f[1]]
		acks[f[1]] = ack{max(a.input, input), a.stopped || f[2] == strconv.Itoa(int(member.Stop))}
		if n++; n == after {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed
	return n
}

// checkAcks looks for each session that was acknowledged, and adds all up.
func checkAcks(t *testing.T, l *ledger.Ledger, acks map[string]ack) {
	t.Helper()
	seen, open, input, duration := map[string]bool{}, 0, uint64(0), time.Duration(0)
	for _, s := range all(t, l) {
		id := s.Session.ID
		if seen[id] {
			t.Errorf("session %s is there twice", id)
		}
		seen[id] = true
		if a := acks[id]; s.Input < a.input || a.stopped && s.Open() {
			t.Errorf("session %s has %d, open %v; acknowledged was %+v", id, s.Input, s.Open(), a)
		}
		if s.Open() {
			open++
		}
		input, duration = input+s.Input, duration+s.Duration
	}
	for id := range acks {
		if !seen[id] {
			t.Errorf("session %s was acknowledged and is not there", id)
		}
	}
	if l.Count() != open {
		t.Errorf("%d sessions are open in memory, %d in the table", l.Count(), open)
	}
	q, used := ledger.UsageQuery{Most: 1000}, uint64(0)
	for {
		page, err := l.Usage(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range page {
			used += u.Input
		}
		if len(page) < q.Most {
			break
		}
		q.After = page[len(page)-1].Cursor()
	}
	if used != input {
		t.Errorf("the usage of all days is %d octets, that of all sessions %d", used, input)
	}
}
