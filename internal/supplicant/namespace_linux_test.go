package supplicant

import (
	"io"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// mayMakeNamespaces says whether this process may have a network of its own.
func mayMakeNamespaces() bool {
	cmd := exec.Command("true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	return cmd.Run() == nil
}

// A namespace is a network of its own. It has no name and lasts as long as the
// process that holds it: nothing stays behind, however a test ends.
type namespace struct{ holder *exec.Cmd }

// newNamespace starts the holder, which ends with the test or with its process.
func newNamespace(t *testing.T) *namespace {
	t.Helper()
	n := &namespace{holder: exec.Command("cat")}
	n.holder.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	in, err := n.holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	n.holder.Stdout = io.Discard
	if err := n.holder.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = n.holder.Wait()
	})
	return n
}

func (n *namespace) pid() string { return strconv.Itoa(n.holder.Process.Pid) }

// within is what a command line begins with that runs in the namespace.
func (n *namespace) within() []string {
	return []string{"nsenter", "--net=/proc/" + n.pid() + "/ns/net"}
}

// do runs a command in the namespace.
func (n *namespace) do(t *testing.T, argv ...string) {
	t.Helper()
	argv = append(n.within(), argv...)
	if out, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
}

// start starts a command in the namespace; it ends with the test.
func (n *namespace) start(t *testing.T, argv ...string) *child {
	t.Helper()
	c, err := startChild(t.TempDir(), append(n.within(), argv...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.stop)
	return c
}
