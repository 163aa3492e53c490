package house

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// shop is where the program is built, once, for every test that runs it. Its
// decoder is the only one that knows what a configuration may say, and cmd
// can't be imported.
var shop struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shop.dir != "" {
		_ = os.RemoveAll(shop.dir)
	}
	os.Exit(code)
}

// program returns the path of the built program.
func program(t *testing.T) string {
	t.Helper()
	shop.once.Do(func() {
		if shop.dir, shop.err = os.MkdirTemp("", "memberradius-house-"); shop.err != nil {
			return
		}
		cmd := exec.Command("go", "build", "-o", filepath.Join(shop.dir, "memberradius"), "./cmd/memberradius")
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			shop.err = fmt.Errorf("go build ./cmd/memberradius: %w\n%s", err, out)
		}
	})
	if shop.err != nil {
		t.Fatal(shop.err)
	}
	return filepath.Join(shop.dir, "memberradius")
}

// check runs `memberradius check` on a configuration in a folder where all that
// it points to is there.
func check(t *testing.T, text string) error {
	t.Helper()
	dir := t.TempDir()
	furnish(t, dir, text)
	config := filepath.Join(dir, "config.toml")
	write(t, config, text)
	cmd := exec.Command(program(t), "check", "--config", config)
	cmd.Env = append(os.Environ(), environment(text)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return errors.New(strings.TrimSpace(strings.ReplaceAll(string(out), dir+"/", "")))
	}
	return nil
}

var (
	secretFile = regexp.MustCompile(`"file:([^"]+)"`)
	secretEnv  = regexp.MustCompile(`"env:([^"]+)"`)
	filePath   = regexp.MustCompile(`(?m)^\s*path\s*=\s*"([^"]+)"`)
	dictFiles  = regexp.MustCompile(`(?m)^\s*dictionary\s*=\s*\["([^"]+)"\]`)
	templates  = regexp.MustCompile(`(?m)^\s*template\s*=\s*"([^"]+)"`)
)

// furnish puts the files in place that a configuration points to.
func furnish(t *testing.T, dir, text string) {
	t.Helper()
	place := func(name, content string) {
		if filepath.IsAbs(name) {
			return
		}
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, name, content)
	}
	for _, m := range secretFile.FindAllStringSubmatch(text, -1) {
		place(m[1], "a-secret-that-is-long-enough\n")
	}
	for _, m := range filePath.FindAllStringSubmatch(text, -1) {
		place(m[1], load(t).text["testdata/members.toml"])
	}
	for _, m := range dictFiles.FindAllStringSubmatch(text, -1) {
		place(m[1], "")
	}
	for _, m := range templates.FindAllStringSubmatch(text, -1) {
		place(m[1], "Hello {{member_name}}: {{profile_url}}\n")
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// environment holds what a configuration takes from there.
func environment(text string) []string {
	var env []string
	for _, m := range secretEnv.FindAllStringSubmatch(text, -1) {
		secret := "a-secret-that-is-long-enough"
		if strings.HasSuffix(m[1], "_WEBHOOK") { // Standard Webhooks has its own form
			secret = "whsec_" + base64.StdEncoding.EncodeToString([]byte(secret))
		}
		env = append(env, m[1]+"="+secret)
	}
	return env
}

// snippet is a block of TOML in a document.
var snippet = regexp.MustCompile("(?ms)^```toml\n(.*?)^```$")

func TestSnippets(t *testing.T) {
	t.Parallel()
	tr := load(t)
	for _, f := range tr.files {
		if filepath.Ext(f) != ".md" {
			continue
		}
		for _, m := range snippet.FindAllStringSubmatchIndex(tr.text[f], -1) {
			name := fmt.Sprintf("%s:%d", f, 1+strings.Count(tr.text[f][:m[2]], "\n"))
			text := tr.text[f][m[2]:m[3]]
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				config := text
				if strings.Contains(text, "[[member]]") {
					config = membersConfig(t, text)
				}
				if err := check(t, config); err != nil {
					t.Errorf("the server refuses what %s shows; correct it:\n%v", name, err)
				}
			})
		}
	}
}

// membersConfig lays the snippet down as a file of members and returns the
// configuration that reads it.
func membersConfig(t *testing.T, members string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "members.toml")
	write(t, name, members)
	return fmt.Sprintf("[[backend]]\nname = \"members\"\nkind = \"file\"\npath = %q\n", name)
}

// commented is a line of configuration that stands in a comment: "#" and the
// key at once, where prose has a blank between them.
var commented = regexp.MustCompile(`(?m)^#(\S)`)

// uncomment takes a configuration's commented-out blocks into it.
func uncomment(text string) string {
	return commented.ReplaceAllString(text, "$1")
}

func TestExampleConfiguration(t *testing.T) {
	t.Parallel()
	text := load(t).text["config.toml.example"]
	if text == "" {
		t.Fatal("config.toml.example is not there: make run and every operator start from it")
	}
	if err := check(t, text); err != nil {
		t.Errorf("config.toml.example must start as it is:\n%v", err)
	}
	whole := uncomment(text)
	if whole == text {
		t.Error("config.toml.example shows nothing commented out")
	}
	if err := check(t, whole); err != nil {
		t.Errorf("config.toml.example must be accepted with every commented-out block too:\n%v", err)
	}
}

func TestUncomment(t *testing.T) {
	t.Parallel()
	const text = "# A NAS:\n#\n#[[client]]\n#name = \"a\"  # what it is\n# name of all\nx = 1 #down\n"
	const want = "# A NAS:\n#\n[[client]]\nname = \"a\"  # what it is\n# name of all\nx = 1 #down\n"
	if got := uncomment(text); got != want {
		t.Errorf("uncommented to\n%s", got)
	}
}
