//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"memberradius/radiusd/radiustest"

	"github.com/BurntSushi/toml"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	tests := []struct {
		values []float64
		want   float64
	}{
		{nil, 0},
		{[]float64{7}, 7},
		{[]float64{9, 1, 5}, 5},
		{[]float64{4, 1, 3, 2}, 2.5},
	}
	for _, tt := range tests {
		if got := median(tt.values); got != tt.want {
			t.Errorf("median(%v) = %v, want %v", tt.values, got, tt.want)
		}
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	tests := []struct {
		sorted []time.Duration
		p      float64
		want   time.Duration
	}{
		{nil, 99, 0},
		{hundred[:1], 50, 1},
		{hundred, 50, 50},
		{hundred, 99, 99},
		{hundred, 100, 100},
		{hundred, 0, 1},
		{hundred[:10], 99, 10},
	}
	for _, tt := range tests {
		if got := percentile(tt.sorted, tt.p); got != tt.want {
			t.Errorf("percentile(%d values, %v) = %d, want %d", len(tt.sorted), tt.p, got, tt.want)
		}
	}
}

func TestSeries(t *testing.T) {
	t.Parallel()
	s := series{{Rate: 30, P99: 3, Lost: 1}, {Rate: 10, P99: 1, Wrong: 1}, {Rate: 20, P99: 2}}
	if low, high := s.spread(); s.rate() != 20 || low != 10 || high != 30 || s.p99() != 2 || s.lost() != 2 {
		t.Errorf("rate %v, spread %v to %v, p99 %v, lost %v", s.rate(), low, high, s.p99(), s.lost())
	}
}

// TestRatio: a machine that slows down from round to round changes no ratio.
func TestRatio(t *testing.T) {
	t.Parallel()
	base := series{{Rate: 100}, {Rate: 50}, {Rate: 0}, {Rate: 10}}
	s := series{{Rate: 70}, {Rate: 40}, {Rate: 1}, {Rate: 6}, {Rate: 1}}
	if got := s.of(base); got != 0.7 {
		t.Errorf("ratio %v, want 0.7", got)
	}
	if got := s.of(nil); got != 0 {
		t.Errorf("ratio to nothing: %v", got)
	}
}

func TestSlices(t *testing.T) {
	t.Parallel()
	s := series{{Rate: 30, P50: 1, P99: 3, Busy: 1, Lost: 1}, {Rate: 10, P50: 1, P99: 1, Busy: 1, Wrong: 1}, {Rate: 20, P50: 1, P99: 2, Busy: 1}}
	if got, want := s.median(), (outcome{Rate: 20, P50: 1, P99: 2, Busy: 1, Lost: 1, Wrong: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	table := table{head: []string{"what", "n"}}
	table.add("MS-CHAPv2, §8", "1000")
	const want = "" +
		"| what          | n    |\n" +
		"| ------------- | ---- |\n" +
		"| MS-CHAPv2, §8 | 1000 |\n"
	if got := table.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// rated is a series of one.
func rated(rate float64) series { return series{{Rate: rate, P99: 100 * time.Millisecond}} }

func TestVerdicts(t *testing.T) {
	t.Parallel()
	found := results{
		speed: &speed{
			floor: rated(100),
			free:  map[string]series{"pap": rated(17.5), "mschapv2": rated(9)},
			ours:  map[string]series{"pap": rated(70), "mschapv2": rated(54)},
		},
		asking: &asking{client: rated(100), ours: rated(75)},
		crowd: &crowd{few: rated(100), many: rated(89), start: []time.Duration{time.Second},
			memory: []int64{100 << 20}, loaded: []int64{151 << 20}},
	}
	want := map[string]bool{
		"PAP, of FreeRADIUS":                    true,
		"PAP, of the floor":                     true,
		"MS-CHAPv2, of FreeRADIUS":              true,
		"MS-CHAPv2, of the floor":               false,
		"rest, of a bare net/http client":       true,
		"rest, p99":                             true,
		"100,000 members, rate of that with 10": false,
		"100,000 members, start":                true,
		"100,000 members, resident memory":      false,
	}
	for _, v := range found.verdicts() {
		met, ok := want[v.what]
		if !ok {
			t.Errorf("%s is judged, with nothing to hold it against", v.what)
		}
		if v.met != met {
			t.Errorf("%s: %s against %s: met is %v", v.what, v.figure, v.target, v.met)
		}
		delete(want, v.what)
	}
	if len(want) > 0 {
		t.Errorf("not judged: %v", want)
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	r := &run{rounds: 3, seconds: 2, skipped: []string{"FreeRADIUS: not measured, it is not installed."}}
	found := results{speed: &speed{floor: rated(12345)}}
	text := page(machine{cpu: "A CPU", cores: 2, date: "today", commit: "abc"}, r, found)
	for _, want := range []string{"A CPU", "today", "abc", "-rounds 3 -seconds 2", "12345", "FreeRADIUS: not measured, it is not installed."} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
	path := filepath.Join(t.TempDir(), "docs", "benchmarks.md")
	for range 2 {
		if err := writePage(path, text); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != text {
		t.Errorf("read back %d octets of %d: %v", len(got), len(text), err)
	}
}

func TestOurTemplatesDecode(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"file", "local", "rest"} {
		dir, site, err := (&ours{}).prepare(t.TempDir(), ourSite{Kind: kind, Members: 3, REST: "http://127.0.0.1:1/login"})
		if err != nil {
			t.Fatal(err)
		}
		var config struct {
			Server  struct{ Auth []string }
			Client  []struct{ Secret string }
			Plan    []struct{ VLAN int }
			Backend []struct{ Kind, URL, Path string }
		}
		if _, err := toml.DecodeFile(filepath.Join(dir, "config.toml"), &config); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if len(config.Server.Auth) != 1 || config.Server.Auth[0] != site.Auth || config.Client[0].Secret != sharedSecret ||
			config.Plan[0].VLAN != 101 || config.Backend[0].Kind != kind {
			t.Errorf("%s: %+v", kind, config)
		}
		if got := config.Backend[0].URL != ""; got != (kind == "rest") {
			t.Errorf("%s has url %q", kind, config.Backend[0].URL)
		}
		var members struct {
			Member []struct{ Login, Password, Plan string }
		}
		if _, err := toml.DecodeFile(filepath.Join(dir, "members.toml"), &members); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if len(members.Member) != 3 || members.Member[2].Login != login(2) || members.Member[2].Password != password(2) {
			t.Errorf("%s: members %+v", kind, members)
		}
	}
}

func TestFreeradiusTemplatesAreTaken(t *testing.T) {
	t.Parallel()
	f, err := findFreeradius("/usr/lib/freeradius")
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	site := freeradiusSite{Dir: dir, Modules: f.modules, Secret: sharedSecret, VLAN: vlan,
		SessionTimeout: sessionTimeout, Port: 1, Threads: 1, Members: 3}
	for _, name := range []string{"radiusd.conf", "users"} {
		if err := writeTemplate(dir, name, site); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "dictionary"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	// -C reads the configuration and serves nothing.
	if out, err := exec.Command(f.path, "-C", "-l", "stdout", "-d", dir).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestWriteCSV(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := writeCSV(&b, 2); err != nil {
		t.Fatal(err)
	}
	const want = "login,password,plan\n" +
		"member000000@example.com,password-000000,hot-desk\n" +
		"member000001@example.com,password-000001,hot-desk\n"
	if b.String() != want {
		t.Errorf("got %q", b.String())
	}
}

func TestProcFiles(t *testing.T) {
	t.Parallel()
	if n, err := statusSize("VmHWM:\t  9 kB\nVmRSS:\t  1024 kB\n", residentNow); err != nil || n != 1<<20 {
		t.Errorf("statusSize = %d, %v", n, err)
	}
	for _, status := range []string{"", "VmRSS: many kB\n"} {
		if n, err := statusSize(status, residentNow); err == nil {
			t.Errorf("statusSize(%q) = %d", status, n)
		}
	}
	if d, err := usedTime("1 (a ) b) S 1 1 1 0 -1 4 5 6 7 8 150 50 0 0 20"); err != nil || d != 2*time.Second {
		t.Errorf("usedTime = %v, %v", d, err)
	}
	for _, stat := range []string{"", "1 (x) S 1 1", "1 (x) S 1 1 1 0 -1 4 5 6 7 8 many 50 0 0 20"} {
		if d, err := usedTime(stat); err == nil {
			t.Errorf("usedTime(%q) = %v", stat, d)
		}
	}
	if got := cpuModel("processor\t: 0\nmodel name\t: A CPU\n"); got != "A CPU" {
		t.Errorf("cpuModel = %q", got)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, arguments := range [][]string{{"-only", "nonsense"}, {"-rounds", "0"}, {"-seconds", "-1"}} {
		if _, err := parseOptions(arguments); err == nil {
			t.Errorf("%v is taken", arguments)
		}
	}
	if o, err := parseOptions([]string{"-only", "rest,members"}); err != nil || len(o.scenarios()) != 2 {
		t.Errorf("-only rest,members: %v, %v", o.scenarios(), err)
	}
}

func TestAnswersAreJSON(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{systemAnswer, freeradiusAnswer} {
		if !json.Valid([]byte(answer)) {
			t.Errorf("no JSON: %s", answer)
		}
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	r := &radiustest.Result{Rate: 1000}
	r.Replies, r.Accepted, r.Rejected, r.Wrong, r.Lost = 10, 4, 6, 1, 2
	if o := judge(r); o.Rate != 400 || o.Wrong != 7 || o.Lost != 2 {
		t.Errorf("%+v", o)
	}
	if o := judge(&radiustest.Result{}); o.Rate != 0 {
		t.Errorf("nothing at all: %+v", o)
	}
}
