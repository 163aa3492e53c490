package house

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

// A served is a running server on config.toml.example, at ports of its own.
type served struct {
	cmd *exec.Cmd
	// auth and http are where it listens, by its log.
	auth, http string
	log        strings.Builder
	// ready is closed once it serves; ended gets what it ended with.
	ready chan struct{}
	ended chan error
}

// serve starts the server as `make run` does and waits until it serves.
func serve(t *testing.T) *served {
	t.Helper()
	text := load(t).text["config.toml.example"]
	for _, address := range []string{"127.0.0.1:1812", "127.0.0.1:1813", "127.0.0.1:8080"} {
		if !strings.Contains(text, `"`+address+`"`) {
			t.Fatalf("config.toml.example does not listen on %s, which make run and README speak of", address)
		}
		text = strings.ReplaceAll(text, address, "127.0.0.1:0")
	}
	dir := t.TempDir()
	furnish(t, dir, text)
	config := filepath.Join(dir, "config.toml")
	write(t, config, text)
	s := &served{
		cmd:   exec.Command(program(t), "serve", "--config", config),
		ready: make(chan struct{}), ended: make(chan error, 1),
	}
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go s.listen(stderr)
	t.Cleanup(func() { s.stop(t) })
	select {
	case <-s.ready:
	case err := <-s.ended:
		s.ended <- err
		t.Fatalf("the server ended: %v\n%s", err, s.log.String())
	case <-time.After(20 * time.Second):
		t.Fatal("the server did not serve within 20 s")
	}
	return s
}

// listening is the line by which the log tells an address.
var listening = regexp.MustCompile(`msg="listening for (RADIUS|HTTP)" address="([^"]+)"(.*)`)

// listen reads the log until the server ends.
func (s *served) listen(log io.Reader) {
	for lines := bufio.NewScanner(log); lines.Scan(); {
		line := lines.Text()
		s.log.WriteString(line + "\n")
		switch m := listening.FindStringSubmatch(line); {
		case m != nil && m[1] == "HTTP":
			s.http = m[2]
		case m != nil && strings.Contains(m[3], "for=auth"):
			s.auth = m[2]
		case strings.Contains(line, "msg=serving"):
			close(s.ready)
		}
	}
	s.ended <- s.cmd.Wait()
}

// stop ends the server as an operator does; it must go in order.
func (s *served) stop(t *testing.T) {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return // it has ended, and serve has said so
	}
	select {
	case err := <-s.ended:
		if err != nil {
			t.Errorf("SIGTERM ended the server with %v\n%s", err, s.log.String())
		}
	case <-time.After(20 * time.Second):
		_ = s.cmd.Process.Kill()
		t.Error("the server had not ended 20 s after SIGTERM")
	}
}

func get(ctx context.Context, url string) (code int, body string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, ""
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = response.Body.Close() }()
	b, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(b)
}

// lineToTry is the command that make run and README tell newcomers to try.
var lineToTry = regexp.MustCompile(`(?m)^ *(printf .*\| radclient .*)$`)

// TestNewcomer does what README says: start on the example, try the line, get
// in. Then it looks at the metrics of that server.
func TestNewcomer(t *testing.T) {
	t.Parallel()
	tr := load(t)
	s := serve(t)
	shown := lineToTry.FindStringSubmatch(tr.text["README.md"])
	printed := lineToTry.FindStringSubmatch(tr.text["internal/tools/try.sh"])
	if shown == nil || printed == nil || shown[1] != printed[1] {
		t.Fatalf("README.md and internal/tools/try.sh must show one and the same radclient line:\n%v\n%v", shown, printed)
	}
	if _, err := exec.LookPath("radclient"); err == nil {
		s.try(t, strings.Replace(shown[1], "127.0.0.1:1812", s.auth, 1))
	} else {
		t.Log("radclient is not installed: the line of README is not tried; make tools installs it")
	}
	code, metrics := get(t.Context(), "http://"+s.http+"/metrics")
	if code != http.StatusOK {
		t.Fatalf("/metrics answers %d", code)
	}
	lintMetrics(t, metrics)
}

// try runs the line and looks for what README promises.
func (s *served) try(t *testing.T, line string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", line)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", line, err, out)
	}
	for _, promised := range []string{"Access-Accept", "Tunnel-Private-Group-Id", "Message-Authenticator"} {
		if !strings.Contains(string(out), promised) {
			t.Errorf("%s shows no %s:\n%s", line, promised, out)
		}
	}
}

func lintMetrics(t *testing.T, metrics string) {
	t.Helper()
	problems, err := promlint.New(strings.NewReader(metrics)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("metric %s: %s", p.Metric, p.Text)
	}
	ours := 0
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+)`).FindAllStringSubmatch(metrics, -1) {
		switch {
		case strings.HasPrefix(m[1], "memberradius_"):
			ours++
		case strings.HasPrefix(m[1], "go_"), strings.HasPrefix(m[1], "process_"), strings.HasPrefix(m[1], "promhttp_"):
		default:
			t.Errorf("metric %s: begin it with memberradius_", m[1])
		}
	}
	if ours == 0 {
		t.Errorf("no metric of ours among %d octets", len(metrics))
	}
}

// TestDocumentedMetrics: a metric that a document names is one that the server has.
func TestDocumentedMetrics(t *testing.T) {
	t.Parallel()
	tr := load(t)
	var code strings.Builder
	for _, f := range tr.shipped() {
		code.WriteString(tr.text[f.path])
	}
	for _, f := range tr.files {
		if filepath.Ext(f) != ".md" {
			continue
		}
		for _, m := range regexp.MustCompile(`\bmemberradius_(backend_|coa_|presence_)?([a-z_]+)\b`).FindAllStringSubmatch(tr.text[f], -1) {
			if !strings.Contains(code.String(), `"`+m[2]+`"`) {
				t.Errorf("%s names %s, which no code makes", f, m[0])
			}
		}
	}
}
