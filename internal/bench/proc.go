//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// The lines of /proc/PID/status for the resident memory, as it is and at its most (proc(5)).
const (
	residentNow  = "VmRSS"
	residentMost = "VmHWM"
)

// memory returns the resident memory of a process in octets.
func (p *process) memory() (int64, error) { return p.status(residentNow) }

// peak returns the most that it ever was.
func (p *process) peak() (int64, error) { return p.status(residentMost) }

func (p *process) status(name string) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	return statusSize(string(status), name)
}

// statusSize reads a size out of /proc/PID/status, in octets.
func statusSize(status, name string) (int64, error) {
	for line := range strings.Lines(status) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("%s: %w", name, err)
			}
			return kilobytes << 10, nil
		}
	}
	return 0, fmt.Errorf("no %s in the process's status", name)
}

// clockTick is the unit of /proc/PID/stat: 100 a second on every architecture of Linux.
const clockTick = time.Second / 100

// processorTime returns what a process has used of the processor.
func processorTime(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return usedTime(string(stat))
}

// usedTime reads utime and stime, the 14th and 15th field, out of
// /proc/PID/stat (proc(5)).
func usedTime(stat string) (time.Duration, error) {
	// The second field is the program's name in brackets, which may hold anything.
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, errors.New("the process's stat is too short")
	}
	var sum time.Duration
	for _, field := range fields[11:13] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("the process's stat: %w", err)
		}
		sum += time.Duration(ticks) * clockTick
	}
	return sum, nil
}

// quietLoad is the load average above which others disturb a measurement: the
// build of this program itself leaves some.
const quietLoad = 1

// loadAverage returns how many processes wanted to run in the last minute, 0
// where the kernel does not say.
func loadAverage() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), " ")
	load, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return 0
	}
	return load
}
