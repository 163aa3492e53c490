//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// A machine is where and when figures were measured, and of what.
type machine struct {
	date, cpu, kernel, goVersion, commit, ours, free string
	cores                                            int
}

func describeMachine(ctx context.Context, r *run, now time.Time) machine {
	m := machine{
		date: now.UTC().Format("2006-01-02 15:04 UTC"), cores: runtime.NumCPU(),
		cpu: "unknown", kernel: "unknown", goVersion: runtime.Version(), commit: "unknown", free: "not installed",
	}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		m.cpu = cpuModel(string(text))
	}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.kernel = "Linux " + strings.TrimSpace(string(text))
	}
	if text, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output(); err == nil {
		m.commit = strings.TrimSpace(string(text))
	}
	if text, err := r.ours.run(ctx, r.dir, "version"); err == nil {
		m.ours, _, _ = strings.Cut(text, "\n")
	}
	if r.free != nil {
		m.free = r.free.version(ctx)
	}
	return m
}

// cpuModel reads the model out of /proc/cpuinfo (proc(5)).
func cpuModel(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// String is one line about the machine.
func (m machine) String() string {
	return fmt.Sprintf("%s, %d cores, %s, %s", m.cpu, m.cores, m.kernel, m.goVersion)
}
