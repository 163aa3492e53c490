package file

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"memberradius/backends"

	"golang.org/x/sys/unix"
)

const (
	// pollEvery: a change must be in force within 2 s, and takes two polls.
	pollEvery = 500 * time.Millisecond
	// restless is how many polls in a row may find another file before it is
	// read while it still changes.
	restless = 3
	// recently: a file that was written so shortly ago may be written again
	// within the same tick of the file system's clock, with no trace in its status.
	recently = 2 * time.Second
	// maxSize bounds the file: a hundred thousand members take about 20 MiB.
	maxSize = 64 << 20
)

// A watcher reads the file when it changes. Polling needs no kernel facility
// that a network mount, a bind mount or a renamed folder would defeat.
type watcher struct {
	file    *File
	taken   unix.Stat_t // the status of what was read last
	seen    unix.Stat_t // the status at the last poll
	hash    [sha256.Size]byte
	moving  int  // polls in a row that saw the file change
	again   bool // the file was so young that it may change unseen
	missing int  // polls in a row that found no file
}

// first reads the file, whose faults are an error here.
func (w *watcher) first() error {
	w.taken, _ = status(w.file.path)
	w.seen = w.taken
	text, err := read(w.file.path)
	if err != nil {
		return err
	}
	w.hash, w.again = sha256.Sum256(text), true
	return w.take(text)
}

func (w *watcher) run(every time.Duration) {
	defer close(w.file.done)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			w.poll()
		case <-w.file.stop:
			return
		}
	}
}

// poll looks at the file once. A file that changed is read when it has stood
// still for one poll: half a file may be valid TOML and lack half of the members.
func (w *watcher) poll() {
	now, err := status(w.file.path)
	if err != nil {
		w.missed(err)
		return
	}
	if now == w.taken && !w.again {
		w.missing = 0
		return
	}
	if now != w.seen {
		w.seen = now
		if w.moving++; w.moving < restless {
			return
		}
	}
	text, err := read(w.file.path)
	if err != nil {
		w.missed(err)
		return
	}
	// Somebody may begin to write it between the look at it and the reading.
	if after, err := status(w.file.path); err == nil && after != now && w.moving < restless {
		w.seen = after
		w.moving++
		return
	}
	w.moving, w.missing = 0, 0
	w.taken = now
	age := time.Since(time.Unix(now.Ctim.Unix()))
	w.again = age < recently
	hash := sha256.Sum256(text)
	if hash == w.hash {
		return
	}
	w.hash = hash
	if err := w.take(text); err != nil {
		w.keep(err)
		return
	}
	w.file.changed()
	w.file.tell(backends.Finding{What: fmt.Sprintf("backend %s: %s was read again: %d members", w.file.name, w.file.path, w.file.Members())})
}

// missed says once that the file is gone or can't be read. An editor may take
// it away for a moment.
func (w *watcher) missed(err error) {
	if w.missing++; w.missing == restless {
		w.keep(err)
		w.hash = [sha256.Size]byte{} // the same file once more is news
	}
}

// keep says why the members of the last good version stay.
func (w *watcher) keep(err error) {
	r := w.file.members.Load()
	w.file.tell(backends.Finding{
		Wrong:  true,
		What:   fmt.Sprintf("backend %s: the %d members of %s stay, since the file can't be used now: %v", w.file.name, len(r.byLogin), r.read.Format(time.RFC3339), err),
		Remedy: "correct the file; it is read again at once",
	})
}

// take makes text the members.
func (w *watcher) take(text []byte) error {
	f := w.file
	members, err := decode(f.path, f.name, text)
	if err != nil {
		return err
	}
	for _, r := range members {
		if c := &r.Credential; c.Password != "" && f.ntHash != nil {
			hash := f.ntHash(string(c.Password))
			c.NTHash = &hash
		}
	}
	f.members.Store(&roster{byLogin: members, read: f.now()})
	return nil
}

// status returns what the file system says of a file, less when it was read.
func status(path string) (unix.Stat_t, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return st, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	st.Atim = unix.Timespec{}
	return st, nil
}

var (
	errSpecial = errors.New("is no regular file")
	errSize    = fmt.Errorf("is larger than %d MiB", maxSize>>20)
)

// read returns the whole file.
func read(path string) ([]byte, error) {
	// Opening a FIFO would wait for a writer.
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("%w; it must exist and be readable by the user that runs memberradius", err)
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, &os.PathError{Op: "read", Path: path, Err: errSpecial}
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("%w; it must be readable by the user that runs memberradius", err)
	}
	if len(text) > maxSize {
		return nil, &os.PathError{Op: "read", Path: path, Err: errSize}
	}
	return text, nil
}
