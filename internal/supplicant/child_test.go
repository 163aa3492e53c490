//go:build linux

package supplicant

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Bounds of a child process.
const (
	startWait = 30 * time.Second
	stopWait  = 10 * time.Second
)

// A child is a process that a test has started and ends.
type child struct {
	cmd   *exec.Cmd
	said  *output
	ended chan struct{}
	err   error
}

// startChild runs argv in dir. Should the test be killed, so is the child.
func startChild(dir string, argv ...string) (*child, error) {
	c := &child{cmd: exec.Command(argv[0], argv[1:]...), said: &output{more: make(chan struct{})}, ended: make(chan struct{})}
	c.cmd.Dir = dir
	c.cmd.Stdout, c.cmd.Stderr = c.said, c.said
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	go func() {
		c.err = c.cmd.Wait()
		close(c.ended)
	}()
	return c, nil
}

// waitFor waits until the child has said text.
func (c *child) waitFor(ctx context.Context, text string) error { return c.waitTimes(ctx, text, 1) }

// waitTimes waits until the child has said text n times.
func (c *child) waitTimes(ctx context.Context, text string, n int) error {
	for {
		said, more := c.said.now()
		if strings.Count(said, text) >= n {
			return nil
		}
		select {
		case <-more:
		case <-c.ended:
			if c.times(text) >= n {
				return nil
			}
			return fmt.Errorf("%s ended before it said %q: %w\n%s", c.cmd.Path, text, c.err, c.tail())
		case <-ctx.Done():
			return fmt.Errorf("%s did not say %q: %w\n%s", c.cmd.Path, text, ctx.Err(), c.tail())
		}
	}
}

// times is how often the child has said text.
func (c *child) times(text string) int {
	said, _ := c.said.now()
	return strings.Count(said, text)
}

// stop ends the child and waits until it is gone.
func (c *child) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.ended:
	case <-time.After(stopWait):
		_ = c.cmd.Process.Kill()
		<-c.ended
	}
}

// kill ends the child as a power cut does.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	<-c.ended
}

// tail is the end of what the child said.
func (c *child) tail() string {
	said, _ := c.said.now()
	return said[max(0, len(said)-4096):]
}

// An output keeps everything that is written to it, and wakes who waits for more.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.more)
	o.more = make(chan struct{})
	return o.text.Write(b)
}

// now returns what was written so far, and a channel that is closed at the next write.
func (o *output) now() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String(), o.more
}
