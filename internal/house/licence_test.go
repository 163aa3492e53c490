package house

import (
	"regexp"
	"strings"
	"testing"
)

func TestLicence(t *testing.T) {
	t.Parallel()
	text := strings.Join(strings.Fields(load(t).text["LICENSE"]), " ")
	for _, part := range []string{"Apache License Version 2.0, January 2004", "3. Grant of Patent License.", "END OF TERMS AND CONDITIONS"} {
		if !strings.Contains(text, part) {
			t.Errorf("LICENSE lacks %q: it is the whole Apache License 2.0, unchanged", part)
		}
	}
}

// TestDependenciesAreExplained: go.mod and the table of docs/decisions/0001
// name the same libraries in the same versions.
func TestDependenciesAreExplained(t *testing.T) {
	t.Parallel()
	tr := load(t)
	const record = "docs/decisions/0001-licence-and-dependencies.md"
	explained := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| (\S+\.\S+/\S+) \| (v\S+) \|`).FindAllStringSubmatch(tr.text[record], -1) {
		explained[m[1]] = m[2]
	}
	for _, m := range regexp.MustCompile(`(?m)^(?:require )?\s*(\S+\.\S+/\S+) (v\S+)( // indirect)?$`).FindAllStringSubmatch(tr.text["go.mod"], -1) {
		path, version, indirect := m[1], m[2], m[3] != ""
		if indirect {
			continue
		}
		switch said, ok := explained[path]; {
		case !ok:
			t.Errorf("%s has no row for %s %s: say its licence and why it is needed", record, path, version)
		case !strings.HasPrefix(version, said):
			t.Errorf("%s says %s %s, go.mod has %s: read its licence again and correct the row", record, path, said, version)
		}
		delete(explained, path)
	}
	for path := range explained {
		t.Errorf("%s explains %s, which go.mod does not require: take the row out", record, path)
	}
}
