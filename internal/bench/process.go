//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// cores are where servers and loads run.
type cores struct{ server, load int }

// findCores returns the first two cores that this process may use.
func findCores() (cores, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return cores{}, fmt.Errorf("sched_getaffinity: %w", err)
	}
	var found []int
	for cpu := 0; cpu < 1024 && len(found) < 2; cpu++ {
		if set.IsSet(cpu) {
			found = append(found, cpu)
		}
	}
	if len(found) < 2 {
		return cores{}, errors.New("one core is all there is: servers and loads need one each")
	}
	return cores{server: found[0], load: found[1]}, nil
}

// stopWait is how long a process may take to end after SIGTERM.
const stopWait = 15 * time.Second

// tailSize is how much of a process's output is kept for an error.
const tailSize = 4096

// A process is one that was started here.
type process struct {
	cmd *exec.Cmd
	// said has every line of its standard output, until it is closed with the output.
	said chan string
	// ended is closed when the process has ended and err says how.
	ended chan struct{}
	err   error
	tail  *tail
}

// start runs argv on one core, in dir. Whoever starts a process stops it.
func start(core int, dir string, argv ...string) (*process, error) {
	p := &process{
		cmd:  exec.Command(argv[0], argv[1:]...), //nolint:gosec // the bench's own command lines
		said: make(chan string, 64), ended: make(chan struct{}), tail: &tail{},
	}
	p.cmd.Dir = dir
	p.cmd.Stderr = p.tail
	// Should the bench be killed, what it started must not stay behind.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	if err := startPinned(p.cmd, core); err != nil {
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	go func() {
		p.listen(out)
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// startPinned starts cmd from a thread that may only use the core: a child
// begins with its parent's affinity, so that all of its threads stay there.
func startPinned(cmd *exec.Cmd, core int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var old, pin unix.CPUSet
	if err := unix.SchedGetaffinity(0, &old); err != nil {
		return fmt.Errorf("sched_getaffinity: %w", err)
	}
	pin.Set(core)
	if err := unix.SchedSetaffinity(0, &pin); err != nil {
		return fmt.Errorf("sched_setaffinity: core %d: %w", core, err)
	}
	err := cmd.Start()
	if back := unix.SchedSetaffinity(0, &old); back != nil {
		return errors.Join(err, fmt.Errorf("sched_setaffinity: %w", back))
	}
	return err
}

// listen keeps the output and passes lines on while somebody takes them.
func (p *process) listen(out io.Reader) {
	defer close(p.said)
	for lines := bufio.NewScanner(io.TeeReader(out, p.tail)); lines.Scan(); {
		select {
		case p.said <- lines.Text():
		default: // nobody waits for lines: the tail has them
		}
	}
}

// waitFor waits for a line of output that contains text.
func (p *process) waitFor(ctx context.Context, text string) error {
	for {
		select {
		case line, ok := <-p.said:
			if !ok {
				return p.failure(fmt.Errorf("it ended before it said %q", text))
			}
			if strings.Contains(line, text) {
				return nil
			}
		case <-ctx.Done():
			return p.failure(fmt.Errorf("it did not say %q: %w", text, ctx.Err()))
		}
	}
}

// wait waits until the process has ended by itself.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.ended:
		if p.err != nil {
			return p.failure(p.err)
		}
		return nil
	case <-ctx.Done():
		return p.failure(ctx.Err())
	}
}

// end tells the process to end.
func (p *process) end() { _ = p.cmd.Process.Signal(os.Signal(syscall.SIGTERM)) }

// stop ends the process, and waits until it is gone.
func (p *process) stop() {
	p.end()
	select {
	case <-p.ended:
	case <-time.After(stopWait):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// failure adds to err what the process said last.
func (p *process) failure(err error) error {
	return fmt.Errorf("%s: %w\n%s", p.cmd.Path, err, p.tail)
}

// A tail keeps the end of what is written to it. It may be shared.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if over := len(t.text) - tailSize; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(b), nil
}

// String returns what is kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
