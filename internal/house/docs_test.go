package house

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestReadmeMap: README's map names every folder of the root, and no other.
func TestReadmeMap(t *testing.T) {
	t.Parallel()
	tr := load(t)
	readme := tr.text["README.md"]
	folders := map[string]bool{}
	for _, f := range tr.files {
		if first, _, nested := strings.Cut(f, "/"); nested {
			folders[first] = true
		}
	}
	for f := range folders {
		if !strings.HasPrefix(f, ".") && !strings.Contains(readme, "`"+f+"/`") {
			t.Errorf("README.md's map has no `%s/`: say in one line what is in it", f)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z]+)/`").FindAllStringSubmatch(readme, -1) {
		if !folders[m[1]] {
			t.Errorf("README.md's map names `%s/`, which is not there: take the line out", m[1])
		}
	}
}

// ruleIDs are the rules that this server keeps today.
func ruleIDs() []string {
	var ids []string
	for _, group := range []struct {
		letter   string
		from, to int
	}{{"P", 1, 10}, {"P", 16, 20}, {"D", 1, 6}, {"D", 8, 9}, {"M", 1, 10}, {"E", 1, 13}, {"T", 1, 12}, {"S", 1, 1}, {"X", 1, 2}, {"B", 1, 8}, {"F", 17, 18}, {"F", 24, 24}} {
		for n := group.from; n <= group.to; n++ {
			ids = append(ids, fmt.Sprintf("%s%d", group.letter, n))
		}
	}
	return ids
}

// A ledgerRow is one row of docs/protocol.md: id, rule, tests, state.
type ledgerRow struct {
	tests []string
	state string
}

func ledger(text string) map[string]ledgerRow {
	rows := map[string]ledgerRow{}
	row := regexp.MustCompile(`(?m)^\| ([A-Z]+\d+) \|(.*)\|(.*)\| *(\w+) *\|$`)
	name := regexp.MustCompile("`((?:Test|Fuzz|Example)\\w*)")
	for _, m := range row.FindAllStringSubmatch(text, -1) {
		r := ledgerRow{state: m[4]}
		for _, n := range name.FindAllStringSubmatch(m[3], -1) {
			r.tests = append(r.tests, n[1])
		}
		rows[m[1]] = r
	}
	return rows
}

func TestProtocolLedger(t *testing.T) {
	t.Parallel()
	tr := load(t)
	tests := tr.testNames()
	rows := ledger(tr.text["docs/protocol.md"])
	for _, id := range ruleIDs() {
		r, ok := rows[id]
		switch {
		case !ok:
			t.Errorf("docs/protocol.md has no row for rule %s: | %s | the rule | `TestName` | enforced |", id, id)
		case !slices.Contains([]string{"enforced", "weak", "missing"}, r.state):
			t.Errorf("docs/protocol.md: rule %s is %q: write enforced, weak or missing", id, r.state)
		case r.state != "missing" && len(r.tests) == 0:
			t.Errorf("docs/protocol.md: rule %s is called %s and names no test", id, r.state)
		}
	}
	for id, r := range rows {
		for _, name := range r.tests {
			if !tests[name] {
				t.Errorf("docs/protocol.md: rule %s names %s, which is no test of this module: correct the name", id, name)
			}
		}
	}
}

// testNames are the tests, fuzz targets and examples of the module.
func (t *tree) testNames() map[string]bool {
	names := map[string]bool{}
	fn := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example)\w*)\(`)
	for _, f := range t.gofiles {
		if f.test {
			for _, m := range fn.FindAllStringSubmatch(t.text[f.path], -1) {
				names[m[1]] = true
			}
		}
	}
	return names
}

func TestLedgerIsRead(t *testing.T) {
	t.Parallel()
	rows := ledger("| id | rule | tests | state |\n|---|---|---|---|\n| P1 | padding | `TestA`, `FuzzB_NoPanic` | enforced |\n| P2 | silence | | missing |\n")
	if len(rows) != 2 || !slices.Equal(rows["P1"].tests, []string{"TestA", "FuzzB_NoPanic"}) || rows["P2"].state != "missing" {
		t.Errorf("read as %+v", rows)
	}
	if n := len(ruleIDs()); n != 72 {
		t.Errorf("%d rules, want 72", n)
	}
}

// TestLinks: a link in a document leads to a file that is there.
func TestLinks(t *testing.T) {
	t.Parallel()
	tr := load(t)
	link := regexp.MustCompile(`\]\(([^)#: ]+)(?:#[^)]*)?\)`)
	for _, f := range tr.files {
		if filepath.Ext(f) != ".md" {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(tr.text[f], -1) {
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(f), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", f, m[1])
			}
		}
	}
}

// TestDecisions: numbered without gaps, each with the four parts.
func TestDecisions(t *testing.T) {
	t.Parallel()
	tr := load(t)
	number := 0
	for _, f := range tr.files { // in the order of their names
		if !strings.HasPrefix(f, "docs/decisions/") {
			continue
		}
		number++
		if !strings.HasPrefix(f, fmt.Sprintf("docs/decisions/%04d-", number)) {
			t.Errorf("%s: decision %04d was expected: numbers are neither left out nor used twice", f, number)
		}
		for _, part := range []string{"## Context", "## Decision", "## Alternatives refused", "## Consequences"} {
			if !strings.Contains(tr.text[f], part) {
				t.Errorf("%s has no %q", f, part)
			}
		}
		if words := len(strings.Fields(tr.text[f])); words > 900 {
			t.Errorf("%s has %d words: one page is enough", f, words)
		}
	}
	if number == 0 {
		t.Error("docs/decisions is empty")
	}
}

// TestFuzzTargets: every decoder is fuzzed both ways, by the names that docs/protocol.md and make fuzz expect.
func TestFuzzTargets(t *testing.T) {
	t.Parallel()
	tr := load(t)
	for name := range tr.testNames() {
		if strings.HasPrefix(name, "Fuzz") && !strings.HasSuffix(name, "_NoPanic") && !strings.HasSuffix(name, "_RoundTrip") {
			t.Errorf("%s: call it Fuzz<Thing>_NoPanic or Fuzz<Thing>_RoundTrip", name)
		}
	}
}
