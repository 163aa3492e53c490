package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// A build says which program this is.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"`
	Changed  bool   `json:"changed,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// thisBuild reads what the Go tool has written into the binary.
func thisBuild() build {
	b := build{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Changed = s.Value == "true"
		}
	}
	return b
}

type versionCmd struct{}

// Help implements kong.HelpProvider.
func (versionCmd) Help() string { return example("memberradius version --json") }

// Run prints which program this is.
func (versionCmd) Run(p *program) error {
	b := thisBuild()
	if p.JSON {
		return p.printJSON(b)
	}
	p.printf("memberradius %s, %s, %s\n", b.Version, b.Go, b.Platform)
	if b.Revision != "" {
		changed := ""
		if b.Changed {
			changed = ", with changes of its own"
		}
		p.printf("built from %s of %s%s\n", b.Revision, b.Time, changed)
	}
	return nil
}

func example(lines ...string) string {
	s := "Example:\n"
	for _, l := range lines {
		s += fmt.Sprintf("\n  %s", l)
	}
	return s
}
