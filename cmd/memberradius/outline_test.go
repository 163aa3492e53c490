package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

const outlineSample = `# a comment with [brackets] and = signs
title = "x"

[server]
auth = [
  "a", # first
  "b",
]
[[client]]
name = "one"
secret = """
two ]
lines"""
[[client]] # the second
"name" = 'two'
secret = '''a''''
[client.deep]
a.b = 1
[[plan]]
attributes = [{ name = "A", value = "}" },
  { name = "B" }]
date = 2026-01-01 08:00:00
last = "\"#"
end = true
`

func TestOutline(t *testing.T) {
	t.Parallel()
	o := outlineOf(outlineSample)
	tests := []struct {
		path string
		line int
	}{
		{"title", 2}, {"server", 4}, {"server.auth", 5}, {"server.auth[0]", 6}, {"server.auth[1]", 7},
		{"client[0]", 9}, {"client[0].name", 10}, {"client[0].secret", 11},
		{"client[1]", 14}, {"client[1].name", 15}, {"client[1].secret", 16}, {"client[1].deep", 17}, {"client[1].deep.a.b", 18},
		{"plan[0].attributes[0].value", 20}, {"plan[0].attributes[1].name", 21}, {"plan[0].date", 22}, {"plan[0].end", 24},
		{"client[1].none", 14}, {"server.auth[7]", 5}, {"none", 0}, {"", 0},
	}
	for _, tt := range tests {
		if got := o.line(tt.path); got != tt.line {
			t.Errorf("%s stands on line %d, want %d", tt.path, got, tt.line)
		}
	}
}

func outlineSeeds(f *testing.F) {
	f.Add(outlineSample)
	f.Add("[a.\"b.c\"]\nd = [[1], [2, {e = 3}]]\n[[a.f]]\n[[a.f]]\ng = 'x'\n")
	f.Add("x = \"\"\"a\\\"\"\"\"\"\ny.z = {}\n")
	f.Add("[[[[=\"'''")
	f.Add(strings.Repeat("x=[", 300))
}

func FuzzOutline_NoPanic(f *testing.F) {
	outlineSeeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		for path, line := range outlineOf(text) {
			if line < 1 || line > strings.Count(text, "\n")+1 {
				t.Errorf("%s stands on line %d of %q", path, line, text)
			}
		}
	})
}

var (
	index = regexp.MustCompile(`\[\d+\]`)
	bare  = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
)

// FuzzOutline_RoundTrip compares with the decoder: each of its keys has a line.
// Keys that must be quoted are left out: no configuration has one.
func FuzzOutline_RoundTrip(f *testing.F) {
	outlineSeeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		var m map[string]any
		md, err := toml.Decode(text, &m)
		if err != nil {
			return
		}
		known := map[string]bool{}
		for path := range outlineOf(text) {
			known[index.ReplaceAllString(path, "")] = true
		}
		for _, key := range md.Keys() {
			if slices.ContainsFunc(key, func(part string) bool { return !bare.MatchString(part) }) {
				continue
			}
			if path := index.ReplaceAllString(strings.Join(key, "."), ""); !known[path] {
				t.Errorf("%q has no line in %q", path, text)
			}
		}
	})
}
